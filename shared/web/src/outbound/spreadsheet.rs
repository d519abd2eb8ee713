//! Asks the component `spreadsheets` for the CSV of a workbook, or of a table in GBK.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::component::{CALL_TIME, request, unavailable};
use crate::host::Host;
use domain::error::{Error, Reason};
use operations::MAX_IMPORT_BYTES;

/// The component.
const COMPONENT: &str = "spreadsheets";
/// Its path.
const PATH: &str = "/internal/spreadsheets";

/// Why it could not read a table.
#[derive(Deserialize)]
struct Unread {
    zh: String,
    en: String,
}

/// The CSV of a workbook, of its sheet of that name, or of a table in GBK.
///
/// # Errors
/// [`Reason::BadCsv`] and [`Reason::BodyTooLarge`], whose detail says why; [`Reason::Unavailable`] when the component does
/// not answer.
pub async fn csv_of(host: &dyn Host, file: Bytes, sheet: Option<&str>) -> Result<Bytes, Error> {
    let mut path = PATH.to_owned();
    if let Some(sheet) = sheet {
        path.push_str("?sheet=");
        path.extend(utf8_percent_encode(sheet, NON_ALPHANUMERIC));
    }
    let request = request(COMPONENT, &path)
        .header(CONTENT_LENGTH, file.len())
        .body(file)
        .map_err(unavailable)?;
    let received = host.send(request, MAX_IMPORT_BYTES, CALL_TIME).await;
    let received = received.map_err(unavailable)?;
    let body = received.body?;
    let reason = match received.status {
        200 => return Ok(body.into()),
        413 => Reason::BodyTooLarge,
        422 => Reason::BadCsv,
        other => return Err(unavailable(format!("{COMPONENT} answered {other}"))),
    };
    let Unread { zh, en } = serde_json::from_slice(&body).map_err(unavailable)?;
    Err(Error::new(reason).with_detail(zh, en))
}
