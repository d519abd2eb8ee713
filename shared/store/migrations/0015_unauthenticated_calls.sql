-- Applications for provinces that are not served, by month and province.
CREATE TABLE unserved_application (
    month TEXT NOT NULL,
    province TEXT NOT NULL,
    applications INTEGER NOT NULL CHECK (applications > 0),
    PRIMARY KEY (month, province)
) STRICT;

-- Which secret of the client a call proved, by its generation.
ALTER TABLE call_log ADD COLUMN secret_generation INTEGER;

-- A row that stands for many refused calls: how many, when the first and the last came, the shortest time between two of
-- them in milliseconds, and why they were refused, joined by commas. Null in the row of one call.
ALTER TABLE call_log ADD COLUMN calls INTEGER;

ALTER TABLE call_log ADD COLUMN first_at INTEGER;

ALTER TABLE call_log ADD COLUMN last_at INTEGER;

ALTER TABLE call_log ADD COLUMN gap_ms INTEGER;

ALTER TABLE call_log ADD COLUMN reasons TEXT;

-- Refused callers are counted in the key-value store "limits".
DROP TABLE ip_throttle;

-- The days that have a table of calls of their own, call_log_<day>: days since 1970, UTC. call_log keeps what came before.
CREATE TABLE call_log_day (
    day INTEGER PRIMARY KEY
) STRICT;
