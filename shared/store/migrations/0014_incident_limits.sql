-- What opens incidents and when they are late; the register of faulty chips; reports of clients about their chips.

-- Lateness makes no incident severe any more. An open card in writing has the limit of its severity.
UPDATE incident SET handle_by = since + 1800000,
    next_check_at = CASE WHEN notices & 2 = 0 THEN since + 1800000 ELSE next_check_at END
    WHERE kind = 'stuck_writing' AND severity = 'general' AND closed_at IS NULL;

-- What is settled and has its final report alarms nobody any more.
UPDATE incident SET next_check_at = NULL WHERE closed_at IS NOT NULL AND final_report_at IS NOT NULL;

-- A client that reported the fault of its chip; opened_by is platform then.
ALTER TABLE incident ADD COLUMN reporter TEXT CHECK (reporter IN ('client'));

-- A card in writing is stuck by the time of its last acknowledged step, which is that of its last change.
DROP INDEX task_writing;

CREATE INDEX task_writing ON task (changed_at) WHERE state = 'writing' AND stuck = 0;

-- Stuck cards that go on, and those that began together.
CREATE INDEX task_stuck_changed ON task (changed_at) WHERE state = 'writing' AND stuck = 1;

CREATE INDEX task_stuck ON task (started_at) WHERE state = 'writing' AND stuck = 1;

CREATE INDEX task_started ON task (started_at) WHERE state <> 'waiting';

-- The gateway at which its first session began, by the name that the gateway gives itself.
ALTER TABLE task ADD COLUMN gateway TEXT;

-- The register of faulty chips: each entry stays, also after the chip was taken out. The client's model and firmware
-- are those of the day of the entry.
CREATE TABLE chip_fault (
    eid_index BLOB NOT NULL REFERENCES chip (eid_index),
    seq INTEGER NOT NULL,
    fault TEXT NOT NULL,
    status_word TEXT,
    chip_model TEXT NOT NULL,
    firmware TEXT,
    entered_at INTEGER NOT NULL,
    removed_at INTEGER,
    PRIMARY KEY (eid_index, seq)
) STRICT;

INSERT INTO chip_fault (eid_index, seq, fault, chip_model, entered_at)
    SELECT eid_index, 1, 'registered', chip_model, COALESCE(faulty_at, changed_at) FROM chip WHERE faulty = 1;

CREATE INDEX chip_fault_entered ON chip_fault (entered_at, eid_index, seq);

CREATE UNIQUE INDEX chip_fault_present ON chip_fault (eid_index) WHERE removed_at IS NULL;

-- When the alert was raised that a chip without a task has used half its test allowance.
ALTER TABLE chip ADD COLUMN half_used_at INTEGER;

-- Only the register names faulty chips in the order of their entry.
DROP INDEX chip_faulty;

-- What the card holds that changes with each of its power-ups, as its session read it.
ALTER TABLE device_session ADD COLUMN power_up TEXT;
