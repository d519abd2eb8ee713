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
