//! The JSON documents of the acts on numbers and chips.

use domain::Iccid;
use domain::error::Reason;
use serde::Deserialize;
use serde_json::Value;
use spin_host::Connection;
use web::{Call, Refusal, field, present};

/// What any of these acts takes. One document for all: a reader for each would fill a tenth of the component.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wanted {
    pub(crate) eid: Option<String>,
    pub(crate) faulty: Option<bool>,
    pub(crate) client_id: Option<String>,
    pub(crate) iccids: Option<Vec<String>>,
    pub(crate) msisdn: Option<String>,
    pub(crate) iccid: Option<String>,
    pub(crate) temp_msisdn: Option<String>,
    pub(crate) temp_iccid: Option<String>,
    pub(crate) temp_imsi: Option<String>,
    pub(crate) temp_opened_on: Option<String>,
    pub(crate) network_type: Option<String>,
    pub(crate) allowance_mb: Option<Value>,
}

impl Wanted {
    /// The document of an act that takes the fields called `names` and no others.
    pub(crate) fn read(call: &Call<'_, Connection>, names: &[&str]) -> Result<Self, Refusal> {
        let wanted: Self = call.json()?;
        for (name, is_there) in [
            ("eid", wanted.eid.is_some()),
            ("faulty", wanted.faulty.is_some()),
            ("client_id", wanted.client_id.is_some()),
            ("iccids", wanted.iccids.is_some()),
            ("msisdn", wanted.msisdn.is_some()),
            ("iccid", wanted.iccid.is_some()),
            ("temp_msisdn", wanted.temp_msisdn.is_some()),
            ("temp_iccid", wanted.temp_iccid.is_some()),
            ("temp_imsi", wanted.temp_imsi.is_some()),
            ("temp_opened_on", wanted.temp_opened_on.is_some()),
            ("network_type", wanted.network_type.is_some()),
            ("allowance_mb", wanted.allowance_mb.is_some()),
        ] {
            if is_there && !names.contains(&name) {
                return Err(Refusal::of_field(name, Reason::ParameterUnknown));
            }
        }
        Ok(wanted)
    }

    pub(crate) fn iccids(&self) -> Result<Vec<Iccid>, Refusal> {
        let texts = present("iccids", self.iccids.as_ref())?;
        texts
            .iter()
            .map(|text| field("iccids", Iccid::parse(text)))
            .collect()
    }
}
