//! Exports: a list as a file, written page by page while the caller reads it.
//!
//! Each page is a read of its own. Between two pages an export holds no connection and no transaction, however slowly its
//! caller reads, and of the rows it keeps one page. Rows that are added or changed meanwhile may be in the file or not.
//!
//! The status is sent before the rows are read, so what happens later is said by the last record: a file without it is
//! not whole, and one that says `complete: false` goes on where the next one begins.

mod csv;
mod end;

use std::convert::Infallible;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use send_wrapper::SendWrapper;
use serde::Serialize;
use sha2::Digest as _;

use super::connection::LocalFuture;
use super::extract::{Call, PausedCall};
use super::refusal::Refusal;
use super::values::Format;
use domain::error::Error;
use end::{End, Ended, Stop};
use operations::{Identifiers, ReadFigures, record_read};

/// Most rows of one export. Another goes on where it ends.
const MAX_EXPORT_ROWS: u64 = 1_000_000;
/// Most pages without a row that follow each other, which look at a million rows. Another export goes on where this one ends.
const MAX_EMPTY_PAGES: u32 = 500;

/// Rows of an export, as they are read.
pub struct ExportPage {
    rows: Vec<Vec<u8>>,
    next: Option<String>,
}

impl ExportPage {
    /// A page of these rows, which are what the list shows, and the key after which the next page begins.
    ///
    /// # Errors
    /// An internal error when a row cannot be written.
    pub fn new<R: Serialize>(rows: impl Iterator<Item = R>, next: Option<String>) -> Result<Self, Error> {
        let rows = rows.map(|row| serde_json::to_vec(&row)).collect::<Result<_, _>>();
        Ok(Self {
            rows: rows.map_err(Error::internal)?,
            next,
        })
    }
}

/// A list that is read page by page.
pub trait ExportSource: 'static {
    /// Name of the files, without their ending: letters, digits and `-`.
    const NAME: &'static str;
    /// The columns of the file, which are the fields of a row, at least as many as an end record has.
    const COLUMNS: &'static [&'static str];

    /// Reads the next page, and moves on to the one after it.
    fn page<'a>(&'a mut self, call: &'a Call) -> LocalFuture<'a, Result<ExportPage, Error>>;
}

/// What reads pages, whatever their list: so that a component has the code that writes files once.
trait Pages {
    fn page<'a>(&'a mut self, call: &'a Call) -> LocalFuture<'a, Result<ExportPage, Error>>;
}

impl<S: ExportSource> Pages for S {
    fn page<'a>(&'a mut self, call: &'a Call) -> LocalFuture<'a, Result<ExportPage, Error>> {
        ExportSource::page(self, call)
    }
}

/// A file that is written while it is read.
pub struct ExportFile {
    name: String,
    format: Format,
    body: Body,
}

/// Begins an export with its first page. Identifiers are masked.
///
/// # Errors
/// Those of the first page.
pub async fn export<S: ExportSource>(call: Call, format: Format, source: S) -> Result<ExportFile, Refusal> {
    let file = (S::NAME, S::COLUMNS);
    begin(call.showing(Identifiers::Masked), format, file, Box::new(source)).await
}

async fn begin(
    call: Call,
    format: Format,
    (name, columns): (&'static str, &'static [&'static str]),
    mut pages: Box<dyn Pages>,
) -> Result<ExportFile, Refusal> {
    let first = pages.page(&call).await?;
    let writing = Writing {
        call: call.paused(),
        format,
        columns,
        pages,
        first: Some(first),
        goes_on_at: None,
        empty_pages: 0,
        end: Ended::default(),
    };
    let chunks = stream::unfold(writing, |mut writing| async move {
        let chunk = writing.chunk().await?;
        Some((Ok::<_, Infallible>(chunk), writing))
    });
    Ok(ExportFile {
        name: format!("{name}.{}", format.code()),
        format,
        body: Body::from_stream(SendWrapper::new(Box::pin(chunks))),
    })
}

/// An export that is being written.
struct Writing {
    call: PausedCall,
    format: Format,
    columns: &'static [&'static str],
    pages: Box<dyn Pages>,
    /// The page that was read before the answer began.
    first: Option<ExportPage>,
    /// The key after which the page to be read begins.
    goes_on_at: Option<String>,
    /// Pages without a row since the last row.
    empty_pages: u32,
    end: Ended,
}

impl Writing {
    /// The next part of the file: the rows of a page. None after the end.
    async fn chunk(&mut self) -> Option<Bytes> {
        if self.end.is_written {
            return None;
        }
        let mut chunk = Vec::new();
        if self.first.is_some() && self.format == Format::Csv {
            csv::write_header(&mut chunk, self.columns);
        }
        // Pages that have no rows are not worth a part of their own.
        while chunk.is_empty() || self.first.is_some() {
            let page = match self.first.take() {
                Some(page) => Ok(page),
                None => self.read().await,
            };
            let stop = match page.and_then(|page| self.write(&mut chunk, page)) {
                Ok(()) if self.goes_on_at.is_none() => None,
                Ok(()) if self.end.rows >= MAX_EXPORT_ROWS || self.empty_pages >= MAX_EMPTY_PAGES => {
                    Some(Stop::Limit)
                }
                Ok(()) => continue,
                Err(error) => Some(Stop::Failed(error)),
            };
            self.end.digest.update(&chunk);
            let stop = self.record(stop).await;
            self.finish(&mut chunk, stop.as_ref());
            return Some(chunk.into());
        }
        self.end.digest.update(&chunk);
        Some(chunk.into())
    }

    /// Reads a page on connections of its own, which are given back before its rows are sent.
    async fn read(&mut self) -> Result<ExportPage, Error> {
        let call = self.call.resume().await?;
        let page = self.pages.page(&call).await;
        self.call.note_unreadable(&call);
        page
    }

    /// Enters how much was exported, and the digest of it, in the audit trail, which has the beginning of the export already.
    /// Where that fails, the file is not called whole.
    async fn record(&self, stop: Option<Stop>) -> Option<Stop> {
        let read = ReadFigures {
            rows: self.end.rows,
            digest: self.end.digest.clone().finalize().into(),
        };
        let recorded = async {
            let call = self.call.resume().await?;
            record_read(&call.context(), Some(read)).await
        };
        match recorded.await {
            Ok(()) => stop,
            Err(error) => stop.or(Some(Stop::Failed(error))),
        }
    }

    /// Writes the rows of a page, or none of them.
    fn write(&mut self, chunk: &mut Vec<u8>, page: ExportPage) -> Result<(), Error> {
        let before = chunk.len();
        for row in &page.rows {
            match self.format {
                Format::Csv => {
                    let written = csv::write_row(chunk, self.columns, row);
                    written.inspect_err(|_| chunk.truncate(before))?;
                }
                Format::Ndjson => {
                    chunk.extend_from_slice(row);
                    chunk.push(b'\n');
                }
            }
        }
        self.empty_pages = if page.rows.is_empty() {
            self.empty_pages + 1
        } else {
            0
        };
        self.end.rows += page.rows.len() as u64;
        self.goes_on_at = page.next;
        Ok(())
    }

    /// Writes the end record. `stop` is why rows are missing, if any are.
    fn finish(&mut self, chunk: &mut Vec<u8>, stop: Option<&Stop>) {
        self.end.is_written = true;
        let end = End {
            complete: stop.is_none(),
            rows: self.end.rows,
            next: self.goes_on_at.as_deref().map(|key| self.call.cursor(key)),
            reason: stop.map(Stop::reason),
            message: stop.map(|stop| stop.message(self.call.lang())),
            sha256: hex::encode(self.end.digest.clone().finalize()),
        };
        match self.format {
            Format::Csv => csv::write_end(chunk, self.columns, &end),
            Format::Ndjson => end.write_line(chunk),
        }
        end::note(&self.call, &end, stop);
    }
}

impl Drop for Writing {
    /// A caller that hung up gets no end record, but the operator's log does.
    fn drop(&mut self) {
        if !self.end.is_written {
            end::note_broken(&self.call, self.end.rows);
        }
    }
}

impl IntoResponse for ExportFile {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.format.media_type()));
        if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", self.name)) {
            headers.insert(CONTENT_DISPOSITION, value);
        }
        response
    }
}
