-- Why each session ended, as a stable word, and the order in which administrators see sessions.
ALTER TABLE device_session ADD COLUMN end_reason TEXT;

CREATE INDEX device_session_opened ON device_session (opened_at, id);

CREATE INDEX device_session_end_reason ON device_session (end_reason, opened_at, id) WHERE end_reason IS NOT NULL;
