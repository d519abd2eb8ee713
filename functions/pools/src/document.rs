//! The JSON documents of acts on numbers and chips.

use domain::Iccid;
use domain::error::Reason;
use serde::Deserialize;
use serde_json::Value;
use spin_host::Connection;
use web::{Call, Refusal, field, present};

/// The request of any of these acts. One type for all: a reader for each would be a tenth of the component.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct InventoryRequest {
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

impl InventoryRequest {
    /// The request of an act that takes the fields called `names` and no others.
    pub(crate) fn read(call: &Call<'_, Connection>, names: &[&str]) -> Result<Self, Refusal> {
        let request: Self = call.json()?;
        for (name, is_there) in [
            ("eid", request.eid.is_some()),
            ("faulty", request.faulty.is_some()),
            ("client_id", request.client_id.is_some()),
            ("iccids", request.iccids.is_some()),
            ("msisdn", request.msisdn.is_some()),
            ("iccid", request.iccid.is_some()),
            ("temp_msisdn", request.temp_msisdn.is_some()),
            ("temp_iccid", request.temp_iccid.is_some()),
            ("temp_imsi", request.temp_imsi.is_some()),
            ("temp_opened_on", request.temp_opened_on.is_some()),
            ("network_type", request.network_type.is_some()),
            ("allowance_mb", request.allowance_mb.is_some()),
        ] {
            if is_there && !names.contains(&name) {
                return Err(Refusal::of_field(name, Reason::ParameterUnknown));
            }
        }
        Ok(request)
    }

    pub(crate) fn iccids(&self) -> Result<Vec<Iccid>, Refusal> {
        let texts = present("iccids", self.iccids.as_ref())?;
        texts
            .iter()
            .map(|text| field("iccids", Iccid::parse(text)))
            .collect()
    }
}
