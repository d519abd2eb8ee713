-- What staff did and read in bulk, and what became of the trail itself: one chain over all rows, whose hashes follow from
-- their columns (store/src/audit/chain.rs). A row is never updated.
CREATE TABLE audit (
    -- Without gaps.
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('change', 'read', 'restore', 'destruction')),
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    -- Why it was refused or failed.
    reason TEXT,
    address TEXT NOT NULL,
    request_id TEXT NOT NULL,
    -- On what, masked.
    object TEXT NOT NULL,
    -- SHA-256 of the details, which are sealed elsewhere: a sealed value changes with the key.
    detail_digest BLOB,
    hash BLOB NOT NULL
) STRICT;

CREATE INDEX audit_at ON audit (at, seq);

-- The details of rows, by the digest in hexadecimal.
CREATE TABLE audit_detail (
    id TEXT PRIMARY KEY,
    detail_sealed BLOB NOT NULL
) STRICT;

-- What a row is about, to be searched for: the blind index of an identifier, or an identifier that is not sealed. An index
-- may be gone, with what it stands for, when the index key was changed.
CREATE TABLE audit_object (
    seq INTEGER NOT NULL,
    object_index BLOB,
    object TEXT
) STRICT;

CREATE INDEX audit_object_seq ON audit_object (seq);

CREATE INDEX audit_object_index ON audit_object (object_index, seq) WHERE object_index IS NOT NULL;

CREATE INDEX audit_object_text ON audit_object (object, seq) WHERE object IS NOT NULL;

-- Ends of the chain that became messages to the operator.
CREATE TABLE audit_head (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;

-- The last row that was destroyed at the end of its retention: the chain goes on from its hash.
CREATE TABLE audit_cut (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
