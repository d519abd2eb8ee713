//! The columns of table `chip` that hold its temporary number and the notices about its test period (§5.3.1.3), and
//! table `temporary_number_history`: the numbers it had before.

use jiff::civil::Date;

use super::{Database, DbError, Held, Row, Run as _, Tx, first, not_a};
use domain::{CardStatus, Network, Timestamp, Volume, parse_date};
use vault::{BlindIndex, Column};

/// Sealed column: a former temporary number; its row is [`PastRow::row`].
pub const PAST_MSISDN: Column = Column("temporary_number_history.msisdn");
/// Sealed column: ICCID of a former temporary number.
pub const PAST_ICCID: Column = Column("temporary_number_history.iccid");

// A period that ended before its warning was given gets only the notice of its end. That of a card that waits for
// power-up (2) comes after its task has ended, which is found by the same index.
macro_rules! ending {
    () => {
        "FROM chip WHERE temp_next_at <= $1 AND temp_stage = 0 AND temp_expires_at > $1"
    };
}
macro_rules! ended {
    () => {
        "FROM chip WHERE temp_next_at <= $1 AND temp_stage < 2 AND temp_expires_at <= $1 AND status <> 2"
    };
}

const DUE: &str = concat!(
    "SELECT EXISTS (SELECT 1 ",
    ending!(),
    ") AS ending, EXISTS (SELECT 1 ",
    ended!(),
    ") AS ended"
);
const TAKE_ENDING: &str = concat!(
    "UPDATE chip SET temp_stage = 1, temp_next_at = temp_expires_at WHERE temp_stage = 0 AND eid_index IN \
     (SELECT eid_index ",
    ending!(),
    " ORDER BY temp_next_at LIMIT $2) RETURNING eid_index, eid_sealed, temp_expires_at"
);
const TAKE_ENDED: &str = concat!(
    "UPDATE chip SET temp_stage = 2, temp_next_at = NULL WHERE temp_stage < 2 AND eid_index IN (SELECT eid_index ",
    ended!(),
    " ORDER BY temp_next_at LIMIT $2) RETURNING eid_index, eid_sealed, temp_expires_at"
);
const FORGET: &str = "UPDATE chip SET temp_next_at = NULL WHERE eid_index = $1 AND temp_next_at IS NOT NULL";
const FIND: &str = "SELECT network, temp_msisdn_index, temp_msisdn_sealed, temp_iccid_index, temp_iccid_sealed, \
    temp_imsi_index, temp_opened_on, temp_expires_at FROM chip WHERE eid_index = $1";
// A chip that needs its temporary number no more: it is written, or another chip took its place, or it is destroyed.
macro_rules! is_free {
    () => {
        "(status = 4 OR reopened = 1 OR replaced = 1 OR EXISTS (SELECT 1 FROM chip_destruction d \
         WHERE d.eid_index = chip.eid_index))"
    };
}
const HELD: &str = concat!(
    "SELECT temp_msisdn_index, temp_iccid_index, temp_imsi_index, eid_index, eid_sealed FROM chip \
     WHERE (temp_msisdn_index = $1 OR temp_iccid_index = $2 OR temp_imsi_index = $3 OR psk_identity_index = $4) \
     AND eid_index <> $5 AND (psk_identity_index = $4 OR NOT ",
    is_free!(),
    ") LIMIT 1"
);
// The columns are unique, so a chip that gives a value up gets the index of its EID in its place: no value has that. A
// chip that is not written and comes back needs another number before it can be applied for.
const RELEASE: &str = concat!(
    "UPDATE chip SET temp_msisdn_index = CASE temp_msisdn_index WHEN $1 THEN eid_index ELSE temp_msisdn_index END, \
     temp_iccid_index = CASE temp_iccid_index WHEN $2 THEN eid_index ELSE temp_iccid_index END, \
     temp_imsi_index = CASE temp_imsi_index WHEN $3 THEN eid_index ELSE temp_imsi_index END, temp_next_at = NULL, \
     temp_expires_at = CASE WHEN status = 4 OR reopened = 1 OR temp_expires_at < $4 THEN temp_expires_at ELSE $4 END \
     WHERE (temp_msisdn_index = $1 OR temp_iccid_index = $2 OR temp_imsi_index = $3) AND eid_index <> $5 AND ",
    is_free!(),
);
const REPLACE: &str = "UPDATE chip SET network = $1, temp_msisdn_index = $2, temp_msisdn_sealed = $3, \
    temp_iccid_index = $4, temp_iccid_sealed = $5, temp_imsi_index = $6, temp_imsi_sealed = $7, temp_opened_on = $8, \
    temp_expires_at = $9, temp_next_at = $10, temp_stage = 0, replaced = 0, changed_at = $11 WHERE eid_index = $12 \
    AND status = $13 RETURNING eid_index";
const SET_REMAINING: &str = "UPDATE chip SET allowance_bytes = used_bytes + $1, changed_at = $2, half_used_at = NULL \
    WHERE eid_index = $3 AND status = $4 RETURNING eid_index";
const NEXT_SEQ: &str =
    "SELECT COALESCE(MAX(seq), 0) + 1 AS seq FROM temporary_number_history WHERE eid_index = $1";
const PAST: &str = "SELECT seq, msisdn_sealed, iccid_sealed, opened_on, expires_at FROM temporary_number_history \
    WHERE eid_index = $1 ORDER BY seq DESC LIMIT $2";
const KEEP: &str = "INSERT INTO temporary_number_history (eid_index, seq, msisdn_sealed, iccid_sealed, opened_on, \
    expires_at, replaced_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// A notice about a test period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryNotice {
    /// It ends soon.
    Ending,
    /// It is over.
    Ended,
}

/// A chip that a notice is about.
pub struct ExpiringChipRow {
    /// Blind index of the EID.
    pub eid_index: BlindIndex,
    /// Sealed EID.
    pub eid_sealed: Vec<u8>,
    /// When its temporary number expires.
    pub expires_at: Timestamp,
}

/// The notices that are due now for at least one chip.
pub async fn due<D: Database>(db: &D, now: Timestamp) -> Result<Vec<ExpiryNotice>, DbError> {
    let due = first(&db.run(DUE, &[now.into()]).await?, |row| {
        let notice = [
            (row.flag(0)?, ExpiryNotice::Ending),
            (row.flag(1)?, ExpiryNotice::Ended),
        ];
        Ok(notice
            .into_iter()
            .filter(|(is_due, _)| *is_due)
            .map(|(_, notice)| notice)
            .collect())
    })?;
    Ok(due.unwrap_or_default())
}

/// Returns up to `limit` chips for which this notice is due, and marks it as given.
pub async fn take<D: Database>(
    tx: &Tx<'_, D>,
    notice: ExpiryNotice,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<ExpiringChipRow>, DbError> {
    let sql = match notice {
        ExpiryNotice::Ending => TAKE_ENDING,
        ExpiryNotice::Ended => TAKE_ENDED,
    };
    let rows = tx.run(sql, &[now.into(), i64::from(limit).into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(ExpiringChipRow {
                eid_index: row.index(0)?,
                eid_sealed: row.blob(1)?.to_owned(),
                expires_at: row.time(2)?,
            })
        })
        .collect()
}

/// Ends the notices about this chip, which now has an operator number.
pub async fn forget<D: Database>(tx: &Tx<'_, D>, eid_index: &BlindIndex) -> Result<(), DbError> {
    tx.run(FORGET, &[eid_index.into()]).await.map(drop)
}

/// The temporary number of a chip.
pub struct PresentRow {
    /// Network it works on.
    pub network: Network,
    /// Blind index and sealed value of the number.
    pub msisdn: (BlindIndex, Vec<u8>),
    /// Blind index and sealed value of its ICCID.
    pub iccid: (BlindIndex, Vec<u8>),
    /// Blind index of its IMSI.
    pub imsi_index: BlindIndex,
    /// Day it was opened.
    pub opened_on: Date,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// Finds the temporary number of a chip.
pub async fn find<D: Database>(db: &D, eid_index: &BlindIndex) -> Result<Option<PresentRow>, DbError> {
    first(&db.run(FIND, &[eid_index.into()]).await?, read)
}

/// The values of a chip's next temporary number.
pub struct NextRow {
    /// Network it works on.
    pub network: Network,
    /// Blind index and sealed value of the number.
    pub msisdn: (BlindIndex, Vec<u8>),
    /// Blind index and sealed value of its ICCID.
    pub iccid: (BlindIndex, Vec<u8>),
    /// Blind index and sealed value of its IMSI.
    pub imsi: (BlindIndex, Vec<u8>),
    /// Day it was opened.
    pub opened_on: Date,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When the operator is warned of the expiry.
    pub next_at: Timestamp,
}

/// The values that no other living chip may have.
#[derive(Clone, Copy, Debug)]
pub struct UniqueValues {
    /// The chip that is to have them.
    pub eid_index: BlindIndex,
    /// Blind index of the temporary number.
    pub msisdn: BlindIndex,
    /// Blind index of its ICCID.
    pub iccid: BlindIndex,
    /// Blind index of its IMSI.
    pub imsi: BlindIndex,
    /// Blind index of the PSK identity.
    pub psk_identity: Option<BlindIndex>,
}

/// Which of the values another chip has. The temporary number of a chip that needs it no more does not count.
pub async fn held<D: Database>(db: &D, values: &UniqueValues) -> Result<Option<Held>, DbError> {
    let params = [
        values.msisdn.into(),
        values.iccid.into(),
        values.imsi.into(),
        values.psk_identity.into(),
        values.eid_index.into(),
    ];
    first(&db.run(HELD, &params).await?, |row| {
        let column = if row.index(0)? == values.msisdn {
            "temp_msisdn"
        } else if row.index(1)? == values.iccid {
            "temp_iccid"
        } else if row.index(2)? == values.imsi {
            "temp_imsi"
        } else {
            "psk_identity"
        };
        Ok((column, row.index(3)?, row.blob(4)?.to_owned()))
    })
}

/// Takes the temporary number away from chips that need it no more, so that another chip can have it.
pub async fn release<D: Database>(
    tx: &Tx<'_, D>,
    values: &UniqueValues,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [
        values.msisdn.into(),
        values.iccid.into(),
        values.imsi.into(),
        now.into(),
        values.eid_index.into(),
    ];
    tx.run(RELEASE, &params).await.map(drop)
}

/// Gives a chip its next temporary number, with no notice given yet. False when the card is not in `status`.
pub async fn replace<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    status: CardStatus,
    next: NextRow,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [
        next.network.code().into(),
        next.msisdn.0.into(),
        next.msisdn.1.into(),
        next.iccid.0.into(),
        next.iccid.1.into(),
        next.imsi.0.into(),
        next.imsi.1.into(),
        next.opened_on.to_string().into(),
        next.expires_at.into(),
        next.next_at.into(),
        now.into(),
        eid_index.into(),
        status.code().into(),
    ];
    Ok(!tx.run(REPLACE, &params).await?.is_empty())
}

/// Sets the remaining test allowance of a chip; the used bytes stay. False when the card is not in `status`.
pub async fn set_remaining<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    status: CardStatus,
    remaining: Volume,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [
        remaining.into(),
        now.into(),
        eid_index.into(),
        status.code().into(),
    ];
    Ok(!tx.run(SET_REMAINING, &params).await?.is_empty())
}

/// A temporary number that was replaced.
pub struct PastRow<'a> {
    /// Blind index of the chip's EID.
    pub eid_index: &'a BlindIndex,
    /// Number among the former numbers of the chip, from 1.
    pub seq: i64,
    /// Sealed number.
    pub msisdn_sealed: Vec<u8>,
    /// Sealed ICCID.
    pub iccid_sealed: Vec<u8>,
    /// Day it was opened.
    pub opened_on: Date,
    /// When it expired.
    pub expires_at: Timestamp,
}

impl PastRow<'_> {
    /// The row identity to which the sealed values are bound.
    #[must_use]
    pub fn row(eid_index: &BlindIndex, seq: i64) -> Vec<u8> {
        [eid_index.as_bytes(), &seq.to_be_bytes()[..]].concat()
    }
}

/// Up to `limit` former temporary numbers of a chip, the latest first.
pub async fn past<'a, D: Database>(
    db: &D,
    eid_index: &'a BlindIndex,
    limit: u32,
) -> Result<Vec<PastRow<'a>>, DbError> {
    let rows = db.run(PAST, &[eid_index.into(), i64::from(limit).into()]).await?;
    let read = |row: &Row| {
        Ok(PastRow {
            eid_index,
            seq: row.integer(0)?,
            msisdn_sealed: row.blob(1)?.to_owned(),
            iccid_sealed: row.blob(2)?.to_owned(),
            opened_on: parse_date(row.text(3)?).map_err(|_| not_a(3, "date"))?,
            expires_at: row.time(4)?,
        })
    };
    rows.iter().map(read).collect()
}

/// The number of the next row of a chip's history.
pub async fn next_seq<D: Database>(db: &D, eid_index: &BlindIndex) -> Result<i64, DbError> {
    let rows = db.run(NEXT_SEQ, &[eid_index.into()]).await?;
    Ok(first(&rows, |row| row.integer(0))?.unwrap_or(1))
}

/// Stores a temporary number that is being replaced.
pub async fn keep<D: Database>(tx: &Tx<'_, D>, past: PastRow<'_>, now: Timestamp) -> Result<(), DbError> {
    let params = [
        past.eid_index.into(),
        past.seq.into(),
        past.msisdn_sealed.into(),
        past.iccid_sealed.into(),
        past.opened_on.to_string().into(),
        past.expires_at.into(),
        now.into(),
    ];
    tx.run(KEEP, &params).await.map(drop)
}

fn read(row: &Row) -> Result<PresentRow, DbError> {
    Ok(PresentRow {
        network: row.code(0, Network::from_code)?,
        msisdn: (row.index(1)?, row.blob(2)?.to_owned()),
        iccid: (row.index(3)?, row.blob(4)?.to_owned()),
        imsi_index: row.index(5)?,
        opened_on: parse_date(row.text(6)?).map_err(|_| not_a(6, "day"))?,
        expires_at: row.time(7)?,
    })
}
