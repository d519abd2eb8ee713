-- Messages about each change of state of a card, in the order of the changes of their chip.

-- The chip a message is about, and the number of the change in the chip's history.
ALTER TABLE message ADD COLUMN eid_index BLOB REFERENCES chip (eid_index);

ALTER TABLE message ADD COLUMN chip_seq INTEGER NOT NULL DEFAULT 0;

-- A message whose receiver had no address. It is dead until somebody asks for it to be sent.
ALTER TABLE message ADD COLUMN unaddressed INTEGER NOT NULL DEFAULT 0 CHECK (unaddressed IN (0, 1));

UPDATE message SET eid_index = (SELECT t.eid_index FROM task t WHERE t.id = message.task_id)
    WHERE state = 'pending' AND task_id IS NOT NULL;

UPDATE message SET eid_index = (SELECT t.eid_index FROM task t WHERE t.id = message.task_id)
    WHERE state = 'dead' AND task_id IS NOT NULL;

-- What waited when its receiver's address was removed waits for somebody to ask for it.
UPDATE message SET state = 'dead', unaddressed = 1, lease_until = 0, finished_at = (SELECT MAX(applied_at) FROM schema_version)
    WHERE state = 'pending' AND receiver_id IN (SELECT id FROM receiver WHERE url IS NULL);

DROP INDEX message_task;

-- The pending messages about a chip, which are sent one after the other.
CREATE INDEX message_chip ON message (eid_index, chip_seq, id) WHERE state = 'pending';

-- Which changes of state a receiver gets, joined by commas; null for the outcomes of tasks.
ALTER TABLE receiver ADD COLUMN changes TEXT;

-- Whether its address may be plain http.
ALTER TABLE receiver ADD COLUMN allow_http INTEGER NOT NULL DEFAULT 0 CHECK (allow_http IN (0, 1));
