-- Clients, chips, operator numbers, writing tasks, device sessions, callbacks, incidents.
--
-- A column called …_sealed holds an envelope (see vault/envelope.rs); one called …_index holds a blind
-- index. Identifiers and key material exist in no other form. Times are milliseconds since 1970 UTC.

CREATE TABLE client (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    phone_index BLOB NOT NULL,
    phone_sealed BLOB NOT NULL,
    ips TEXT NOT NULL,
    permissions TEXT NOT NULL,
    callback_url TEXT,
    callback_secret_sealed BLOB NOT NULL,
    secret_hash BLOB NOT NULL,
    secret_generation INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX client_phone ON client (phone_index);

CREATE TABLE chip (
    eid_index BLOB PRIMARY KEY,
    eid_sealed BLOB NOT NULL,
    client_id TEXT NOT NULL REFERENCES client (id),
    chip_model TEXT NOT NULL,
    profile TEXT NOT NULL,
    network TEXT NOT NULL CHECK (network IN ('4g', 'nb-iot')),
    temp_msisdn_index BLOB NOT NULL UNIQUE,
    temp_msisdn_sealed BLOB NOT NULL,
    temp_iccid_index BLOB NOT NULL UNIQUE,
    temp_iccid_sealed BLOB NOT NULL,
    temp_imsi_index BLOB NOT NULL UNIQUE,
    temp_imsi_sealed BLOB NOT NULL,
    temp_opened_on TEXT NOT NULL,
    temp_expires_at INTEGER NOT NULL,
    allowance_bytes INTEGER NOT NULL CHECK (allowance_bytes >= 0),
    used_bytes INTEGER NOT NULL CHECK (used_bytes >= 0),
    imei_sealed BLOB,
    psk_identity_index BLOB UNIQUE,
    psk_identity_sealed BLOB,
    key_version INTEGER NOT NULL,
    psk_sealed BLOB,
    dek_sealed BLOB,
    status INTEGER NOT NULL CHECK (status BETWEEN 1 AND 6),
    faulty INTEGER NOT NULL CHECK (faulty IN (0, 1)),
    imported_digest BLOB NOT NULL,
    imported_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX chip_client ON chip (client_id);

-- A reserved number belongs to the chip in eid_index. While task_id is set that task writes it; when
-- task_id is null it is held: part of it may have reached the chip (exposed), so that nobody else may
-- get it before that chip is known to hold another number.
CREATE TABLE number (
    iccid_index BLOB PRIMARY KEY,
    iccid_sealed BLOB NOT NULL,
    msisdn_index BLOB NOT NULL UNIQUE,
    msisdn_sealed BLOB NOT NULL,
    imsi_index BLOB NOT NULL UNIQUE,
    imsi_sealed BLOB NOT NULL,
    province TEXT NOT NULL,
    smsc TEXT,
    services TEXT NOT NULL,
    client_id TEXT REFERENCES client (id),
    k_sealed BLOB NOT NULL,
    opc_sealed BLOB NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('available', 'allotted', 'reserved', 'written', 'suspended', 'retired')),
    eid_index BLOB REFERENCES chip (eid_index),
    task_id TEXT REFERENCES task (id) DEFERRABLE INITIALLY DEFERRED,
    exposed INTEGER NOT NULL CHECK (exposed IN (0, 1)),
    written_at INTEGER,
    imported_digest BLOB NOT NULL,
    imported_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX number_pool ON number (province, imported_at, iccid_index) WHERE status = 'available';

CREATE INDEX number_chip ON number (eid_index) WHERE eid_index IS NOT NULL;

CREATE INDEX number_task ON number (task_id) WHERE task_id IS NOT NULL;

CREATE TABLE task (
    id TEXT PRIMARY KEY,
    eid_index BLOB NOT NULL REFERENCES chip (eid_index),
    seq INTEGER NOT NULL,
    client_id TEXT NOT NULL REFERENCES client (id),
    write_type INTEGER NOT NULL CHECK (write_type IN (0, 1)),
    province TEXT,
    iccid_index BLOB NOT NULL REFERENCES number (iccid_index),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'writing', 'succeeded', 'failed', 'cancelled')),
    next_work TEXT NOT NULL CHECK (next_work IN ('write', 'verify')),
    attempt INTEGER NOT NULL,
    step INTEGER NOT NULL,
    progress INTEGER NOT NULL CHECK (progress BETWEEN 0 AND 100),
    failure TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    changed_at INTEGER NOT NULL,
    UNIQUE (eid_index, seq)
) STRICT;

CREATE UNIQUE INDEX task_open ON task (eid_index) WHERE state IN ('waiting', 'writing');

CREATE TABLE card_history (
    eid_index BLOB NOT NULL REFERENCES chip (eid_index),
    seq INTEGER NOT NULL,
    from_status INTEGER,
    to_status INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    task_id TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (eid_index, seq)
) STRICT;

CREATE TABLE device_session (
    id TEXT PRIMARY KEY,
    eid_index BLOB NOT NULL REFERENCES chip (eid_index),
    task_id TEXT REFERENCES task (id),
    work TEXT NOT NULL CHECK (work IN ('write', 'verify', 'none')),
    attempt INTEGER NOT NULL,
    resume_step INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'superseded', 'closed')),
    resumed INTEGER NOT NULL CHECK (resumed IN (0, 1)),
    peer TEXT NOT NULL,
    agent_sealed BLOB,
    allowance_at_open INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    bytes_up INTEGER NOT NULL,
    bytes_down INTEGER NOT NULL,
    charged INTEGER NOT NULL CHECK (charged IN (0, 1)),
    note_sealed BLOB,
    opened_at INTEGER NOT NULL,
    reported_at INTEGER,
    closed_at INTEGER
) STRICT;

CREATE UNIQUE INDEX device_session_open ON device_session (eid_index) WHERE state = 'open';

CREATE INDEX device_session_chip ON device_session (eid_index, opened_at);

CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES client (id),
    task_id TEXT NOT NULL REFERENCES task (id),
    body_sealed BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;

CREATE INDEX outbox_due ON outbox (next_at, id) WHERE state = 'pending';

CREATE TABLE outbox_attempt (
    outbox_id TEXT NOT NULL REFERENCES outbox (id),
    attempt INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    accepted INTEGER CHECK (accepted IN (0, 1)),
    http_status INTEGER,
    error TEXT,
    PRIMARY KEY (outbox_id, attempt)
) STRICT;

CREATE TABLE incident (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;

CREATE UNIQUE INDEX incident_open ON incident (kind, subject) WHERE closed_at IS NULL;
