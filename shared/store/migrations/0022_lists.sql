-- Lists of tasks, chips, numbers and refused applications, the latest first: an index for each filter, in the order of the
-- list. A task has the province of its number also when its client designated that number.
--
-- A state that few have has an index of its own, without the state: an index that begins with it would look better than
-- those by time to a planner without statistics. A state through which every application goes has none: each would cost it a
-- page, and a list finds enough of its rows without.

UPDATE task SET province = (SELECT n.province FROM number n WHERE n.iccid_index = task.iccid_index) WHERE province IS NULL;

DROP INDEX task_client;

CREATE INDEX task_client ON task (client_id, id);

CREATE INDEX task_failure ON task (failure, id) WHERE failure IS NOT NULL;

CREATE INDEX task_list_waiting ON task (id) WHERE state = 'waiting';

CREATE INDEX task_list_writing ON task (id) WHERE state = 'writing';

CREATE INDEX task_list_failed ON task (id) WHERE state = 'failed';

CREATE INDEX task_list_cancelled ON task (id) WHERE state = 'cancelled';

CREATE INDEX chip_imported ON chip (imported_at, eid_index);

DROP INDEX chip_client;

CREATE INDEX chip_client ON chip (client_id, imported_at, eid_index);

CREATE INDEX chip_model ON chip (chip_model, imported_at, eid_index);

-- 3, 5 and 6: 写卡中, 写卡失败, 申请失败.
CREATE INDEX chip_list_3 ON chip (imported_at, eid_index) WHERE status = 3;

CREATE INDEX chip_list_5 ON chip (imported_at, eid_index) WHERE status = 5;

CREATE INDEX chip_list_6 ON chip (imported_at, eid_index) WHERE status = 6;

CREATE INDEX number_imported ON number (imported_at, iccid_index);

DROP INDEX number_client;

CREATE INDEX number_client ON number (client_id, imported_at, iccid_index) WHERE client_id IS NOT NULL;

CREATE INDEX number_province ON number (province, imported_at, iccid_index);

CREATE INDEX number_list_allotted ON number (imported_at, iccid_index) WHERE status = 'allotted';

CREATE INDEX number_list_suspended ON number (imported_at, iccid_index) WHERE status = 'suspended';

CREATE INDEX number_list_retired ON number (imported_at, iccid_index) WHERE status = 'retired';

-- A step to 申请失败 is a refused application.
CREATE INDEX card_history_refused ON card_history (at, eid_index, seq) WHERE to_status = 6;

CREATE INDEX card_history_refused_by ON card_history (actor, at, eid_index, seq) WHERE to_status = 6;
