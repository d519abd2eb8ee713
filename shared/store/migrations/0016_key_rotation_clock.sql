-- Keys that are changed while the platform runs, and a clock that jumps.

-- When a program last used the key as the first of its kind, and since when no stored value needs it.
ALTER TABLE key_check ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;

ALTER TABLE key_check ADD COLUMN retired_at INTEGER;

UPDATE key_check SET used_at = stored_at;

-- The pass over all sealed columns that is going on, or the last one: under which key, how far it has come, how many
-- values could not be opened.
CREATE TABLE reseal (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    key_id INTEGER NOT NULL,
    place INTEGER NOT NULL,
    after BLOB NOT NULL,
    after_seq INTEGER NOT NULL,
    unopened INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    done_at INTEGER
) STRICT;

-- The last time that is trusted; the time that the clock had before it was set back; since when it is held: it has
-- jumped ahead, and nothing is destroyed until a person confirms the time.
CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    trusted_at INTEGER,
    left_at INTEGER,
    held_at INTEGER,
    watched INTEGER NOT NULL DEFAULT 0 CHECK (watched IN (0, 1))
) STRICT;

INSERT INTO clock (id, trusted_at) SELECT 1, MAX(succeeded_at) FROM job;

-- Who confirmed the time after a jump, and why, both sealed. The id is the time since which it was held.
CREATE TABLE clock_confirmation (
    id TEXT PRIMARY KEY,
    confirmed_at INTEGER NOT NULL,
    person_sealed BLOB NOT NULL,
    note_sealed BLOB NOT NULL
) STRICT;
