//! The end of an export: the record that says whether the file is whole, and the one place where what was exported, how
//! much of it, and the digest of the file are known.

use serde::Serialize;
use sha2::Sha256;

use crate::extract::PausedCall;
use crate::log;
use domain::error::{Error, Lang};

/// What is known of an export so far.
#[derive(Default)]
pub(super) struct Ended {
    /// Rows written.
    pub(super) rows: u64,
    /// Of every byte before the end record.
    pub(super) digest: Sha256,
    /// Whether the end record is written.
    pub(super) is_written: bool,
}

/// The end record.
#[derive(Serialize)]
pub(super) struct End {
    /// Whether every row is in the file that the conditions had.
    pub(super) complete: bool,
    /// Rows in the file.
    pub(super) rows: u64,
    /// The cursor with which another export goes on.
    pub(super) next: Option<String>,
    /// Stable name of the reason for which rows are missing.
    pub(super) reason: Option<&'static str>,
    /// The same in the caller's language.
    pub(super) message: Option<String>,
    /// SHA-256 of every byte before this record, in hexadecimal.
    pub(super) sha256: String,
}

/// Why rows are missing.
pub(super) enum Stop {
    /// The export has as many rows as it may have, or looked at as many without finding one.
    Limit,
    /// A page could not be read.
    Failed(Error),
}

impl Stop {
    /// Stable name.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Limit => "export_limit",
            Self::Failed(error) => error.reason().code(),
        }
    }

    /// What happened, in a language.
    pub(super) fn message(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Limit, Lang::Zh) => "已达单次导出的上限，以 next 为 cursor 继续".to_owned(),
            (Self::Limit, Lang::En) => "an export reads no further; go on with next as the cursor".to_owned(),
            (Self::Failed(error), lang) => error.message(lang),
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    end: &'a End,
}

impl End {
    /// The last line of a file with a JSON object in each.
    pub(super) fn write_line(&self, file: &mut Vec<u8>) {
        // Numbers and text always become JSON.
        file.extend_from_slice(&serde_json::to_vec(&Line { end: self }).unwrap_or_default());
        file.push(b'\n');
    }
}

/// Notes an export that has ended in the operator's log.
pub(super) fn note(call: &PausedCall, end: &End, stop: Option<&Stop>) {
    let cause = match stop {
        Some(Stop::Failed(error)) => error.cause(),
        Some(Stop::Limit) | None => None,
    };
    let (rows, sha256) = (end.rows, Some(&*end.sha256));
    let reason = end.reason.unwrap_or("exported");
    call.host()
        .log(&log::exported(call.query(), reason, rows, sha256, cause));
}

/// Notes an export whose caller did not read it to its end.
pub(super) fn note_broken(call: &PausedCall, rows: u64) {
    let line = log::exported(call.query(), "export_broken", rows, None, None);
    call.host().log(&line);
}
