-- The clocks of incidents, what people write about them, cards that stay in writing, the register of faulty chips and
-- the monthly review.

-- Every time limit counts from "since", when the trouble began. next_check_at is when the clock has to look again: null
-- when nothing is left. told has a bit for each thing that was told: severe, not settled in time, not reported in time,
-- no final report in time.
ALTER TABLE incident ADD COLUMN severity TEXT NOT NULL DEFAULT 'general' CHECK (severity IN ('general', 'severe'));

ALTER TABLE incident ADD COLUMN since INTEGER NOT NULL DEFAULT 0;

ALTER TABLE incident ADD COLUMN severe_at INTEGER;

ALTER TABLE incident ADD COLUMN handle_by INTEGER;

ALTER TABLE incident ADD COLUMN opened_by TEXT NOT NULL DEFAULT 'platform' CHECK (opened_by IN ('platform', 'admin'));

ALTER TABLE incident ADD COLUMN settled_by TEXT CHECK (settled_by IN ('platform', 'admin'));

ALTER TABLE incident ADD COLUMN reported_at INTEGER;

ALTER TABLE incident ADD COLUMN final_report_at INTEGER;

ALTER TABLE incident ADD COLUMN told INTEGER NOT NULL DEFAULT 0;

ALTER TABLE incident ADD COLUMN next_check_at INTEGER;

ALTER TABLE incident ADD COLUMN note_sealed BLOB;

ALTER TABLE incident ADD COLUMN settlement_sealed BLOB;

ALTER TABLE incident ADD COLUMN report_sealed BLOB;

ALTER TABLE incident ADD COLUMN final_report_sealed BLOB;

-- A message that could not be delivered was an incident of its own; now its receiver is. What is still wrong with a
-- receiver shows again when it is next called.
UPDATE incident SET closed_at = opened_at WHERE kind = 'callback_undeliverable' AND subject LIKE 'callback:%'
    AND closed_at IS NULL;

-- The limits of Tables 3-6. Those that are open are looked at at once.
UPDATE incident SET since = opened_at, handle_by = opened_at + CASE kind WHEN 'province_without_number' THEN 7200000
    WHEN 'temporary_number_expired' THEN 86400000 WHEN 'chip_fault' THEN 86400000 ELSE 3600000 END,
    settled_by = CASE WHEN closed_at IS NULL THEN NULL ELSE 'platform' END,
    next_check_at = CASE WHEN closed_at IS NULL THEN opened_at ELSE NULL END;

CREATE INDEX incident_check ON incident (next_check_at) WHERE next_check_at IS NOT NULL;

CREATE INDEX incident_opened ON incident (opened_at);

CREATE INDEX incident_open_id ON incident (id) WHERE closed_at IS NULL;

-- A task that was seen to be in writing for too long is marked, so that it is not seen again.
ALTER TABLE task ADD COLUMN stuck INTEGER NOT NULL DEFAULT 0 CHECK (stuck IN (0, 1));

CREATE INDEX task_writing ON task (started_at) WHERE state = 'writing' AND stuck = 0;

ALTER TABLE chip ADD COLUMN faulty_at INTEGER;

UPDATE chip SET faulty_at = changed_at WHERE faulty = 1;

CREATE INDEX chip_faulty ON chip (faulty_at DESC, eid_index) WHERE faulty = 1;

-- Figures of a month that is over; the body is JSON and names no card and no client.
CREATE TABLE monthly_review (
    month TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;
