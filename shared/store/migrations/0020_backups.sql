-- Backups that were made, drills that opened one, and restores: when, and what the backup was.
CREATE TABLE backup_record (
    kind TEXT NOT NULL CHECK (kind IN ('backup', 'drill', 'restore')),
    backup_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    -- When the state was copied.
    backup_at INTEGER NOT NULL,
    -- Of a restore: numbers that were quarantined, the time since which nothing was written as a person stated, and
    -- since when imported numbers are not quarantined any more.
    quarantined INTEGER NOT NULL DEFAULT 0,
    no_writes_since INTEGER,
    imports_free_at INTEGER,
    PRIMARY KEY (kind, at, backup_id)
) STRICT;

-- A quarantined number may be on a card of which this database knows nothing: it is given to none.
ALTER TABLE number ADD COLUMN quarantined INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1));

DROP INDEX number_pool;

CREATE INDEX number_pool ON number (province, imported_at, iccid_index) WHERE status = 'available' AND quarantined = 0;

CREATE INDEX number_quarantined ON number (province) WHERE status = 'available' AND quarantined = 1;

-- Who released which numbers from the quarantine, and on what evidence, both sealed.
CREATE TABLE quarantine_release (
    id TEXT PRIMARY KEY,
    released INTEGER NOT NULL,
    import_id TEXT,
    person_sealed BLOB NOT NULL,
    reference_sealed BLOB NOT NULL,
    released_at INTEGER NOT NULL
) STRICT;
