-- Acts of staff that need a second person: who asks for what, as a digest of the call. Identifiers are masked.
CREATE TABLE approval (
    id TEXT PRIMARY KEY,
    -- The right of the operation.
    what TEXT NOT NULL,
    who TEXT NOT NULL,
    -- On what, masked.
    object TEXT NOT NULL,
    digest BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'refused', 'done')),
    created_at INTEGER NOT NULL,
    -- From when on, and until when, a second person can carry it out.
    begins_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    -- Who has carried it out or refused it.
    decided_by TEXT,
    decided_at INTEGER
) STRICT;

CREATE INDEX approval_open ON approval (id) WHERE state = 'open';

CREATE INDEX approval_who ON approval (who, id);

CREATE INDEX approval_ends ON approval (ends_at);
