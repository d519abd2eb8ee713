-- The statements of applications, sessions, reports and status queries, as functions. Spin keeps no plan of a statement,
-- and planning one of them takes the server longer than carrying it out; it keeps the plans of what is in a function for
-- as long as a connection lives.
--
-- Each function is the text that SQLite runs, with the same parameters, and is named where that text stands. One that
-- writes returns how many rows it changed, or 1 where nobody asks. A statement that changes gets a function of another name
-- in a later version: programs of both versions run while one is taking the other's place.

CREATE FUNCTION number_take_allotted(BYTEA, TEXT, BIGINT, BYTEA, TEXT, OUT changed BIGINT) LANGUAGE plpgsql AS $$
    BEGIN WITH done AS (UPDATE number SET status = 'reserved', eid_index = $1, task_id = $2, changed_at = $3 WHERE
    status = 'allotted' AND quarantined = 0 AND iccid_index = $4 AND client_id = $5 RETURNING iccid_index, province)
    SELECT COUNT(*) INTO changed FROM done; END $$;

CREATE FUNCTION number_take_held(TEXT, BIGINT, BYTEA, BYTEA, OUT changed BIGINT) LANGUAGE plpgsql AS $$ BEGIN WITH
    done AS (UPDATE number SET task_id = $1, changed_at = $2 WHERE status = 'reserved' AND quarantined = 0 AND
    iccid_index = $3 AND eid_index = $4 AND task_id IS NULL RETURNING iccid_index, province) SELECT COUNT(*) INTO
    changed FROM done; END $$;

CREATE FUNCTION number_expose(BIGINT, TEXT, TEXT, OUT changed BIGINT) LANGUAGE plpgsql AS $$ BEGIN WITH done AS
    (UPDATE number SET exposed = 1, changed_at = $1, sole_session = CASE exposed WHEN 0 THEN $2 END WHERE task_id = $3
    AND status = 'reserved' AND quarantined = 0 RETURNING iccid_index) SELECT COUNT(*) INTO changed FROM done; END $$;

CREATE FUNCTION number_set_written(BIGINT, TEXT, OUT changed BIGINT) LANGUAGE plpgsql AS $$ BEGIN WITH done AS (UPDATE
    number SET status = CASE status WHEN 'reserved' THEN 'written' ELSE status END, written_at = $1, changed_at = $1
    WHERE task_id = $2 AND written_at IS NULL RETURNING iccid_index) SELECT COUNT(*) INTO changed FROM done; END $$;

CREATE FUNCTION card_history_insert(BYTEA, BIGINT, BIGINT, TEXT, TEXT, TEXT, BIGINT, BYTEA, BYTEA, OUT changed BIGINT)
    LANGUAGE plpgsql AS $$ BEGIN WITH done AS (INSERT INTO card_history (eid_index, seq, from_status, to_status,
    actor, reason, task_id, at, person_sealed, note_sealed) VALUES ($1, (SELECT COALESCE(MAX(seq), 0) + 1 FROM
    card_history WHERE eid_index = $1), $2, $3, $4, $5, $6, $7, $8, $9) RETURNING eid_index, seq) SELECT COUNT(*) INTO
    changed FROM done; END $$;

CREATE FUNCTION message_insert(TEXT, TEXT, TEXT, TEXT, BYTEA, TEXT, BIGINT, BYTEA, BIGINT, BIGINT, OUT changed BIGINT)
    LANGUAGE plpgsql AS $$ BEGIN INSERT INTO message (id, receiver_id, topic, task_id, body_sealed, state, attempts,
    next_at, lease_until, created_at, eid_index, chip_seq, unaddressed, finished_at) VALUES ($1, $2, $3, $4, $5, $6,
    0, $7, 0, $7, $8, (SELECT COALESCE(MAX(seq), 0) FROM card_history WHERE eid_index = $8), $9, $10); changed :=
    1; END $$;

CREATE FUNCTION chip_set_status(BIGINT, BIGINT, BYTEA, BIGINT, OUT changed BIGINT) LANGUAGE plpgsql AS $$ BEGIN WITH
    done AS (UPDATE chip SET status = $1, temp_next_at = CASE WHEN CAST($1 AS BIGINT) = 4 THEN NULL ELSE temp_next_at
    END, changed_at = $2 WHERE eid_index = $3 AND status = $4 RETURNING eid_index) SELECT COUNT(*) INTO changed FROM
    done; END $$;

CREATE FUNCTION chip_add_used(BIGINT, BIGINT, BYTEA, OUT changed BIGINT) LANGUAGE plpgsql AS $$ BEGIN UPDATE chip SET
    used_bytes = used_bytes + $1, changed_at = $2 WHERE eid_index = $3; changed := 1; END $$;

CREATE FUNCTION device_session_supersede(BIGINT, BYTEA, OUT changed BIGINT) LANGUAGE plpgsql AS $$ BEGIN WITH done AS
    (UPDATE device_session SET state = 'superseded', closed_at = $1 WHERE eid_index = $2 AND state = 'open' RETURNING
    id) SELECT COUNT(*) INTO changed FROM done; END $$;

CREATE FUNCTION device_session_insert(TEXT, BYTEA, TEXT, TEXT, BIGINT, BIGINT, BIGINT, TEXT, BYTEA, BIGINT, BIGINT,
    BIGINT, BYTEA, OUT changed BIGINT) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO device_session (id, eid_index,
    task_id, work, attempt, resume_step, state, resumed, peer, agent_sealed, allowance_at_open, last_seq, bytes_up,
    bytes_down, charged, opened_at, iccid_index) SELECT $1, $2, $3, $4, $5, $6, 'open', $7, $8, $9, $10, -1, 0, 0,
    $11, $12, $13; changed := 1; END $$;

CREATE FUNCTION device_session_record(BIGINT, BIGINT, BIGINT, BIGINT, BYTEA, TEXT, BIGINT, TEXT, TEXT, BIGINT, OUT
    changed BIGINT) LANGUAGE plpgsql AS $$ BEGIN WITH done AS (UPDATE device_session SET bytes_up = $1, bytes_down =
    $2, reported_at = COALESCE($3, reported_at), last_seq = $4, note_sealed = COALESCE(note_sealed, $5), end_reason =
    COALESCE($6, end_reason), state = CASE WHEN CAST($6 AS TEXT) IS NULL THEN state ELSE 'closed' END, closed_at =
    CASE WHEN CAST($6 AS TEXT) IS NULL THEN closed_at ELSE $7 END WHERE id = $8 AND state = $9 AND last_seq = $10
    RETURNING id) SELECT COUNT(*) INTO changed FROM done; END $$;

CREATE FUNCTION task_insert(TEXT, BYTEA, TEXT, BIGINT, TEXT, BYTEA, BIGINT, OUT changed BIGINT) LANGUAGE plpgsql AS $$
    BEGIN WITH done AS (INSERT INTO task (id, eid_index, seq, client_id, write_type, province, iccid_index, state,
    next_work, attempt, step, progress, created_at, changed_at) VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM
    task WHERE eid_index = $2), $3, $4, COALESCE($5, (SELECT n.province FROM number n WHERE n.iccid_index = $6)), $6,
    'waiting', 'write', 1, 0, 0, $7, $7) ON CONFLICT DO NOTHING RETURNING id) SELECT COUNT(*) INTO changed FROM
    done; END $$;

CREATE FUNCTION task_start(BIGINT, TEXT, TEXT, OUT changed BIGINT) LANGUAGE plpgsql AS $$ BEGIN WITH done AS (UPDATE
    task SET state = 'writing', started_at = $1, changed_at = $1, gateway = $2 WHERE id = $3 AND state = 'waiting'
    RETURNING id) SELECT COUNT(*) INTO changed FROM done; END $$;

CREATE FUNCTION task_progress(BIGINT, BIGINT, BIGINT, TEXT, OUT changed BIGINT) LANGUAGE plpgsql AS $$ BEGIN UPDATE
    task SET step = CASE WHEN step < $1 THEN $1 ELSE step END, progress = CASE WHEN progress < $2 THEN $2 ELSE
    progress END, changed_at = $3 WHERE id = $4 AND state = 'writing' AND next_work = 'write'; changed := 1; END $$;

CREATE FUNCTION task_set_verify(BIGINT, BIGINT, TEXT, OUT changed BIGINT) LANGUAGE plpgsql AS $$ BEGIN WITH done AS
    (UPDATE task SET next_work = 'verify', progress = $1, changed_at = $2 WHERE id = $3 AND state = 'writing' AND
    next_work = 'write' RETURNING id) SELECT COUNT(*) INTO changed FROM done; END $$;

CREATE FUNCTION task_succeed(BIGINT, TEXT, OUT changed BIGINT) LANGUAGE plpgsql AS $$ BEGIN WITH done AS (UPDATE task
    SET state = 'succeeded', progress = 100, finished_at = $1, changed_at = $1 WHERE id = $2 AND state = 'writing' AND
    next_work = 'verify' RETURNING id) SELECT COUNT(*) INTO changed FROM done; END $$;

CREATE FUNCTION card_to_apply(BYTEA) RETURNS TABLE (c1 BYTEA, c2 BYTEA, c3 TEXT, c4 TEXT, c5 TEXT, c6 BIGINT, c7
    BIGINT, c8 BIGINT, c9 BYTEA, c10 BIGINT, c11 BYTEA, c12 BYTEA, c13 BIGINT, c14 BIGINT, c15 BYTEA, c16 BIGINT, c17
    BIGINT, c18 TEXT, c19 BYTEA, c20 TEXT, c21 BIGINT, c22 TEXT, c23 BYTEA, c24 TEXT, c25 TEXT, c26 BIGINT, c27
    BIGINT, c28 BIGINT, c29 TEXT, c30 BIGINT, c31 TEXT, c32 TEXT) LANGUAGE plpgsql ROWS 1 AS $$ BEGIN PERFORM 1 FROM
    chip WHERE eid_index = $1 FOR NO KEY UPDATE; RETURN QUERY SELECT chip.eid_index, chip.eid_sealed, chip.client_id,
    chip.chip_model, chip.profile, chip.temp_expires_at, chip.allowance_bytes, chip.used_bytes,
    chip.psk_identity_index, chip.key_version, chip.psk_sealed, chip.dek_sealed, chip.status, chip.faulty,
    chip.imported_digest, chip.reopened, chip.blocked, task.id, task.eid_index, task.client_id, task.write_type,
    task.province, task.iccid_index, task.state, task.next_work, task.attempt, task.step, task.progress, task.failure,
    task.finished_at, receiver.url, receiver.changes FROM chip LEFT JOIN task ON task.eid_index = chip.eid_index AND
    task.state IN ('waiting', 'writing') LEFT JOIN receiver ON receiver.id = chip.client_id WHERE chip.eid_index =
    $1; END $$;

CREATE FUNCTION card_to_open(TEXT, BYTEA) RETURNS TABLE (c1 BYTEA, c2 BYTEA, c3 TEXT, c4 TEXT, c5 TEXT, c6 BIGINT, c7
    BIGINT, c8 BIGINT, c9 BYTEA, c10 BIGINT, c11 BYTEA, c12 BYTEA, c13 BIGINT, c14 BIGINT, c15 BYTEA, c16 BIGINT, c17
    BIGINT, c18 TEXT, c19 BYTEA, c20 TEXT, c21 BIGINT, c22 TEXT, c23 BYTEA, c24 TEXT, c25 TEXT, c26 BIGINT, c27
    BIGINT, c28 BIGINT, c29 TEXT, c30 BIGINT, c31 TEXT, c32 TEXT, c33 TEXT, c34 BYTEA, c35 TEXT, c36 TEXT, c37 BIGINT,
    c38 BIGINT, c39 TEXT, c40 BIGINT, c41 BIGINT, c42 BIGINT, c43 BIGINT, c44 BIGINT, c45 BYTEA, c46 BIGINT) LANGUAGE
    plpgsql ROWS 1 AS $$ BEGIN PERFORM 1 FROM chip WHERE eid_index = $2 FOR NO KEY UPDATE; RETURN QUERY SELECT
    chip.eid_index, chip.eid_sealed, chip.client_id, chip.chip_model, chip.profile, chip.temp_expires_at,
    chip.allowance_bytes, chip.used_bytes, chip.psk_identity_index, chip.key_version, chip.psk_sealed,
    chip.dek_sealed, chip.status, chip.faulty, chip.imported_digest, chip.reopened, chip.blocked, task.id,
    task.eid_index, task.client_id, task.write_type, task.province, task.iccid_index, task.state, task.next_work,
    task.attempt, task.step, task.progress, task.failure, task.finished_at, receiver.url, receiver.changes,
    device_session.id, device_session.eid_index, device_session.task_id, device_session.work, device_session.attempt,
    device_session.resume_step, device_session.state, device_session.allowance_at_open, device_session.last_seq,
    device_session.bytes_up, device_session.bytes_down, device_session.charged, device_session.iccid_index,
    device_session.resumed FROM chip LEFT JOIN task ON task.eid_index = chip.eid_index AND task.state IN ('waiting',
    'writing') LEFT JOIN receiver ON receiver.id = chip.client_id LEFT JOIN device_session ON device_session.id = $1
    WHERE chip.eid_index = $2; END $$;

CREATE FUNCTION card_reported(TEXT) RETURNS TABLE (c1 BYTEA, c2 BYTEA, c3 TEXT, c4 TEXT, c5 TEXT, c6 BIGINT, c7
    BIGINT, c8 BIGINT, c9 BYTEA, c10 BIGINT, c11 BYTEA, c12 BYTEA, c13 BIGINT, c14 BIGINT, c15 BYTEA, c16 BIGINT, c17
    BIGINT, c18 TEXT, c19 BYTEA, c20 TEXT, c21 BIGINT, c22 TEXT, c23 BYTEA, c24 TEXT, c25 TEXT, c26 BIGINT, c27
    BIGINT, c28 BIGINT, c29 TEXT, c30 BIGINT, c31 TEXT, c32 TEXT, c33 TEXT, c34 BYTEA, c35 TEXT, c36 TEXT, c37 BIGINT,
    c38 BIGINT, c39 TEXT, c40 BIGINT, c41 BIGINT, c42 BIGINT, c43 BIGINT, c44 BIGINT, c45 BYTEA, c46 BIGINT) LANGUAGE
    plpgsql ROWS 1 AS $$ BEGIN RETURN QUERY SELECT chip.eid_index, chip.eid_sealed, chip.client_id, chip.chip_model,
    chip.profile, chip.temp_expires_at, chip.allowance_bytes, chip.used_bytes, chip.psk_identity_index,
    chip.key_version, chip.psk_sealed, chip.dek_sealed, chip.status, chip.faulty, chip.imported_digest, chip.reopened,
    chip.blocked, task.id, task.eid_index, task.client_id, task.write_type, task.province, task.iccid_index,
    task.state, task.next_work, task.attempt, task.step, task.progress, task.failure, task.finished_at, receiver.url,
    receiver.changes, device_session.id, device_session.eid_index, device_session.task_id, device_session.work,
    device_session.attempt, device_session.resume_step, device_session.state, device_session.allowance_at_open,
    device_session.last_seq, device_session.bytes_up, device_session.bytes_down, device_session.charged,
    device_session.iccid_index, device_session.resumed FROM device_session JOIN chip ON chip.eid_index =
    device_session.eid_index LEFT JOIN task ON task.id = device_session.task_id LEFT JOIN receiver ON receiver.id =
    chip.client_id WHERE device_session.id = $1; END $$;

CREATE FUNCTION status_by_eid(BYTEA) RETURNS TABLE (c1 BYTEA, c2 BYTEA, c3 TEXT, c4 BIGINT, c5 TEXT, c6 TEXT, c7 TEXT,
    c8 BIGINT, c9 TEXT, c10 BIGINT, c11 TEXT) LANGUAGE plpgsql ROWS 1 AS $$ BEGIN RETURN QUERY SELECT c.eid_index,
    c.eid_sealed, c.client_id, c.status, t.id, t.client_id, t.state, t.progress, t.failure, t.finished_at, t.id FROM
    chip c LEFT JOIN task t ON t.eid_index = c.eid_index AND t.seq = (SELECT MAX(seq) FROM task WHERE eid_index =
    c.eid_index) WHERE c.eid_index = $1; END $$;

CREATE FUNCTION status_by_task(TEXT) RETURNS TABLE (c1 BYTEA, c2 BYTEA, c3 TEXT, c4 BIGINT, c5 TEXT, c6 TEXT, c7 TEXT,
    c8 BIGINT, c9 TEXT, c10 BIGINT, c11 TEXT) LANGUAGE plpgsql ROWS 1 AS $$ BEGIN RETURN QUERY SELECT c.eid_index,
    c.eid_sealed, c.client_id, c.status, t.id, t.client_id, t.state, t.progress, t.failure, t.finished_at, (SELECT
    l.id FROM task l WHERE l.eid_index = t.eid_index AND l.client_id = t.client_id ORDER BY l.seq DESC LIMIT 1) FROM
    task t JOIN chip c ON c.eid_index = t.eid_index WHERE t.id = $1; END $$;

CREATE FUNCTION number_take_of_province(BYTEA, TEXT, BIGINT, TEXT, TEXT) RETURNS TABLE (c1 BYTEA, c2 INTEGER) LANGUAGE
    plpgsql ROWS 1 AS $$ BEGIN RETURN QUERY UPDATE number SET status = 'reserved', eid_index = $1, task_id = $2,
    changed_at = $3 WHERE status IN ('available', 'reserved') AND task_id IS NULL AND iccid_index = COALESCE( (SELECT
    iccid_index FROM number WHERE eid_index = $1 AND status = 'reserved' AND task_id IS NULL AND client_id IS NULL AND
    quarantined = 0 AND province = $4 ORDER BY changed_at DESC, iccid_index LIMIT 1), (SELECT iccid_index FROM number
    WHERE status = 'available' AND quarantined = 0 AND province = $4 ORDER BY imported_at, iccid_index LIMIT 1 FOR
    UPDATE SKIP LOCKED)) RETURNING iccid_index, CASE WHEN exposed = 0 AND (EXISTS (SELECT 1 FROM pool_level WHERE
    province = $4 AND state = 'empty') OR EXISTS (SELECT 1 FROM incident WHERE kind = $5 AND subject = 'province:' ||
    $4 AND closed_at IS NULL)) THEN 1 ELSE 0 END; END $$;

CREATE FUNCTION number_take_after_others(BYTEA, TEXT, BIGINT, TEXT, TEXT) RETURNS TABLE (c1 BYTEA, c2 INTEGER)
    LANGUAGE plpgsql ROWS 1 AS $$ BEGIN RETURN QUERY UPDATE number SET status = 'reserved', eid_index = $1, task_id =
    $2, changed_at = $3 WHERE status IN ('available', 'reserved') AND task_id IS NULL AND iccid_index = COALESCE(
    (SELECT iccid_index FROM number WHERE eid_index = $1 AND status = 'reserved' AND task_id IS NULL AND client_id IS
    NULL AND quarantined = 0 AND province = $4 ORDER BY changed_at DESC, iccid_index LIMIT 1), (SELECT iccid_index
    FROM number WHERE status = 'available' AND quarantined = 0 AND province = $4 ORDER BY imported_at, iccid_index
    LIMIT 1 FOR UPDATE)) RETURNING iccid_index, CASE WHEN exposed = 0 AND (EXISTS (SELECT 1 FROM pool_level WHERE
    province = $4 AND state = 'empty') OR EXISTS (SELECT 1 FROM incident WHERE kind = $5 AND subject = 'province:' ||
    $4 AND closed_at IS NULL)) THEN 1 ELSE 0 END; END $$;

-- Bytes that a session has used change nothing that an index of chip contains, so that a report writes one page instead of
-- one of each index, where the page of the chip has room.
DROP INDEX chip_replaced;

CREATE INDEX chip_replaced ON chip (eid_index) WHERE replaced = 1;

ALTER TABLE chip SET (fillfactor = 90);

-- A number that is taken leaves an entry in the index of its pool, and whoever takes the next one steps over all of them:
-- 50,000 cost a millisecond. By default they would stay until a fifth of all numbers has changed.
ALTER TABLE number SET (autovacuum_vacuum_scale_factor = 0.02, vacuum_index_cleanup = on);
