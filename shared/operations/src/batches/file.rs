//! The files of batches: what each row names.

use crate::import::{ColumnError, ColumnRule, RowLimit, RowReader, Table, decode, optional, required};
use domain::error::{Error, Reason};
use domain::{BatchKind, Eid, Iccid, Msisdn, Province};

use super::MAX_BATCH_ROWS;

const APPLICATIONS: &[ColumnRule] = &[
    required("eid", EID),
    optional("province_code", &["省份编码", "省份代码"]),
    optional("iccid", ICCID),
    optional("msisdn", &["号码", "物联网号码"]),
];
const CARDS: &[ColumnRule] = &[required("eid", EID)];
const NUMBERS: &[ColumnRule] = &[required("iccid", ICCID)];

const EID: &[&str] = &["芯片EID", "EID号"];
const ICCID: &[&str] = &["卡号"];

/// The limit of one file.
const LIMIT: RowLimit = RowLimit {
    rows: MAX_BATCH_ROWS,
    beyond: ["请分为多个批量任务", "make several batches of it"],
};

/// Separates what a row names, as it is stored.
const SEPARATOR: char = ',';

/// A row of a file.
pub(super) struct FileRow {
    /// Its line, the header being line 1.
    pub(super) line: u64,
    /// What it names, or why it is no row of such a batch.
    pub(super) content: Result<RowContent, ColumnError>,
}

/// What a row names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RowContent {
    pub(super) eid: Option<Eid>,
    pub(super) iccid: Option<Iccid>,
    pub(super) msisdn: Option<Msisdn>,
    pub(super) province: Option<Province>,
}

impl RowContent {
    /// The identifiers, as they are stored sealed. The province is stored by itself.
    pub(super) fn identifiers(&self) -> String {
        let eid = self.eid.as_ref().map_or("", Eid::as_str);
        let iccid = self.iccid.as_ref().map_or("", Iccid::as_str);
        let msisdn = self.msisdn.as_ref().map_or("", Msisdn::as_str);
        [eid, iccid, msisdn].join(&SEPARATOR.to_string())
    }

    /// The row as it was stored.
    pub(super) fn stored(identifiers: &str, province: &str) -> Result<Self, Error> {
        let [eid, iccid, msisdn] = parts(identifiers);
        let wrong = || Error::internal("a row of a batch that cannot be read");
        Ok(Self {
            eid: read(eid, |text| Eid::parse(text).ok()).map_err(|()| wrong())?,
            iccid: read(iccid, |text| Iccid::parse(text).ok()).map_err(|()| wrong())?,
            msisdn: read(msisdn, |text| Msisdn::parse(text).ok()).map_err(|()| wrong())?,
            province: read(province, |text| Province::parse(text).ok()).map_err(|()| wrong())?,
        })
    }
}

/// The identifiers of a row as they are stored, each empty where there is none.
pub(super) fn parts(identifiers: &str) -> [&str; 3] {
    let mut parts = identifiers.split(SEPARATOR);
    [(); 3].map(|()| parts.next().unwrap_or_default())
}

fn read<T>(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, ()> {
    match text {
        "" => Ok(None),
        text => parse(text).map(Some).ok_or(()),
    }
}

/// Reads a file of rows for a batch of this kind.
///
/// # Errors
/// [`Reason::BadCsv`] for what is no such table or has no row, [`Reason::BodyTooLarge`] for too many rows.
pub(super) fn read_file(kind: BatchKind, file: &[u8]) -> Result<Vec<FileRow>, Error> {
    let rules = match kind {
        BatchKind::Apply => APPLICATIONS,
        BatchKind::Cancel | BatchKind::End => CARDS,
        BatchKind::Allot | BatchKind::Suspend | BatchKind::Retire => NUMBERS,
    };
    let table = Table::of_text(&decode(file)?, rules, &LIMIT)?;
    if table.rows.is_empty() {
        return Err(Error::new(Reason::BadCsv).with_detail("文件没有数据行", "the file has no row"));
    }
    let rows = table.rows.iter().map(|record| FileRow {
        line: record.line,
        content: content(kind, table.row(record)),
    });
    Ok(rows.collect())
}

fn content(kind: BatchKind, mut row: RowReader<'_>) -> Result<RowContent, ColumnError> {
    let content = match kind {
        BatchKind::Apply => {
            let content = RowContent {
                province: row.optional("province_code", Province::parse),
                iccid: row.optional("iccid", Iccid::parse),
                msisdn: row.optional("msisdn", Msisdn::parse),
                eid: row.required("eid", Eid::parse),
            };
            Some(content)
        }
        BatchKind::Cancel | BatchKind::End => Some(RowContent {
            eid: row.required("eid", Eid::parse),
            ..RowContent::default()
        }),
        BatchKind::Allot | BatchKind::Suspend | BatchKind::Retire => Some(RowContent {
            iccid: row.required("iccid", Iccid::parse),
            ..RowContent::default()
        }),
    };
    let content = row.finish(content).map_err(first)?;
    match kind {
        BatchKind::Apply => whole(content),
        _ => Ok(content),
    }
}

/// An application asks for a number of a province, or for a certain one by ICCID and MSISDN.
fn whole(content: RowContent) -> Result<RowContent, ColumnError> {
    let wrong = |column, reason| Err(ColumnError::plain(Some(column), reason));
    match (&content.province, &content.iccid, &content.msisdn) {
        (Some(_), None, None) | (None, Some(_), Some(_)) => Ok(content),
        (None, None, None) => wrong("province_code", Reason::ParameterMissing),
        (None, Some(_), None) => wrong("msisdn", Reason::ParameterMissing),
        (None, None, Some(_)) => wrong("iccid", Reason::ParameterMissing),
        (Some(_), ..) => wrong("province_code", Reason::ParameterNotApplicable),
    }
}

/// The first error of a row, which has one at least.
fn first(mut errors: Vec<ColumnError>) -> ColumnError {
    match errors.is_empty() {
        true => ColumnError::plain(None, Reason::BadCsv),
        false => errors.swap_remove(0),
    }
}
