//! What a table file is, before it is imported: CSV, or what has to become CSV first.

use bytes::Bytes;
use domain::error::{Error, Reason};
use operations::is_spreadsheet;
use web::extract::Call;
use web::outbound::csv_of;
use web::values::SheetName;

/// The component that reads workbooks, in the operator's log.
const SPREADSHEETS: &str = "spreadsheets";

/// The file as CSV. Where the component that reads workbooks cannot be reached, the file is left as it is: the import
/// then says what it is, and how to save it.
pub(crate) async fn csv(call: &Call, file: Bytes, sheet: Option<&SheetName>) -> Result<Bytes, Error> {
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
            call.log_failed_job(SPREADSHEETS, &problem);
            Ok(file)
        }
        read => read,
    }
}
