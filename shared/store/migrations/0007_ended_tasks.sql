-- Tasks end by an administrator, by a report of the operator or by a fault of their chip.

-- Who caused a step of a card and why, in words; only of acts of people.
ALTER TABLE card_history ADD COLUMN person_sealed BLOB;

ALTER TABLE card_history ADD COLUMN note_sealed BLOB;

-- A suspended number kept the task that ended meanwhile. What no gateway ever sent is free of its chip; what may have
-- reached the chip stays held by it.
UPDATE number SET eid_index = CASE exposed WHEN 0 THEN NULL ELSE eid_index END, task_id = NULL
    WHERE written_at IS NULL AND task_id IN (SELECT id FROM task WHERE state IN ('failed', 'cancelled'));

-- A number that no gateway ever sent was held for its chip when its task failed.
UPDATE number SET status = CASE WHEN client_id IS NULL THEN 'available' ELSE 'allotted' END, eid_index = NULL
    WHERE status = 'reserved' AND task_id IS NULL AND exposed = 0;

-- A number that was suspended when its chip was written with another one stayed bound to that chip.
UPDATE number SET status = CASE WHEN status <> 'reserved' THEN status WHEN client_id IS NULL THEN 'available'
    ELSE 'allotted' END, eid_index = NULL, exposed = 0
    WHERE written_at IS NULL AND task_id IS NULL
    AND eid_index IN (SELECT eid_index FROM number WHERE written_at IS NOT NULL);

-- Tasks of retired numbers; hardly ever any.
CREATE INDEX number_retired_in_task ON number (task_id)
    WHERE status = 'retired' AND task_id IS NOT NULL AND written_at IS NULL;

-- Cards that wait for power-up, by the end of their test period.
CREATE INDEX chip_waiting ON chip (temp_expires_at) WHERE status = 2;
