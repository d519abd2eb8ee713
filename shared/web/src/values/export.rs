//! Formats of exports.

use super::words::words;

/// Format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values by RFC 4180.
    Csv,
    /// A JSON document in each line.
    Ndjson,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Ndjson];

    /// Stable name, which is also the ending of the names of files.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    /// The media type.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson; charset=utf-8",
        }
    }
}

words! {
    /// Format of an export.
    pub(crate) ExportFormat = Format {
        values: Format::ALL,
        about: "文件格式：CSV（RFC 4180，UTF-8）或每行一个 JSON 对象 / format of the file: CSV (RFC 4180, UTF-8), or a JSON object in each line",
        wrong: "应为 csv 或 ndjson", "neither csv nor ndjson",
    }
}
