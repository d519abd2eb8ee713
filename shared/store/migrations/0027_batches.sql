-- Batches: one act on many cards or numbers, row by row, by the periodic work.
CREATE TABLE batch (
    id TEXT PRIMARY KEY,
    -- By which a repeated request is recognised.
    key TEXT NOT NULL UNIQUE,
    -- SHA-256 of what was sent, sealed.
    content_sealed BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('apply', 'cancel', 'end', 'allot', 'suspend', 'retire')),
    -- For which client.
    client_id TEXT,
    -- 1 when a row for which the pool has no number is refused instead of waiting for one.
    fail_when_exhausted INTEGER NOT NULL CHECK (fail_when_exhausted IN (0, 1)),
    -- Who made it, from where, with which request: what its rows change is in the audit trail under these.
    who TEXT NOT NULL,
    address TEXT NOT NULL,
    request_id TEXT NOT NULL,
    -- By whom and why, as far as its kind asks for it.
    person_sealed BLOB,
    note_sealed BLOB,
    state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'done', 'stopped')),
    -- Why it is paused, and the provinces without a number, separated by commas.
    reason TEXT,
    provinces TEXT NOT NULL DEFAULT '',
    row_count INTEGER NOT NULL,
    done_count INTEGER NOT NULL DEFAULT 0,
    unchanged_count INTEGER NOT NULL DEFAULT 0,
    refused_count INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    -- When it was done or stopped.
    ended_at INTEGER,
    -- When it is to be worked on next; null when it is not.
    next_at INTEGER
) STRICT;

CREATE INDEX batch_due ON batch (next_at, id) WHERE next_at IS NOT NULL;

CREATE INDEX batch_ended ON batch (ended_at) WHERE ended_at IS NOT NULL;

-- The rows of a batch, by their lines in its file. A row without a result is still to be carried out.
CREATE TABLE batch_row (
    batch_id TEXT NOT NULL REFERENCES batch (id),
    line INTEGER NOT NULL,
    -- Whose pool an automatic application takes its number from; else empty.
    province TEXT NOT NULL,
    -- EID, ICCID and MSISDN, as far as the row has them, sealed; null when the row could not be read.
    content_sealed BLOB,
    result TEXT CHECK (result IN ('done', 'unchanged', 'refused')),
    -- Why it was refused.
    reason TEXT,
    task_id TEXT,
    done_at INTEGER,
    PRIMARY KEY (batch_id, line)
) STRICT;

CREATE INDEX batch_row_open ON batch_row (batch_id, province, line) WHERE result IS NULL;
