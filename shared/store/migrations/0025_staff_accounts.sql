-- People and programs that run the platform. The name of a person and the secret of the second factor are sealed.
CREATE TABLE staff_account (
    id TEXT PRIMARY KEY,
    sign_in_name TEXT NOT NULL,
    name_sealed BLOB NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    -- Argon2id, as a PHC string; none until the person has chosen a password.
    password_hash TEXT,
    totp_sealed BLOB,
    -- The last step of time whose one-time code was taken.
    totp_step INTEGER NOT NULL DEFAULT 0,
    -- Hash of the code with which the person chooses a password, and its end.
    enrolment_hash BLOB,
    enrolment_ends_at INTEGER,
    -- The last time that the person signed in; none before the first.
    signed_in_at INTEGER,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX staff_account_sign_in_name ON staff_account (sign_in_name);

CREATE UNIQUE INDEX staff_account_enrolment ON staff_account (enrolment_hash) WHERE enrolment_hash IS NOT NULL;

-- Roles besides those that are built in.
CREATE TABLE staff_role (
    code TEXT PRIMARY KEY,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    -- JSON list of the names of rights.
    rights TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE staff_account_role (
    account_id TEXT NOT NULL REFERENCES staff_account (id),
    -- The code of a role that is built in, or of a row of staff_role.
    role TEXT NOT NULL,
    PRIMARY KEY (account_id, role)
) STRICT;

CREATE INDEX staff_account_role_role ON staff_account_role (role);

-- Sessions of people who signed in, and API keys.
CREATE TABLE staff_credential (
    hash BLOB PRIMARY KEY,
    id TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES staff_account (id),
    kind TEXT NOT NULL CHECK (kind IN ('session', 'key')),
    -- Of a key, for people.
    label TEXT,
    created_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    -- Of a session: how long it may lie unused, in milliseconds.
    idle_ms INTEGER,
    -- The last use, to a minute.
    used_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE INDEX staff_credential_account ON staff_credential (account_id, kind);
