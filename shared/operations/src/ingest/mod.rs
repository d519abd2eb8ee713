//! What operators report on their numbers: data used, city, state, opening time (behind §7.2.3.2 to §7.2.3.5).
//!
//! Records are lines of JSON. A record is identified by its number and its time: a repeated record changes nothing, an
//! older one is skipped, and another content for the same time is refused. Bad lines are reported, and the other lines
//! are still stored. A thousand lines are one transaction, so that a large call locks the database for some
//! milliseconds at a time. A call that breaks off may be sent again.

mod record;

pub use record::OperatorReport;
pub(crate) use record::STATES;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Context;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{MAX_CLOCK_SKEW_MS, Timestamp, without_byte_order_mark};
use record::{Record, Wrong, read};
use store::{
    Database, lock,
    operator_report::{self, Known, Topic},
};
use vault::BlindIndex;

/// Most records of one call.
const MAX_RECORDS: usize = 100_000;
/// Records of one transaction.
const BATCH: usize = 1_000;
/// Longest line, in bytes.
pub const MAX_RECORD_BYTES: usize = 512;
/// Longest name of a city, in characters.
pub(crate) const MAX_CITY_CHARS: usize = 64;
/// Most errors that are reported one by one.
const MAX_REPORTED: usize = 1_000;

/// The result of a call.
#[derive(Debug, Default)]
pub struct IngestReport {
    /// Lines that are not empty.
    pub rows: usize,
    /// Records that were stored.
    pub accepted: usize,
    /// Records that were stored before with the same values.
    pub unchanged: usize,
    /// Records older than the stored ones.
    pub stale: usize,
    /// Records that were refused.
    pub rejected: usize,
    /// Why records were refused, the first 1,000.
    pub errors: Vec<RecordError>,
}

/// Why a record was refused.
#[derive(Debug)]
pub struct RecordError {
    /// Line in the body, from 1.
    pub line: usize,
    /// The field, if one field is wrong.
    pub field: Option<&'static str>,
    /// Why the record was refused.
    pub error: Error,
}

impl IngestReport {
    fn reject(&mut self, line: usize, field: Option<&'static str>, error: Error) {
        self.rejected += 1;
        if self.errors.len() < MAX_REPORTED {
            self.errors.push(RecordError { line, field, error });
        }
    }

    /// Adds the result of another batch.
    fn add(&mut self, batch: Self) {
        self.rows += batch.rows;
        self.accepted += batch.accepted;
        self.unchanged += batch.unchanged;
        self.stale += batch.stale;
        self.rejected += batch.rejected;
        let room = MAX_REPORTED.saturating_sub(self.errors.len());
        self.errors.extend(batch.errors.into_iter().take(room));
    }
}

/// Stores an operator's records.
///
/// # Errors
/// [`Reason::BodyTooLarge`] beyond `MAX_RECORDS`, before anything is stored; [`Reason::Unavailable`] when the
/// database is busy; then the whole call may be sent again.
pub async fn ingest<D: Database>(
    cx: &Context<'_, D>,
    topic: Topic,
    body: &[u8],
) -> Result<IngestReport, Error> {
    let lines = || {
        // Files that were put one after the other have a byte order mark in front of each.
        body.split(|byte| *byte == b'\n')
            .enumerate()
            .map(|(at, line)| (at + 1, without_byte_order_mark(line).trim_ascii()))
            .filter(|(_, line)| !line.is_empty())
    };
    if lines().count() > MAX_RECORDS {
        return Err(Error::new(Reason::BodyTooLarge).with_detail(
            format!("最多 {MAX_RECORDS} 行"),
            format!("at most {MAX_RECORDS} lines"),
        ));
    }
    let mut report = IngestReport::default();
    let mut batch = Vec::with_capacity(BATCH);
    for (line, text) in lines() {
        report.rows += 1;
        if text.len() > MAX_RECORD_BYTES {
            report.reject(line, None, Reason::ParameterTooLong.into());
            continue;
        }
        match read(cx, topic, text) {
            Ok(record) => batch.push((line, record)),
            Err(Wrong { field, error }) => report.reject(line, field, error),
        }
        if batch.len() == BATCH {
            report.add(take(cx, topic, &batch).await?);
            batch.clear();
        }
    }
    report.add(take(cx, topic, &batch).await?);
    report.errors.sort_by_key(|error| error.line);
    Ok(report)
}

/// Stores an operator's answer about one number; true when it changed the stored report.
///
/// # Errors
/// [`Reason::Unavailable`] when the database is busy.
pub(crate) async fn take_answer<D: Database>(
    cx: &Context<'_, D>,
    iccid: &BlindIndex,
    as_of: Timestamp,
    reported: OperatorReport,
) -> Result<bool, Error> {
    let topic = match reported {
        OperatorReport::Usage(..) => Topic::Usage,
        OperatorReport::Location(_) => Topic::Location,
        OperatorReport::Status(_) => Topic::Status,
        OperatorReport::OpenTime(_) => Topic::OpenTime,
    };
    let record = Record {
        by_iccid: true,
        key: *iccid,
        as_of,
        reported,
    };
    let report = take(cx, topic, &[(1, record)]).await?;
    Ok(report.accepted == 1)
}

/// Stores some records in one transaction and returns the result.
async fn take<D: Database>(
    cx: &Context<'_, D>,
    topic: Topic,
    batch: &[(usize, Record)],
) -> Result<IngestReport, Error> {
    if batch.is_empty() {
        return Ok(IngestReport::default());
    }
    let keys: Value = batch
        .iter()
        .map(|(_, record)| {
            let kind = if record.by_iccid { "i" } else { "m" };
            json!([kind, hex::encode(record.key.as_bytes())])
        })
        .collect();
    let keys = keys.to_string();
    transaction(cx, async |tx| {
        lock::numbers(tx, keys.clone()).await?;
        let known = operator_report::known(tx, topic, keys.clone()).await?;
        if known.len() != batch.len() {
            return Err(Error::internal("a batch came back with another length"));
        }
        let mut report = IngestReport::default();
        let changes = sift(batch, known, &mut report, cx.now);
        if !changes.is_empty() {
            let rows: Value = changes.values().cloned().collect();
            operator_report::store(tx, topic, rows.to_string(), cx.now).await?;
        }
        Ok(report)
    })
    .await
}

/// Separates new records from known ones, line by line, so that a number may occur more than once.
fn sift(
    batch: &[(usize, Record)],
    known: Vec<Option<Known>>,
    report: &mut IngestReport,
    now: Timestamp,
) -> BTreeMap<BlindIndex, Value> {
    let mut latest: BTreeMap<BlindIndex, (Timestamp, String)> = BTreeMap::new();
    let mut retired: Vec<BlindIndex> = Vec::new();
    let mut changes = BTreeMap::new();
    // A report of the future comes from a clock that was set back since.
    let is_past = |(as_of, _): &(Timestamp, String)| *as_of <= now.plus(MAX_CLOCK_SKEW_MS);
    for ((line, record), known) in batch.iter().zip(known) {
        let Some(known) = known else {
            report.reject(*line, None, Reason::UnknownNumber.into());
            continue;
        };
        let iccid = known.iccid_index;
        let content = record.reported.content();
        let before = latest.get(&iccid).cloned().or(known.reported).filter(is_past);
        match before {
            Some((as_of, _)) if record.as_of < as_of => report.stale += 1,
            Some((as_of, reported)) if record.as_of == as_of && reported == content => report.unchanged += 1,
            Some((as_of, _)) if record.as_of == as_of => {
                report.reject(*line, None, Reason::RecordConflict.into());
            }
            _ if matches!(record.reported, OperatorReport::Status(state) if state != STATES[2])
                && (known.is_retired || retired.contains(&iccid)) =>
            {
                report.reject(*line, Some("status"), Reason::NumberInUse.into());
            }
            _ => {
                report.accepted += 1;
                if record.reported == OperatorReport::Status(STATES[2]) {
                    retired.push(iccid);
                }
                latest.insert(iccid, (record.as_of, content));
                changes.insert(iccid, record.reported.stored(&known.iccid_index, record.as_of));
            }
        }
    }
    changes
}
