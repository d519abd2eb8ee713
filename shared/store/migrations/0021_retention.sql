-- Every kind of data has a retention. Indexes by which its rows are found at their end, and by which the rows that refer
-- to them are.

-- When K and OPc of a written number were destroyed: their sealed values are empty from then on.
ALTER TABLE number ADD COLUMN keys_destroyed_at INTEGER;

CREATE INDEX number_keys ON number (written_at) WHERE written_at IS NOT NULL AND keys_destroyed_at IS NULL;

CREATE INDEX number_retired ON number (changed_at) WHERE status = 'retired' AND eid_index IS NULL;

CREATE INDEX number_client ON number (client_id) WHERE client_id IS NOT NULL;

CREATE INDEX task_ended ON task (finished_at) WHERE state IN ('failed', 'cancelled');

CREATE INDEX task_client ON task (client_id);

CREATE INDEX device_session_task ON device_session (task_id) WHERE task_id IS NOT NULL;

CREATE INDEX message_task ON message (task_id) WHERE task_id IS NOT NULL;

CREATE INDEX card_history_at ON card_history (at);

CREATE INDEX incident_closed ON incident (closed_at) WHERE closed_at IS NOT NULL;

CREATE INDEX chip_replaced ON chip (changed_at) WHERE replaced = 1;

-- Calls are counted in the key-value store `limits`.
DROP TABLE call_rate;
