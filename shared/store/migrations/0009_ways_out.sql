-- A written card that an administrator reopened for another number, until that number is verified.
ALTER TABLE chip ADD COLUMN reopened INTEGER NOT NULL DEFAULT 0 CHECK (reopened IN (0, 1));

-- A number that its card no longer has, because it was written with another one: only a person puts it back.
ALTER TABLE number ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1));

-- Chips that were destroyed, as a person recorded it: who says so, and the reference of the record, both sealed.
CREATE TABLE chip_destruction (
    eid_index BLOB PRIMARY KEY REFERENCES chip (eid_index),
    destroyed_on TEXT NOT NULL,
    person_sealed BLOB NOT NULL,
    reference_sealed BLOB NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

-- When the chip came back after its task had ended without it.
ALTER TABLE task ADD COLUMN returned_at INTEGER;

-- An application does not write it any more: a card that still waits for power-up at the end of its test period is
-- found by the time of the notice of that end, which comes after it.
DROP INDEX chip_waiting;

-- 2: 待开机上电. Those whose notice was given before their task ended are looked at again.
UPDATE chip SET temp_next_at = temp_expires_at, temp_stage = 1 WHERE status = 2 AND temp_next_at IS NULL;

-- Cards that are being written, by the beginning of their first session.
CREATE INDEX task_in_writing ON task (started_at) WHERE state = 'writing' AND next_work = 'write';
