//! `X-Admin-From`: who is asking. Amendment B leaves the content free; SGP.02 §2.4.3 gives it a form.
//!
//! It must never be proof of identity: only the PSK is.

use core::fmt;

use super::target::{aid_path, parse_aid};
use crate::ident::{Aid, Eid};
use crate::{Error, Result};

const SE_ID: &str = "//se-id/eid/";
const AA_ID: &str = "//aa-id/aid/";

/// The SGP.02 form: `//se-id/eid/<EID>;//aa-id/aid/<RID>/<PIX>`.
#[derive(Clone, PartialEq, Eq)]
pub struct AgentId {
    /// EID of the chip.
    pub eid: Eid,
    /// The admin agent in it: usually the ISD-R.
    pub aid: Aid,
}

impl AgentId {
    /// Parses a header value in the SGP.02 form.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let text = super::value(bytes)?;
        let rest = text.strip_prefix(SE_ID).ok_or(Error::new(0, "//se-id/eid/"))?;
        let (eid, agent) = rest
            .split_once(';')
            .ok_or(Error::new(text.len(), "; between chip and agent"))?;
        let agent_at = SE_ID.len() + eid.len() + 1;
        let eid = Eid::from_digits(eid).map_err(|error| error.shifted(SE_ID.len()))?;
        let path = agent
            .strip_prefix(AA_ID)
            .ok_or(Error::new(agent_at, "//aa-id/aid/"))?;
        let aid = parse_aid(path).map_err(|error| error.shifted(agent_at + AA_ID.len()))?;
        Ok(Self { eid, aid })
    }

    /// The header value as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SE_ID}{};{AA_ID}{}", self.eid, aid_path(&self.aid))
    }
}

impl fmt::Debug for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentId({}, {})", self.eid.masked(), self.aid)
    }
}
