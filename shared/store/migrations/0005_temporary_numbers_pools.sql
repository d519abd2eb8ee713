-- What is told about the test periods of temporary numbers (§5.3.1.3) and about the pools of operator numbers (§5.3.1.1).

-- What was told about the present period: 0 nothing, 1 that it ends soon, 2 that it is over.
ALTER TABLE chip ADD COLUMN temp_stage INTEGER NOT NULL DEFAULT 0 CHECK (temp_stage IN (0, 1, 2));

-- When there is something to tell next; null when there is nothing, as for every chip that is written.
ALTER TABLE chip ADD COLUMN temp_next_at INTEGER;

-- 30 days before the end; status 4 is 写卡成功.
UPDATE chip SET temp_next_at = temp_expires_at - 2592000000 WHERE status <> 4;

CREATE INDEX chip_temp_next ON chip (temp_next_at) WHERE temp_next_at IS NOT NULL;

-- The temporary numbers a chip had before its present one.
CREATE TABLE temporary_number_history (
    eid_index BLOB NOT NULL REFERENCES chip (eid_index),
    seq INTEGER NOT NULL,
    msisdn_sealed BLOB NOT NULL,
    iccid_sealed BLOB NOT NULL,
    opened_on TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    replaced_at INTEGER NOT NULL,
    PRIMARY KEY (eid_index, seq)
) STRICT;

-- The pools that are watched. level is what was counted last, up to the mark at which more makes no difference.
CREATE TABLE pool_level (
    province TEXT PRIMARY KEY,
    low_water INTEGER CHECK (low_water >= 0),
    state TEXT NOT NULL CHECK (state IN ('ok', 'low', 'empty')),
    level INTEGER NOT NULL CHECK (level >= 0),
    changed_at INTEGER NOT NULL
) STRICT;

INSERT INTO pool_level (province, state, level, changed_at)
    SELECT province, 'ok', 0, MIN(imported_at) FROM number WHERE client_id IS NULL GROUP BY province;
