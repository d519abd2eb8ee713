-- What happened otherwise than the standard demands (§10.2): since when it is known, when it was last seen, and since when
-- it is set right. `subject` is that of an incident or alert, or an incident or a month.
CREATE TABLE deviation (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    found_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (kind, subject)
) STRICT;

CREATE INDEX deviation_open ON deviation (found_at) WHERE ended_at IS NULL;

CREATE INDEX deviation_found ON deviation (found_at);

CREATE INDEX deviation_ended ON deviation (ended_at) WHERE ended_at IS NOT NULL;

-- How far each comparison has come: when it began last, and the last chip that it looked at while it goes on.
CREATE TABLE supervision (
    part TEXT PRIMARY KEY,
    began_at INTEGER NOT NULL,
    reached BLOB
) STRICT;

-- Severe incidents without their report, and settled ones without their final report.
CREATE INDEX incident_unreported ON incident (severe_at)
    WHERE severe_at IS NOT NULL AND reported_at IS NULL AND final_report_at IS NULL;

CREATE INDEX incident_unconcluded ON incident (closed_at)
    WHERE severe_at IS NOT NULL AND closed_at IS NOT NULL AND final_report_at IS NULL;
