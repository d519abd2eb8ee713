//! `//aid/<RID>/<PIX>`: how an application is named in headers (Amendment B §3.4.2, RFC 3986 authority-less
//! form of TS 102 588).
//!
//! It must never accept an AID that is not one.

use core::fmt;

use crate::hex_digits::{decode_hex, encode_hex};
use crate::ident::{Aid, RID_BYTES};
use crate::{Error, Result};

const PREFIX: &str = "//aid/";

/// Value of `X-Admin-Targeted-Application`: the application that runs the script. Without the header it is the
/// security domain that owns the TLS session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TargetedApplication(pub Aid);

impl TargetedApplication {
    /// Parses a header value; hexadecimal digits of either case.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let text = super::value(bytes)?;
        let rest = text.strip_prefix(PREFIX).ok_or(Error::new(0, "//aid/"))?;
        parse_aid(rest)
            .map(Self)
            .map_err(|error| error.shifted(PREFIX.len()))
    }

    /// The header value as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl fmt::Display for TargetedApplication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", aid_path(&self.0))
    }
}

/// `<RID>/<PIX>` in upper-case hexadecimal digits.
pub(super) fn aid_path(aid: &Aid) -> String {
    format!("{}/{}", encode_hex(aid.rid()), encode_hex(aid.pix()))
}

/// The AID of `<RID>/<PIX>`.
pub(super) fn parse_aid(path: &str) -> Result<Aid> {
    let (rid, pix) = path
        .split_once('/')
        .ok_or(Error::new(path.len(), "a / between RID and PIX"))?;
    let mut aid = decode_hex(rid)?;
    if aid.len() != RID_BYTES {
        return Err(Error::new(0, "a RID of ten hexadecimal digits"));
    }
    let pix_at = rid.len() + 1;
    aid.extend(decode_hex(pix).map_err(|error| error.shifted(pix_at))?);
    Aid::parse(&aid).map_err(|_| Error::new(pix_at, "a PIX of at most 22 hexadecimal digits"))
}
