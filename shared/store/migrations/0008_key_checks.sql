-- A value of each key that the database was made with: under other keys nothing could be found or opened, and everything
-- imported a second time.
CREATE TABLE key_check (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL,
    stored_at INTEGER NOT NULL
) STRICT;
