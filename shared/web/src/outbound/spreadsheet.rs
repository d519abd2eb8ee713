//! What a table file is, before it is read: CSV, or what has to become CSV first. Of a workbook, or of a table in GBK, the
//! component `spreadsheets` makes it.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::component::{CALL_TIME, request, unavailable};
use crate::extract::Call;
use crate::host::Host;
use crate::values::SheetName;
use domain::error::{Error, Reason};
use operations::{MAX_IMPORT_BYTES, is_spreadsheet};

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

/// The file as CSV. Where the component that reads workbooks cannot be reached, the file is left as it is: whoever reads it
/// then says what it is, and how to save it.
///
/// # Errors
/// [`Reason::BadCsv`] and [`Reason::BodyTooLarge`], whose detail says why; [`Reason::ParameterMalformed`] for a sheet of what
/// is no workbook.
pub async fn table_as_csv(call: &Call, file: Bytes, sheet: Option<&SheetName>) -> Result<Bytes, Error> {
    if !is_spreadsheet(&file) {
        return match sheet {
            None => Ok(file),
            Some(_) => Err(Error::new(Reason::ParameterMalformed)
                .with_detail("只有工作簿才有工作表", "only a workbook has sheets")
                .with_field("sheet")),
        };
    }
    let sheet = sheet.map(|sheet| sheet.0.as_str());
    match csv_of(call.host(), file.clone(), sheet).await {
        Err(problem) if problem.reason() == Reason::Unavailable => {
            call.log_failed_job(COMPONENT, &problem);
            Ok(file)
        }
        read => read,
    }
}

/// The CSV of a workbook, of its sheet of that name, or of a table in GBK.
///
/// # Errors
/// [`Reason::BadCsv`] and [`Reason::BodyTooLarge`], whose detail says why; [`Reason::Unavailable`] when the component does
/// not answer.
pub(crate) async fn csv_of(host: &dyn Host, file: Bytes, sheet: Option<&str>) -> Result<Bytes, Error> {
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
