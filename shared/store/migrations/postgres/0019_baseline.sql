-- The whole schema of version 19 for PostgreSQL: what the SQLite migrations 0001 to 0019 make together. They say what the
-- tables, columns and indexes are for. A database of this engine never had an older version.
--
-- INTEGER is BIGINT, BLOB is BYTEA, and every text is compared bytewise, as SQLite does.

-- Three functions with which PostgreSQL understands the lists of SQLite's statements: json_each over a JSON array, unhex,
-- and ->> on its elements.
CREATE FUNCTION json_each(list TEXT) RETURNS TABLE (key BIGINT, value TEXT) LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    ROWS 100 AS $$ SELECT ordinality - 1, value
    FROM jsonb_array_elements_text(CAST(list AS jsonb)) WITH ORDINALITY AS item (value, ordinality) $$;

CREATE FUNCTION unhex(digits TEXT) RETURNS BYTEA LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT decode(digits, 'hex') $$;

CREATE FUNCTION hex(bytes BYTEA) RETURNS TEXT LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT upper(encode(bytes, 'hex')) $$;

CREATE FUNCTION json_item(list TEXT, at INTEGER) RETURNS TEXT LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT CAST(list AS jsonb) ->> at $$;

CREATE OPERATOR ->> (LEFTARG = TEXT, RIGHTARG = INTEGER, FUNCTION = json_item);

-- Business systems.
CREATE TABLE client (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    phone_index BYTEA NOT NULL,
    phone_sealed BYTEA NOT NULL,
    ips TEXT COLLATE "C" NOT NULL,
    permissions TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'disabled')),
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    limits TEXT COLLATE "C" NOT NULL DEFAULT '{}',
    tokens_from BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX client_phone ON client (phone_index);

CREATE TABLE import (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('chip', 'number')),
    row_count BIGINT NOT NULL,
    imported_count BIGINT NOT NULL,
    unchanged_count BIGINT NOT NULL,
    corrected_count BIGINT NOT NULL,
    rejected_count BIGINT NOT NULL,
    removed_count BIGINT NOT NULL DEFAULT 0,
    person_sealed BYTEA,
    note_sealed BYTEA,
    imported_at BIGINT NOT NULL,
    withdrawn_at BIGINT
);

-- One row per eUICC.
CREATE TABLE chip (
    eid_index BYTEA PRIMARY KEY,
    eid_sealed BYTEA NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL REFERENCES client (id),
    chip_model TEXT COLLATE "C" NOT NULL,
    profile TEXT COLLATE "C" NOT NULL,
    network TEXT COLLATE "C" NOT NULL CHECK (network IN ('4g', 'nb-iot')),
    temp_msisdn_index BYTEA NOT NULL UNIQUE,
    temp_msisdn_sealed BYTEA NOT NULL,
    temp_iccid_index BYTEA NOT NULL UNIQUE,
    temp_iccid_sealed BYTEA NOT NULL,
    temp_imsi_index BYTEA NOT NULL UNIQUE,
    temp_imsi_sealed BYTEA NOT NULL,
    temp_opened_on TEXT COLLATE "C" NOT NULL,
    temp_expires_at BIGINT NOT NULL,
    allowance_bytes BIGINT NOT NULL CHECK (allowance_bytes >= 0),
    used_bytes BIGINT NOT NULL CHECK (used_bytes >= 0),
    imei_sealed BYTEA,
    psk_identity_index BYTEA UNIQUE,
    psk_identity_sealed BYTEA,
    key_version BIGINT NOT NULL,
    psk_sealed BYTEA,
    dek_sealed BYTEA,
    status BIGINT NOT NULL CHECK (status BETWEEN 1 AND 6),
    faulty BIGINT NOT NULL CHECK (faulty IN (0, 1)),
    imported_digest BYTEA NOT NULL,
    imported_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    faulty_at BIGINT,
    temp_stage BIGINT NOT NULL DEFAULT 0 CHECK (temp_stage IN (0, 1, 2)),
    temp_next_at BIGINT,
    reopened BIGINT NOT NULL DEFAULT 0 CHECK (reopened IN (0, 1)),
    import_id TEXT COLLATE "C" REFERENCES import (id) DEFERRABLE INITIALLY DEFERRED,
    blocked BIGINT NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1)),
    replaced BIGINT NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1)),
    half_used_at BIGINT,
    failed_handshakes BIGINT NOT NULL DEFAULT 0,
    handshake_failed_at BIGINT,
    handshake_failure TEXT COLLATE "C"
);

CREATE INDEX chip_client ON chip (client_id);

CREATE INDEX chip_temp_next ON chip (temp_next_at) WHERE temp_next_at IS NOT NULL;

CREATE INDEX chip_import ON chip (import_id) WHERE import_id IS NOT NULL;

-- A reserved number belongs to the chip in eid_index. While task_id is set that task writes it; when task_id is null it
-- is held: part of it may have reached the chip (exposed), so that nobody else may get it before that chip is known to
-- hold another number.
CREATE TABLE number (
    iccid_index BYTEA PRIMARY KEY,
    iccid_sealed BYTEA NOT NULL,
    msisdn_index BYTEA NOT NULL UNIQUE,
    msisdn_sealed BYTEA NOT NULL,
    imsi_index BYTEA NOT NULL UNIQUE,
    imsi_sealed BYTEA NOT NULL,
    province TEXT COLLATE "C" NOT NULL,
    smsc TEXT COLLATE "C",
    services TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" REFERENCES client (id),
    k_sealed BYTEA NOT NULL,
    opc_sealed BYTEA NOT NULL,
    status TEXT COLLATE "C" NOT NULL
        CHECK (status IN ('available', 'allotted', 'reserved', 'written', 'suspended', 'retired')),
    eid_index BYTEA REFERENCES chip (eid_index),
    task_id TEXT COLLATE "C",
    exposed BIGINT NOT NULL CHECK (exposed IN (0, 1)),
    written_at BIGINT,
    imported_digest BYTEA NOT NULL,
    imported_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    open_time BIGINT,
    open_time_as_of BIGINT,
    status_as_of BIGINT,
    replaced BIGINT NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1)),
    import_id TEXT COLLATE "C" REFERENCES import (id) DEFERRABLE INITIALLY DEFERRED,
    replaces_index BYTEA REFERENCES number (iccid_index),
    sole_session TEXT COLLATE "C"
);

CREATE INDEX number_pool ON number (province, imported_at, iccid_index) WHERE status = 'available';

CREATE INDEX number_chip ON number (eid_index) WHERE eid_index IS NOT NULL;

CREATE INDEX number_task ON number (task_id) WHERE task_id IS NOT NULL;

CREATE INDEX number_retired_in_task ON number (task_id)
    WHERE status = 'retired' AND task_id IS NOT NULL AND written_at IS NULL;

CREATE INDEX number_import ON number (import_id) WHERE import_id IS NOT NULL;

CREATE INDEX number_replaces ON number (replaces_index) WHERE replaces_index IS NOT NULL;

-- Applications and their execution.
CREATE TABLE task (
    id TEXT COLLATE "C" PRIMARY KEY,
    eid_index BYTEA NOT NULL REFERENCES chip (eid_index),
    seq BIGINT NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL REFERENCES client (id),
    write_type BIGINT NOT NULL CHECK (write_type IN (0, 1)),
    province TEXT COLLATE "C",
    iccid_index BYTEA NOT NULL REFERENCES number (iccid_index),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'writing', 'succeeded', 'failed', 'cancelled')),
    next_work TEXT COLLATE "C" NOT NULL CHECK (next_work IN ('write', 'verify')),
    attempt BIGINT NOT NULL,
    step BIGINT NOT NULL,
    progress BIGINT NOT NULL CHECK (progress BETWEEN 0 AND 100),
    failure TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    changed_at BIGINT NOT NULL,
    stuck BIGINT NOT NULL DEFAULT 0 CHECK (stuck IN (0, 1)),
    returned_at BIGINT,
    gateway TEXT COLLATE "C",
    UNIQUE (eid_index, seq)
);

CREATE UNIQUE INDEX task_open ON task (eid_index) WHERE state IN ('waiting', 'writing');

CREATE INDEX task_in_writing ON task (started_at) WHERE state = 'writing' AND next_work = 'write';

CREATE INDEX task_number ON task (iccid_index);

CREATE INDEX task_writing ON task (changed_at) WHERE state = 'writing' AND stuck = 0;

CREATE INDEX task_stuck_changed ON task (changed_at) WHERE state = 'writing' AND stuck = 1;

CREATE INDEX task_stuck ON task (started_at) WHERE state = 'writing' AND stuck = 1;

CREATE INDEX task_started ON task (started_at) WHERE state <> 'waiting';

CREATE TABLE card_history (
    eid_index BYTEA NOT NULL REFERENCES chip (eid_index),
    seq BIGINT NOT NULL,
    from_status BIGINT,
    to_status BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    task_id TEXT COLLATE "C",
    at BIGINT NOT NULL,
    person_sealed BYTEA,
    note_sealed BYTEA,
    PRIMARY KEY (eid_index, seq)
);

CREATE TABLE device_session (
    id TEXT COLLATE "C" PRIMARY KEY,
    eid_index BYTEA NOT NULL REFERENCES chip (eid_index),
    task_id TEXT COLLATE "C" REFERENCES task (id),
    work TEXT COLLATE "C" NOT NULL CHECK (work IN ('write', 'verify', 'none')),
    attempt BIGINT NOT NULL,
    resume_step BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'superseded', 'closed')),
    resumed BIGINT NOT NULL CHECK (resumed IN (0, 1)),
    peer TEXT COLLATE "C" NOT NULL,
    agent_sealed BYTEA,
    allowance_at_open BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    bytes_up BIGINT NOT NULL,
    bytes_down BIGINT NOT NULL,
    charged BIGINT NOT NULL CHECK (charged IN (0, 1)),
    note_sealed BYTEA,
    opened_at BIGINT NOT NULL,
    reported_at BIGINT,
    closed_at BIGINT,
    end_reason TEXT COLLATE "C",
    iccid_index BYTEA,
    other_imsi BIGINT CHECK (other_imsi IN (0, 1)),
    power_up TEXT COLLATE "C"
);

CREATE UNIQUE INDEX device_session_open ON device_session (eid_index) WHERE state = 'open';

CREATE INDEX device_session_chip ON device_session (eid_index, opened_at);

CREATE INDEX device_session_closed ON device_session (closed_at) WHERE closed_at IS NOT NULL;

CREATE INDEX device_session_opened ON device_session (opened_at, id);

CREATE INDEX device_session_end_reason ON device_session (end_reason, opened_at, id) WHERE end_reason IS NOT NULL;

CREATE TABLE incident (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    severity TEXT COLLATE "C" NOT NULL DEFAULT 'general' CHECK (severity IN ('general', 'severe')),
    since BIGINT NOT NULL DEFAULT 0,
    severe_at BIGINT,
    handle_by BIGINT,
    opened_by TEXT COLLATE "C" NOT NULL DEFAULT 'platform' CHECK (opened_by IN ('platform', 'admin')),
    settled_by TEXT COLLATE "C" CHECK (settled_by IN ('platform', 'admin')),
    reported_at BIGINT,
    final_report_at BIGINT,
    notices BIGINT NOT NULL DEFAULT 0,
    next_check_at BIGINT,
    note_sealed BYTEA,
    settlement_sealed BYTEA,
    report_sealed BYTEA,
    final_report_sealed BYTEA,
    reporter TEXT COLLATE "C" CHECK (reporter IN ('client'))
);

CREATE UNIQUE INDEX incident_open ON incident (kind, subject) WHERE closed_at IS NULL;

CREATE INDEX incident_check ON incident (next_check_at) WHERE next_check_at IS NOT NULL;

CREATE INDEX incident_opened ON incident (opened_at);

CREATE INDEX incident_open_id ON incident (id) WHERE closed_at IS NULL;

CREATE TABLE client_secret (
    client_id TEXT COLLATE "C" NOT NULL REFERENCES client (id),
    generation BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    PRIMARY KEY (client_id, generation)
);

CREATE TABLE call_rate (
    client_id TEXT COLLATE "C" NOT NULL,
    interface TEXT COLLATE "C" NOT NULL,
    full_at BIGINT NOT NULL,
    PRIMARY KEY (client_id, interface)
);

CREATE TABLE call_log (
    id BIGINT PRIMARY KEY,
    client_id TEXT COLLATE "C",
    interface TEXT COLLATE "C" NOT NULL,
    code BIGINT NOT NULL,
    reason TEXT COLLATE "C",
    address TEXT COLLATE "C",
    duration_us BIGINT NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    eid_index BYTEA,
    task_id TEXT COLLATE "C",
    subject TEXT COLLATE "C",
    secret_generation BIGINT,
    calls BIGINT,
    first_at BIGINT,
    last_at BIGINT,
    gap_ms BIGINT,
    reasons TEXT COLLATE "C"
);

CREATE INDEX call_log_client ON call_log (client_id, id) WHERE client_id IS NOT NULL;

CREATE INDEX call_log_eid ON call_log (eid_index, id) WHERE eid_index IS NOT NULL;

CREATE INDEX call_log_task ON call_log (task_id, id) WHERE task_id IS NOT NULL;

CREATE TABLE number_usage (
    iccid_index BYTEA PRIMARY KEY REFERENCES number (iccid_index),
    total_bytes BIGINT NOT NULL CHECK (total_bytes >= 0),
    used_bytes BIGINT NOT NULL CHECK (used_bytes >= 0),
    as_of BIGINT NOT NULL,
    received_at BIGINT NOT NULL
);

CREATE TABLE number_location (
    iccid_index BYTEA PRIMARY KEY REFERENCES number (iccid_index),
    city TEXT COLLATE "C" NOT NULL,
    as_of BIGINT NOT NULL,
    received_at BIGINT NOT NULL
);

CREATE TABLE operator_inquiry (
    iccid_index BYTEA NOT NULL REFERENCES number (iccid_index),
    topic TEXT COLLATE "C" NOT NULL CHECK (topic IN ('usage', 'location', 'status', 'open_time')),
    asked_at BIGINT NOT NULL,
    answered BIGINT NOT NULL CHECK (answered IN (0, 1)),
    PRIMARY KEY (iccid_index, topic)
);

CREATE TABLE receiver (
    id TEXT COLLATE "C" PRIMARY KEY,
    client_id TEXT COLLATE "C" REFERENCES client (id),
    url TEXT COLLATE "C",
    entered_at BIGINT NOT NULL,
    failing_since BIGINT,
    stopped_at BIGINT,
    stopped_for TEXT COLLATE "C" CHECK (stopped_for IN ('gone', 'failing')),
    changed_at BIGINT NOT NULL,
    changes TEXT COLLATE "C",
    allow_http BIGINT NOT NULL DEFAULT 0 CHECK (allow_http IN (0, 1))
);

CREATE TABLE receiver_secret (
    receiver_id TEXT COLLATE "C" NOT NULL REFERENCES receiver (id),
    generation BIGINT NOT NULL,
    secret_sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (receiver_id, generation)
);

CREATE TABLE message (
    id TEXT COLLATE "C" PRIMARY KEY,
    receiver_id TEXT COLLATE "C" NOT NULL REFERENCES receiver (id),
    topic TEXT COLLATE "C" NOT NULL,
    task_id TEXT COLLATE "C" REFERENCES task (id),
    body_sealed BYTEA NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts BIGINT NOT NULL,
    attempts_from BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    eid_index BYTEA REFERENCES chip (eid_index),
    chip_seq BIGINT NOT NULL DEFAULT 0,
    unaddressed BIGINT NOT NULL DEFAULT 0 CHECK (unaddressed IN (0, 1))
);

CREATE INDEX message_due ON message (receiver_id, next_at, id) WHERE state = 'pending';

CREATE INDEX message_leased ON message (receiver_id, lease_until) WHERE state = 'pending' AND lease_until > 0;

CREATE INDEX message_receiver ON message (receiver_id, id);

CREATE INDEX message_dead ON message (receiver_id, id) WHERE state = 'dead';

CREATE INDEX message_failed ON message (finished_at, id) WHERE state = 'dead';

CREATE INDEX message_finished ON message (finished_at) WHERE finished_at IS NOT NULL;

CREATE INDEX message_chip ON message (eid_index, chip_seq, id);

CREATE TABLE message_attempt (
    message_id TEXT COLLATE "C" NOT NULL REFERENCES message (id),
    attempt BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    accepted BIGINT CHECK (accepted IN (0, 1)),
    http_status BIGINT,
    error TEXT COLLATE "C",
    PRIMARY KEY (message_id, attempt)
);

CREATE TABLE alert (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    body_sealed BYTEA NOT NULL,
    at BIGINT NOT NULL,
    noted_at BIGINT
);

CREATE INDEX alert_open ON alert (id) WHERE noted_at IS NULL;

CREATE INDEX alert_noted ON alert (noted_at) WHERE noted_at IS NOT NULL;

CREATE TABLE job (
    name TEXT COLLATE "C" PRIMARY KEY,
    ran_at BIGINT,
    succeeded_at BIGINT,
    failing_since BIGINT,
    failures BIGINT NOT NULL,
    error TEXT COLLATE "C"
);

CREATE TABLE destruction (
    day TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (day, kind)
);

CREATE TABLE monthly_review (
    month TEXT COLLATE "C" PRIMARY KEY,
    body TEXT COLLATE "C" NOT NULL,
    made_at BIGINT NOT NULL
);

CREATE TABLE temporary_number_history (
    eid_index BYTEA NOT NULL REFERENCES chip (eid_index),
    seq BIGINT NOT NULL,
    msisdn_sealed BYTEA NOT NULL,
    iccid_sealed BYTEA NOT NULL,
    opened_on TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    replaced_at BIGINT NOT NULL,
    PRIMARY KEY (eid_index, seq)
);

CREATE TABLE pool_level (
    province TEXT COLLATE "C" PRIMARY KEY,
    low_water BIGINT CHECK (low_water >= 0),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('ok', 'low', 'empty')),
    level BIGINT NOT NULL CHECK (level >= 0),
    changed_at BIGINT NOT NULL
);

CREATE TABLE key_check (
    name TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL,
    stored_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL DEFAULT 0,
    retired_at BIGINT
);

CREATE TABLE chip_destruction (
    eid_index BYTEA PRIMARY KEY REFERENCES chip (eid_index),
    destroyed_on TEXT COLLATE "C" NOT NULL,
    person_sealed BYTEA NOT NULL,
    reference_sealed BYTEA NOT NULL,
    recorded_at BIGINT NOT NULL
);

CREATE TABLE chip_fault (
    eid_index BYTEA NOT NULL REFERENCES chip (eid_index),
    seq BIGINT NOT NULL,
    fault TEXT COLLATE "C" NOT NULL,
    status_word TEXT COLLATE "C",
    chip_model TEXT COLLATE "C" NOT NULL,
    firmware TEXT COLLATE "C",
    entered_at BIGINT NOT NULL,
    removed_at BIGINT,
    PRIMARY KEY (eid_index, seq)
);

CREATE INDEX chip_fault_entered ON chip_fault (entered_at, eid_index, seq);

CREATE UNIQUE INDEX chip_fault_present ON chip_fault (eid_index) WHERE removed_at IS NULL;

CREATE TABLE unserved_application (
    month TEXT COLLATE "C" NOT NULL,
    province TEXT COLLATE "C" NOT NULL,
    applications BIGINT NOT NULL CHECK (applications > 0),
    PRIMARY KEY (month, province)
);

CREATE TABLE call_log_day (
    day BIGINT PRIMARY KEY
);

CREATE TABLE reseal (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    key_id BIGINT NOT NULL,
    place BIGINT NOT NULL,
    after BYTEA NOT NULL,
    after_seq BIGINT NOT NULL,
    unopened BIGINT NOT NULL,
    began_at BIGINT NOT NULL,
    done_at BIGINT
);

CREATE TABLE clock (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    trusted_at BIGINT,
    left_at BIGINT,
    held_at BIGINT,
    watched BIGINT NOT NULL DEFAULT 0 CHECK (watched IN (0, 1))
);

CREATE TABLE clock_confirmation (
    id TEXT COLLATE "C" PRIMARY KEY,
    confirmed_at BIGINT NOT NULL,
    person_sealed BYTEA NOT NULL,
    note_sealed BYTEA NOT NULL
);

CREATE TABLE gateway (
    name TEXT COLLATE "C" PRIMARY KEY,
    instance TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    profiles TEXT COLLATE "C" NOT NULL,
    key_versions TEXT COLLATE "C" NOT NULL,
    announced_at BIGINT NOT NULL
);

-- A number and the task that writes it name each other; the second one is checked when the transaction commits.
ALTER TABLE number ADD FOREIGN KEY (task_id) REFERENCES task (id) DEFERRABLE INITIALLY DEFERRED;

-- The call log: a partition for each day, which statements name. The table call_log holds on SQLite what is from before
-- there was a table for each day; here it stays empty.
CREATE TABLE call_log_by_day (LIKE call_log) PARTITION BY RANGE (id);

ALTER TABLE call_log_by_day ADD PRIMARY KEY (id);

CREATE INDEX call_log_by_day_client ON call_log_by_day (client_id, id) WHERE client_id IS NOT NULL;

CREATE INDEX call_log_by_day_eid ON call_log_by_day (eid_index, id) WHERE eid_index IS NOT NULL;

CREATE INDEX call_log_by_day_task ON call_log_by_day (task_id, id) WHERE task_id IS NOT NULL;

CREATE INDEX call_log_by_day_refused ON call_log_by_day (reason, id) WHERE client_id IS NOT NULL AND reason IS NOT NULL;

-- Makes the partition call_log_<day>, unless it is there. A key begins with the milliseconds of its call, above 22 bits.
CREATE FUNCTION create_call_log_day(name TEXT) RETURNS BIGINT LANGUAGE plpgsql AS $$
    DECLARE day BIGINT := CAST(substr(name, 10) AS BIGINT); ms BIGINT := 86400000 * 4194304::BIGINT; BEGIN
    PERFORM pg_advisory_xact_lock(8246734119); IF to_regclass(name) IS NULL THEN
    EXECUTE format('CREATE TABLE %I PARTITION OF call_log_by_day FOR VALUES FROM (%s) TO (%s)', name, day * ms,
    (day + 1) * ms); END IF; RETURN day; END $$;
