//! Every sealed column of every table, to seal its values anew under another key; and table `reseal`: how far that has
//! come.
//!
//! A sealed value is bound to its column and row, so each table says how its rows are identified. A column that is not
//! listed here would be lost with the old key: a test compares the list with the schema.

use super::{Database, DbError, Row, Run as _, Tx, Value, first};
use super::{
    alert, audit, batch, batch_row, card_history, chip, chip_destruction, client, clock, device_session,
    import, incident, message, number, quarantine, receiver_secret, staff, temporary_number,
};
use domain::Timestamp;
use vault::Column;

/// A table with sealed columns. `page` finds its rows by their key, and `set` changes their sealed columns.
pub struct SealedTable {
    /// Its name.
    pub name: &'static str,
    /// The columns under which values are sealed, in the order of the statements.
    pub columns: &'static [Column],
    page: &'static str,
    set: &'static str,
    key: Key,
}

/// How a table identifies its rows, and what their sealed values are bound to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    /// Blind index, which is the row.
    Index,
    /// Text, which is the row.
    Text,
    /// Blind index, which is the row, and a number.
    IndexAndNumber,
    /// Text, which is the row, and a number.
    TextAndNumber,
    /// Blind index and a number, which together are the row.
    Both,
    /// Text and a number, which together are the row.
    TextBoth,
}

impl Key {
    fn has_number(self) -> bool {
        matches!(
            self,
            Self::IndexAndNumber | Self::TextAndNumber | Self::Both | Self::TextBoth
        )
    }

    /// The first part as the engine compares it.
    fn value(self, bytes: &[u8]) -> Value {
        match self {
            Self::Index | Self::IndexAndNumber | Self::Both => bytes.into(),
            Self::Text | Self::TextAndNumber | Self::TextBoth => {
                String::from_utf8_lossy(bytes).into_owned().into()
            }
        }
    }
}

/// The statements of a table: its key, its conditions with the numbers of their parameters, and its columns with
/// theirs.
macro_rules! table {
    ($name:literal, $key:ident ($select:literal, $order:literal, $after:literal, $limit:literal, $is:literal),
        $($stored:literal $number:literal $column:expr),+) => {
        SealedTable {
            name: $name,
            columns: &[$($column),+],
            page: concat!("SELECT ", $select, $(", ", $stored,)+ " FROM ", $name, " WHERE ", $after, " ORDER BY ",
                $order, " LIMIT ", $limit),
            set: table!(@set $name, $is, $($stored $number),+),
            key: Key::$key,
        }
    };
    (@set $name:literal, $is:literal, $first:literal $number:literal $(, $stored:literal $next:literal)*) => {
        concat!("UPDATE ", $name, " SET ", $first, " = ", $number, $(", ", $stored, " = ", $next,)* " WHERE ", $is)
    };
}

/// Every table with sealed columns, in the order in which they are sealed anew. A new one is added at the end: a pass
/// that goes on remembers positions.
#[rustfmt::skip]
pub const SEALED_TABLES: &[SealedTable] = &[
    table!("chip", Index ("eid_index, 0", "eid_index", "eid_index > $1", "$2", "eid_index = $9"),
        "eid_sealed" "$1" chip::EID, "temp_msisdn_sealed" "$2" chip::TEMP_MSISDN,
        "temp_iccid_sealed" "$3" chip::TEMP_ICCID, "temp_imsi_sealed" "$4" chip::TEMP_IMSI,
        "imei_sealed" "$5" chip::IMEI, "psk_identity_sealed" "$6" chip::PSK_IDENTITY,
        "psk_sealed" "$7" chip::PSK, "dek_sealed" "$8" chip::DEK),
    table!("number", Index ("iccid_index, 0", "iccid_index", "iccid_index > $1", "$2", "iccid_index = $6"),
        "iccid_sealed" "$1" number::ICCID, "msisdn_sealed" "$2" number::MSISDN, "imsi_sealed" "$3" number::IMSI,
        "k_sealed" "$4" number::K, "opc_sealed" "$5" number::OPC),
    table!("client", Text ("id, 0", "id", "id > $1", "$2", "id = $2"), "phone_sealed" "$1" client::PHONE),
    table!("receiver_secret", TextAndNumber ("receiver_id, generation", "receiver_id, generation",
        "(receiver_id, generation) > ($1, $2)", "$3", "receiver_id = $2 AND generation = $3"),
        "secret_sealed" "$1" receiver_secret::SECRET),
    table!("card_history", IndexAndNumber ("eid_index, seq", "eid_index, seq", "(eid_index, seq) > ($1, $2)", "$3",
        "eid_index = $3 AND seq = $4"),
        "person_sealed" "$1" card_history::PERSON, "note_sealed" "$2" card_history::NOTE),
    table!("temporary_number_history", Both ("eid_index, seq", "eid_index, seq", "(eid_index, seq) > ($1, $2)", "$3",
        "eid_index = $3 AND seq = $4"),
        "msisdn_sealed" "$1" temporary_number::PAST_MSISDN, "iccid_sealed" "$2" temporary_number::PAST_ICCID),
    table!("chip_destruction", Index ("eid_index, 0", "eid_index", "eid_index > $1", "$2", "eid_index = $3"),
        "person_sealed" "$1" chip_destruction::PERSON, "reference_sealed" "$2" chip_destruction::REFERENCE),
    table!("device_session", Text ("id, 0", "id", "id > $1", "$2", "id = $3"),
        "agent_sealed" "$1" device_session::AGENT, "note_sealed" "$2" device_session::NOTE),
    table!("message", Text ("id, 0", "id", "id > $1", "$2", "id = $2"), "body_sealed" "$1" message::BODY),
    table!("alert", Text ("id, 0", "id", "id > $1", "$2", "id = $2"), "body_sealed" "$1" alert::BODY),
    table!("incident", Text ("id, 0", "id", "id > $1", "$2", "id = $5"),
        "note_sealed" "$1" incident::NOTE, "settlement_sealed" "$2" incident::SETTLEMENT,
        "report_sealed" "$3" incident::REPORT, "final_report_sealed" "$4" incident::FINAL_REPORT),
    table!("clock_confirmation", Text ("id, 0", "id", "id > $1", "$2", "id = $3"),
        "person_sealed" "$1" clock::PERSON, "note_sealed" "$2" clock::NOTE),
    table!("import", Text ("id, 0", "id", "id > $1", "$2", "id = $3"),
        "person_sealed" "$1" import::PERSON, "note_sealed" "$2" import::NOTE),
    table!("quarantine_release", Text ("id, 0", "id", "id > $1", "$2", "id = $3"),
        "person_sealed" "$1" quarantine::PERSON, "reference_sealed" "$2" quarantine::REFERENCE),
    table!("staff_account", Text ("id, 0", "id", "id > $1", "$2", "id = $3"),
        "name_sealed" "$1" staff::account::NAME, "totp_sealed" "$2" staff::account::TOTP),
    table!("audit_detail", Text ("id, 0", "id", "id > $1", "$2", "id = $2"), "detail_sealed" "$1" audit::DETAIL),
    table!("batch", Text ("id, 0", "id", "id > $1", "$2", "id = $4"),
        "content_sealed" "$1" batch::CONTENT, "person_sealed" "$2" batch::PERSON, "note_sealed" "$3" batch::NOTE),
    table!("batch_row", TextBoth ("batch_id, line", "batch_id, line", "(batch_id, line) > ($1, $2)", "$3",
        "batch_id = $2 AND line = $3"),
        "content_sealed" "$1" batch_row::CONTENT),
];

/// The key of a row: the first part as bytes, and the number, or 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowKey {
    /// Blind index, or text.
    pub bytes: Vec<u8>,
    /// Number, or 0.
    pub number: i64,
}

/// The sealed values of a row.
pub struct SealedRow {
    /// Its key.
    pub key: RowKey,
    /// A value for each of the table's columns.
    pub values: Vec<Option<Vec<u8>>>,
}

impl SealedTable {
    /// Whether its sealed values are bound to a blind index, and so to the index key.
    #[cfg(feature = "native")]
    pub(crate) fn is_bound_to_index(&self) -> bool {
        matches!(self.key, Key::Index | Key::IndexAndNumber | Key::Both)
    }

    /// What the sealed values of a row are bound to.
    #[must_use]
    pub fn row(&self, key: &RowKey) -> Vec<u8> {
        match self.key {
            Key::Both | Key::TextBoth => [&key.bytes, &key.number.to_be_bytes()[..]].concat(),
            _ => key.bytes.clone(),
        }
    }

    /// Up to `limit` rows after `after`, by their keys.
    ///
    /// # Errors
    /// [`DbError`] when the statement does not run.
    pub async fn page<D: Database>(
        &self,
        db: &D,
        after: &RowKey,
        limit: u32,
    ) -> Result<Vec<SealedRow>, DbError> {
        let mut params = vec![self.key.value(&after.bytes)];
        if self.key.has_number() {
            params.push(after.number.into());
        }
        params.push(i64::from(limit).into());
        let read = |row: Row| {
            let number = row.integer(1)?;
            let mut values = row.0.into_iter();
            let bytes = match values.next() {
                Some(Value::Blob(bytes)) => bytes,
                Some(Value::Text(text)) => text.into_bytes(),
                _ => return Err(DbError::Shape("a row without a key".to_owned())),
            };
            let sealed = |value| match value {
                Value::Blob(bytes) => Some(bytes),
                _ => None,
            };
            Ok(SealedRow {
                key: RowKey { bytes, number },
                values: values.skip(1).map(sealed).collect(),
            })
        };
        db.run(self.page, &params).await?.into_iter().map(read).collect()
    }

    /// Replaces the sealed values of a row.
    ///
    /// # Errors
    /// [`DbError`] when the statement does not run.
    pub async fn set<D: Database>(&self, tx: &Tx<'_, D>, row: SealedRow) -> Result<(), DbError> {
        let mut params: Vec<Value> = row.values.into_iter().map(Into::into).collect();
        params.push(self.key.value(&row.key.bytes));
        if self.key.has_number() {
            params.push(row.key.number.into());
        }
        tx.run(self.set, &params).await.map(drop)
    }
}

const FIND: &str =
    "SELECT key_id, place, after, after_seq, unopened, began_at, done_at FROM reseal WHERE id = 1";
const PUT: &str = "INSERT INTO reseal (id, key_id, place, after, after_seq, unopened, began_at, done_at) \
    VALUES (1, $1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET key_id = excluded.key_id, \
    place = excluded.place, after = excluded.after, after_seq = excluded.after_seq, unopened = excluded.unopened, \
    began_at = excluded.began_at, done_at = excluded.done_at";

/// A pass over all sealed columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Number of the key under which it seals.
    pub key_id: u8,
    /// Position of its table among [`SEALED_TABLES`].
    pub place: usize,
    /// The last row of that table that it has seen.
    pub after: RowKey,
    /// How many values it could not open.
    pub unopened: u32,
    /// When it began.
    pub began_at: Timestamp,
    /// When it was through.
    pub done_at: Option<Timestamp>,
}

/// The pass that is going on, or the last one.
pub async fn find_pass<D: Database>(db: &D) -> Result<Option<Pass>, DbError> {
    first(&db.run(FIND, &[]).await?, |row| {
        Ok(Pass {
            key_id: row.number_code(0, |id| u8::try_from(id).ok())?,
            place: row.number_code(1, |place| usize::try_from(place).ok())?,
            after: RowKey {
                bytes: row.blob(2)?.to_owned(),
                number: row.integer(3)?,
            },
            unopened: row.count(4)?,
            began_at: row.time(5)?,
            done_at: row.optional(6, Row::time)?,
        })
    })
}

/// Stores how far a pass has come.
pub async fn put_pass<D: Database>(tx: &Tx<'_, D>, pass: Pass) -> Result<(), DbError> {
    let params = [
        i64::from(pass.key_id).into(),
        i64::try_from(pass.place).unwrap_or(i64::MAX).into(),
        pass.after.bytes.into(),
        pass.after.number.into(),
        i64::from(pass.unopened).into(),
        pass.began_at.into(),
        pass.done_at.into(),
    ];
    tx.run(PUT, &params).await.map(drop)
}
