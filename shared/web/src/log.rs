//! The operator's log of refused calls: one JSON line, with the cause that the caller never sees.
//!
//! Never log an identifier in full or a secret. Causes are written without them. Text that looks like one is masked
//! here as well, because a cause may quote a database or a library.

use std::net::IpAddr;

use serde::Serialize;

use super::cursor::BoundQuery;
use super::refusal::Refusal;
use domain::error::Error;
use domain::mask_identifiers;

#[derive(Serialize)]
struct Line<'a> {
    level: &'a str,
    interface: &'a str,
    request_id: &'a str,
    from: Option<IpAddr>,
    code: u16,
    reason: &'a str,
    cause: Option<String>,
}

/// The line for a refusal that concerns the operator: one with a cause, or a failure of the platform. `None` for a
/// mistake of the caller.
pub(super) fn line(
    interface: &str,
    request_id: &str,
    from: Option<IpAddr>,
    refusal: &Refusal,
) -> Option<String> {
    let error = &refusal.first().error;
    let status = error.reason().status();
    if error.cause().is_none() && status < 500 {
        return None;
    }
    let line = Line {
        level: if status < 500 { "warn" } else { "error" },
        interface,
        request_id,
        from,
        code: status,
        reason: error.reason().code(),
        cause: error.cause().map(mask_identifiers),
    };
    serde_json::to_string(&line).ok()
}

/// The line for an act of staff that changed nothing and could not be entered in the audit trail.
pub(super) fn unrecorded(right: &str, error: &Error) -> String {
    failed_job(&format!("audit {right}"), error)
}

/// The line for a periodic job that failed.
pub(super) fn failed_job(job: &str, error: &Error) -> String {
    let line = Line {
        level: "error",
        interface: job,
        request_id: "",
        from: None,
        code: error.reason().status(),
        reason: error.reason().code(),
        cause: error.cause().map(mask_identifiers),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// The line for a call, or for refused calls that were summed up, that could not be written into the call log.
pub(super) fn lost(interface: &str, request_id: &str, error: &Error) -> String {
    let line = Line {
        level: "error",
        interface,
        request_id,
        from: None,
        code: error.reason().status(),
        reason: "call_not_logged",
        cause: error.cause().map(mask_identifiers),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// The line for sealed values of listed rows that could not be opened: how many, and why the first could not.
pub(super) fn unreadable(interface: &str, request_id: &str, (count, cause): &(usize, String)) -> String {
    let line = Line {
        level: "error",
        interface,
        request_id,
        from: None,
        code: 200,
        reason: "values_unreadable",
        cause: Some(format!("{count}: {}", mask_identifiers(cause))),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

#[derive(Serialize)]
struct ExportLine<'a> {
    level: &'a str,
    interface: &'a str,
    conditions: Vec<String>,
    reason: &'a str,
    rows: u64,
    sha256: Option<&'a str>,
    cause: Option<String>,
}

/// The line for an export that has ended: what was exported, how many rows, the digest of the file.
pub(super) fn exported(
    query: &BoundQuery,
    reason: &str,
    rows: u64,
    sha256: Option<&str>,
    cause: Option<&str>,
) -> String {
    let line = ExportLine {
        level: if cause.is_some() { "error" } else { "info" },
        interface: query.operation(),
        conditions: query.conditions(),
        reason,
        rows,
        sha256,
        cause: cause.map(mask_identifiers),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::error::Reason;

    #[test]
    fn a_failure_of_the_platform_is_one_line_with_its_cause() {
        let refusal = Refusal::from(Error::internal("row of\n89086030202200000022000000000090"));
        let line = line("write.apply", "r1", Some([203, 0, 113, 9].into()), &refusal).unwrap();
        assert_eq!(
            line,
            r#"{"level":"error","interface":"write.apply","request_id":"r1","from":"203.0.113.9","code":500,"#
                .to_owned() + r#""reason":"internal","cause":"row of\n890860****0090"}"#
        );
    }

    #[test]
    fn a_callers_mistake_is_not_the_operators_business() {
        assert_eq!(line("token", "r1", None, &Reason::ParameterMissing.into()), None);
    }
}
