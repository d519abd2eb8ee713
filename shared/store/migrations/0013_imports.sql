-- Imports, so that one can be withdrawn; chips that are blocked because their EID is in use twice; chips that were
-- replaced, whose temporary numbers can come back.

-- One row for each import: into which table, what became of its rows, and for a correction who made it and why, both
-- sealed. removed_count counts the rows that were withdrawn.
CREATE TABLE import (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('chip', 'number')),
    row_count INTEGER NOT NULL,
    imported_count INTEGER NOT NULL,
    unchanged_count INTEGER NOT NULL,
    corrected_count INTEGER NOT NULL,
    rejected_count INTEGER NOT NULL,
    removed_count INTEGER NOT NULL DEFAULT 0,
    person_sealed BLOB,
    note_sealed BLOB,
    imported_at INTEGER NOT NULL,
    withdrawn_at INTEGER
) STRICT;

-- The import that a row is from; null for rows of before. The import itself is added last.
ALTER TABLE chip ADD COLUMN import_id TEXT REFERENCES import (id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE number ADD COLUMN import_id TEXT REFERENCES import (id) DEFERRABLE INITIALLY DEFERRED;

CREATE INDEX chip_import ON chip (import_id) WHERE import_id IS NOT NULL;

CREATE INDEX number_import ON number (import_id) WHERE import_id IS NOT NULL;

-- 1 while the incident that its EID is in use twice is open.
ALTER TABLE chip ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1));

-- 1 when another chip took its place.
ALTER TABLE chip ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1));

UPDATE chip SET replaced = 1 WHERE faulty = 1
    AND eid_index IN (SELECT eid_index FROM task WHERE failure = 'chip_replaced');

-- Removing a chip or a number looks for rows that name it.
CREATE INDEX task_number ON task (iccid_index);

DROP INDEX message_chip;

CREATE INDEX message_chip ON message (eid_index, chip_seq, id);
