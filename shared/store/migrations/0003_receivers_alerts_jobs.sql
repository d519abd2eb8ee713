-- Whom the platform tells what happened: each client about its cards, and the operator about the platform. Alerts, jobs
-- and what was destroyed.
--
-- Messages lie in the outbox, in lanes, one for each receiver.

CREATE TABLE receiver (
    id TEXT PRIMARY KEY,
    client_id TEXT REFERENCES client (id),
    url TEXT,
    -- When the address was entered: what came of attempts before that says nothing about it.
    entered_at INTEGER NOT NULL,
    -- Since when messages to it have failed without one that succeeded between.
    failing_since INTEGER,
    -- Since when it is not called, and why: its owner said it is gone, or it failed for too long.
    stopped_at INTEGER,
    stopped_for TEXT CHECK (stopped_for IN ('gone', 'failing')),
    changed_at INTEGER NOT NULL
) STRICT;

INSERT INTO receiver (id, client_id, url, entered_at, changed_at)
    SELECT id, id, callback_url, changed_at, changed_at FROM client;

-- What messages are signed with. Two at most are live: the latest, and during a rotation the one before it.
CREATE TABLE receiver_secret (
    receiver_id TEXT NOT NULL REFERENCES receiver (id),
    generation INTEGER NOT NULL,
    secret_sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (receiver_id, generation)
) STRICT;

INSERT INTO receiver_secret (receiver_id, generation, secret_sealed, created_at)
    SELECT id, 1, callback_secret_sealed, created_at FROM client;

ALTER TABLE client DROP COLUMN callback_url;

ALTER TABLE client DROP COLUMN callback_secret_sealed;

-- A message that is on its way is due again when its lease ends. Attempts count since attempts_from, where they
-- stood when it was last sent again by hand.
CREATE TABLE outbox_moved (
    id TEXT PRIMARY KEY,
    receiver_id TEXT NOT NULL REFERENCES receiver (id),
    topic TEXT NOT NULL,
    task_id TEXT REFERENCES task (id),
    body_sealed BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts INTEGER NOT NULL,
    attempts_from INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;

INSERT INTO outbox_moved (id, receiver_id, topic, task_id, body_sealed, state, attempts, next_at, lease_until,
    created_at, finished_at)
    SELECT id, client_id, 'write_result', task_id, body_sealed, state, attempts, next_at, lease_until, created_at,
    finished_at FROM outbox;

CREATE TABLE outbox_attempt_moved (
    outbox_id TEXT NOT NULL REFERENCES outbox_moved (id),
    attempt INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    accepted INTEGER CHECK (accepted IN (0, 1)),
    http_status INTEGER,
    error TEXT,
    PRIMARY KEY (outbox_id, attempt)
) STRICT;

INSERT INTO outbox_attempt_moved SELECT outbox_id, attempt, started_at, finished_at, accepted, http_status, error
    FROM outbox_attempt;

DROP TABLE outbox_attempt;

DROP TABLE outbox;

ALTER TABLE outbox_moved RENAME TO outbox;

ALTER TABLE outbox_attempt_moved RENAME TO outbox_attempt;

-- A receiver's messages in the order in which they are due; the first columns also find the lanes.
CREATE INDEX outbox_lane ON outbox (receiver_id, next_at, id) WHERE state = 'pending';

-- Those on their way.
CREATE INDEX outbox_leased ON outbox (receiver_id, lease_until) WHERE state = 'pending' AND lease_until > 0;

-- The messages about a task, which are told one after the other.
CREATE INDEX outbox_task ON outbox (task_id, id) WHERE state = 'pending';

-- Those of a receiver, for looking them up and sending them again.
CREATE INDEX outbox_receiver ON outbox (receiver_id, id);

-- Those that were given up.
CREATE INDEX outbox_dead ON outbox (receiver_id, id) WHERE state = 'dead';

-- The same by when that was.
CREATE INDEX outbox_failed ON outbox (finished_at, id) WHERE state = 'dead';

-- Those that are kept for a while and then destroyed.
CREATE INDEX outbox_finished ON outbox (finished_at) WHERE finished_at IS NOT NULL;

-- What the operator should know of: shown until somebody has taken note, and sent to the operator's address. The
-- body is the message that is sent; it may name chips and is therefore sealed.
CREATE TABLE alert (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    body_sealed BLOB NOT NULL,
    at INTEGER NOT NULL,
    noted_at INTEGER
) STRICT;

CREATE INDEX alert_open ON alert (id) WHERE noted_at IS NULL;

CREATE INDEX alert_noted ON alert (noted_at) WHERE noted_at IS NOT NULL;

-- The periodic work: when each job last did what it is for, and since when it fails.
CREATE TABLE job (
    name TEXT PRIMARY KEY,
    ran_at INTEGER,
    succeeded_at INTEGER,
    failing_since INTEGER,
    failures INTEGER NOT NULL,
    error TEXT
) STRICT;

-- What was destroyed at the end of its retention, by day in UTC and kind of data (§9.1.2).
CREATE TABLE destruction (
    day TEXT NOT NULL,
    kind TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (day, kind)
) STRICT;

CREATE INDEX device_session_closed ON device_session (closed_at) WHERE closed_at IS NOT NULL;
