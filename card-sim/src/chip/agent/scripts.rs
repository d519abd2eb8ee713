//! Passes a received script to the targeted application, if it may be run (Amendment B §3.4.2, §3.6;
//! TS 102 226 §7.4).
//!
//! It must never run a script for an application other than the one the header names.

use super::http::{Response, ScriptStatus};
use crate::chip::core::Core;
use crate::chip::rfm::{self, CommandSession};

/// Media type of a remote application management script.
const RAM_COMMAND: &str = "application/vnd.globalplatform.card-content-mgt";
/// Media type of a remote file management script.
const RFM_COMMAND: &str = "application/vnd.etsi.scp.command-data";
/// Media type of the results of a remote file management script.
const RFM_RESPONSE: &str = "application/vnd.etsi.scp.response-data;version=1.0";

/// Result of a received script.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The script was run.
    Ran {
        /// Media type of the results.
        media_type: &'static str,
        /// The response script.
        response: Vec<u8>,
    },
    /// The script was not run, for this reason.
    Refused(ScriptStatus),
}

/// The command session of an administration session.
#[derive(Default)]
pub(super) struct Scripts {
    session: Option<CommandSession>,
    /// REFRESH qualifier that was ordered last.
    pub refresh: Option<u8>,
    /// At least one script was run.
    pub ran: bool,
}

impl Scripts {
    /// Checks and runs the script of a response.
    pub(super) fn handle(&mut self, core: &mut Core, response: &Response) -> Verdict {
        match check_target(core, response) {
            Ok(()) => {}
            Err(status) => {
                // Another target or another type ends the command session (§3.6).
                self.session = None;
                return Verdict::Refused(status);
            }
        }
        let start = core.card.rfm_start;
        let session = self.session.get_or_insert_with(|| CommandSession::start(start));
        let outcome = rfm::run(core, session, &response.body);
        self.refresh = outcome.refresh.or(self.refresh);
        self.ran = true;
        Verdict::Ran {
            media_type: RFM_RESPONSE,
            response: outcome.response,
        }
    }
}

/// Checks that the script is for the RFM application of this chip, and of a media type it supports.
fn check_target(core: &Core, response: &Response) -> Result<(), ScriptStatus> {
    let target = match &response.target {
        Some(header) => parse_target(header).ok_or(ScriptStatus::UnknownApplication)?,
        None => core.card.domain_aid.encode(),
    };
    let is_rfm = target == core.card.rfm_aid.as_bytes() && !core.faults.rfm_missing;
    let is_domain = target == core.card.domain_aid.as_bytes();
    let content_type = response.content_type.as_deref().unwrap_or_default();
    match media_type(content_type).as_str() {
        _ if !is_rfm && !is_domain => Err(ScriptStatus::UnknownApplication),
        RFM_COMMAND if is_rfm => Ok(()),
        RAM_COMMAND if is_rfm => Err(ScriptStatus::NotASecurityDomain),
        // The security domain manages applications, not files, and this one offers no management at all.
        _ => Err(ScriptStatus::SecurityError),
    }
}

/// Type and subtype in lower case; a version other than 1.0 makes it unknown.
fn media_type(value: &str) -> String {
    let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
    let name = parts.next().unwrap_or_default();
    match parts.next().as_deref() {
        None | Some("version=1.0") => name,
        Some(_) => String::new(),
    }
}

/// The AID in `//aid/<RID>/<PIX>`.
fn parse_target(header: &str) -> Option<Vec<u8>> {
    const RID_DIGITS: usize = 10;
    let (rid, pix) = header.strip_prefix("//aid/")?.split_once('/')?;
    if rid.len() != RID_DIGITS {
        return None;
    }
    hex::decode(format!("{rid}{pix}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_written_as_rid_and_pix() {
        let aid = hex::decode("A00000055910100001").unwrap();
        assert_eq!(parse_target("//aid/A000000559/10100001"), Some(aid.clone()));
        assert_eq!(parse_target("//aid/a000000559/10100001"), Some(aid));
        for wrong in [
            "",
            "//aid/A00000055910100001",
            "//aid/A0000005/5910100001",
            "/aid/A000000559/10",
            "//aid/A000000559/1",
        ] {
            assert_eq!(parse_target(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_version_one_of_a_media_type_is_known() {
        assert_eq!(
            media_type("Application/vnd.etsi.scp.command-data; version=1.0"),
            RFM_COMMAND
        );
        assert_eq!(
            media_type("application/vnd.etsi.scp.command-data;version=2.0"),
            ""
        );
    }
}
