//! What a body is: applet management (RAM) or file management (RFM), request or answer
//! (Amendment B §3.4, TS 102 226 §7.4).
//!
//! It must never treat another version as 1.0.

use crate::{Error, Result};

/// The four media types of remote administration, all of version 1.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// Card content management commands, to a security domain.
    RamCommand,
    /// Responses to card content management commands.
    RamResponse,
    /// Remote file management commands, to an RFM application.
    RfmCommand,
    /// Responses to remote file management commands.
    RfmResponse,
}

impl ContentType {
    const ALL: [Self; 4] = [
        Self::RamCommand,
        Self::RamResponse,
        Self::RfmCommand,
        Self::RfmResponse,
    ];

    /// Text of the header value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RamCommand => "application/vnd.globalplatform.card-content-mgt;version=1.0",
            Self::RamResponse => "application/vnd.globalplatform.card-content-mgt-response;version=1.0",
            Self::RfmCommand => "application/vnd.etsi.scp.command-data;version=1.0",
            Self::RfmResponse => "application/vnd.etsi.scp.response-data;version=1.0",
        }
    }

    /// The header value as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.as_str().as_bytes().to_vec()
    }

    /// Parses a header value; case and spaces around the semicolon do not matter.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let text = super::value(bytes)?;
        let (media, parameter) = text.split_once(';').unwrap_or((text, ""));
        let same = |known: &Self| {
            known
                .as_str()
                .split_once(';')
                .is_some_and(|(known_media, known_parameter)| {
                    known_media.eq_ignore_ascii_case(media.trim())
                        && known_parameter.eq_ignore_ascii_case(parameter.trim())
                })
        };
        Self::ALL.into_iter().find(same).ok_or(Error::new(
            0,
            "a media type of remote administration, version 1.0",
        ))
    }
}
