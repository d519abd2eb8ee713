-- Rotating client secrets, call limits, the call log, and what operators tell about their numbers.

-- The secrets of a client. Two at most are live: the latest, and during a rotation the one before it.
CREATE TABLE client_secret (
    client_id TEXT NOT NULL REFERENCES client (id),
    generation INTEGER NOT NULL,
    hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    PRIMARY KEY (client_id, generation)
) STRICT;

INSERT INTO client_secret (client_id, generation, hash, created_at)
    SELECT id, secret_generation, secret_hash, created_at FROM client;

ALTER TABLE client DROP COLUMN secret_hash;

ALTER TABLE client DROP COLUMN secret_generation;

-- Calls a minute that differ from the defaults: a JSON object from interface name to number.
ALTER TABLE client ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';

-- Tokens handed out before this moment are refused.
ALTER TABLE client ADD COLUMN tokens_from INTEGER NOT NULL DEFAULT 0;

-- Token buckets: the moment, in microseconds, at which a bucket will be full again. Not worth a sync: a power
-- failure may give a caller a few calls more.
CREATE TABLE call_rate (
    client_id TEXT NOT NULL,
    interface TEXT NOT NULL,
    full_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, interface)
) STRICT;

-- The same for addresses that keep presenting wrong credentials.
CREATE TABLE stranger (
    address TEXT PRIMARY KEY,
    full_at INTEGER NOT NULL
) STRICT;

CREATE INDEX stranger_full ON stranger (full_at);

-- Every call, also the refused ones. The id begins with the time (milliseconds * 2^22), so that the table is in
-- the order of time without an index. Identifiers stand here masked; the index of the EID is for searching.
CREATE TABLE call_log (
    id INTEGER PRIMARY KEY,
    client_id TEXT,
    interface TEXT NOT NULL,
    code INTEGER NOT NULL,
    reason TEXT,
    address TEXT,
    duration_us INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    eid_index BLOB,
    task_id TEXT,
    subject TEXT
) STRICT;

CREATE INDEX call_log_client ON call_log (client_id, id) WHERE client_id IS NOT NULL;

CREATE INDEX call_log_eid ON call_log (eid_index, id) WHERE eid_index IS NOT NULL;

CREATE INDEX call_log_task ON call_log (task_id, id) WHERE task_id IS NOT NULL;

-- When the operator opened the number (开卡时间) and which state the operator gives it; null until it tells.
ALTER TABLE number ADD COLUMN open_time INTEGER;

ALTER TABLE number ADD COLUMN open_time_as_of INTEGER;

ALTER TABLE number ADD COLUMN status_as_of INTEGER;

-- What the operator last told about the data a number used in a month, in bytes (1 MB = 1,000,000 bytes).
CREATE TABLE number_usage (
    iccid_index BLOB PRIMARY KEY REFERENCES number (iccid_index),
    total_bytes INTEGER NOT NULL CHECK (total_bytes >= 0),
    used_bytes INTEGER NOT NULL CHECK (used_bytes >= 0),
    as_of INTEGER NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;

-- Where a number was last online, as the operator told.
CREATE TABLE number_location (
    iccid_index BLOB PRIMARY KEY REFERENCES number (iccid_index),
    city TEXT NOT NULL,
    as_of INTEGER NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;

-- When an operator's interface was last asked about a number, so that it is not asked again at once.
CREATE TABLE operator_inquiry (
    iccid_index BLOB NOT NULL REFERENCES number (iccid_index),
    topic TEXT NOT NULL CHECK (topic IN ('usage', 'location', 'status', 'open_time')),
    asked_at INTEGER NOT NULL,
    answered INTEGER NOT NULL CHECK (answered IN (0, 1)),
    PRIMARY KEY (iccid_index, topic)
) STRICT;
