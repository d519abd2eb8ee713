-- What each gateway announced last: its card profiles and the versions of its master keys, joined by commas. A process
-- numbers its announcements.
CREATE TABLE gateway (
    name TEXT PRIMARY KEY,
    instance TEXT NOT NULL,
    seq INTEGER NOT NULL,
    profiles TEXT NOT NULL,
    key_versions TEXT NOT NULL,
    announced_at INTEGER NOT NULL
) STRICT;

-- Handshakes that failed with the identity of the chip: how many, when the last one was reported, and why it failed.
ALTER TABLE chip ADD COLUMN failed_handshakes INTEGER NOT NULL DEFAULT 0;

ALTER TABLE chip ADD COLUMN handshake_failed_at INTEGER;

ALTER TABLE chip ADD COLUMN handshake_failure TEXT;
