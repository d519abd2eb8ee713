//! A component's variables, read from the host and checked once per instance.
//!
//! Fail closed: a missing variable makes every call fail. A failure is not cached, so a component recovers when its
//! provider does.

use std::cell::RefCell;
use std::rc::Rc;

use spin_sdk::variables;

use domain::error::Error;
use vault::Zeroizing;
use web::{Settings, Variables};

thread_local! {
    static SETTINGS: RefCell<Option<Rc<Settings>>> = const { RefCell::new(None) };
}

/// The variables that a component requires beyond `index_key`, `time_zone`, `trusted_proxies`, `ignored_parameters` and
/// `call_log_interval_ms`; the manifest maps exactly these to it.
#[derive(Debug, Clone, Copy)]
pub struct RequiredVariables {
    /// `sealing_keys`: seals or opens stored values.
    pub sealing_keys: bool,
    /// `token_key`: makes or checks tokens.
    pub token_key: bool,
    /// `link_key`: wraps key material for the OTA gateways.
    pub link_key: bool,
    /// `transport_keys`: unwraps imported key material.
    pub transport_keys: bool,
    /// `callback_allow_http`: judges callback addresses.
    pub callback_allow_http: bool,
    /// `call_log_days`, `record_days`, `writing_limit_hours`, `clock_trusted`: does the periodic work.
    pub maintenance: bool,
    /// `pool_low_water`: watches or shows the pools of numbers.
    pub pool_low_water: bool,
    /// `number_ranges`: takes numbers in.
    pub number_ranges: bool,
    /// `operator_api`, `operator_credential`: asks the operator about its numbers.
    pub operator: bool,
    /// The name of the secret of its internal interfaces.
    pub secret: Option<&'static str>,
}

impl RequiredVariables {
    /// Only the blind indexes.
    pub const NONE: Self = Self {
        sealing_keys: false,
        token_key: false,
        link_key: false,
        transport_keys: false,
        callback_allow_http: false,
        maintenance: false,
        pool_low_water: false,
        number_ranges: false,
        operator: false,
        secret: None,
    };
}

/// The component's settings.
///
/// # Errors
/// An internal error whose cause names the variable.
pub(super) async fn settings(required: RequiredVariables) -> Result<Rc<Settings>, Error> {
    if let Some(settings) = SETTINGS.with_borrow(Option::clone) {
        return Ok(settings);
    }
    let settings = Rc::new(Settings::from_variables(&read(required).await?)?);
    SETTINGS.set(Some(Rc::clone(&settings)));
    Ok(settings)
}

async fn read(required: RequiredVariables) -> Result<Variables, Error> {
    Ok(Variables {
        sealing_keys: if required.sealing_keys {
            Some(secret("sealing_keys").await?)
        } else {
            None
        },
        index_key: secret("index_key").await?,
        link_key: if required.link_key {
            Some(secret("link_key").await?)
        } else {
            None
        },
        token_key: if required.token_key {
            Some(secret("token_key").await?)
        } else {
            None
        },
        transport_keys: if required.transport_keys {
            Some(secret("transport_keys").await?)
        } else {
            None
        },
        secret: match required.secret {
            Some(name) => Some(secret(name).await?),
            None => None,
        },
        time_zone: Some(text("time_zone").await?),
        trusted_proxies: Some(text("trusted_proxies").await?),
        ignored_parameters: Some(text("ignored_parameters").await?),
        call_log_interval_ms: Some(text("call_log_interval_ms").await?),
        callback_allow_http: if required.callback_allow_http {
            Some(text("callback_allow_http").await?)
        } else {
            None
        },
        ..settings_of(required).await?
    })
}

/// What configures jobs, pools and the operator's interface.
async fn settings_of(required: RequiredVariables) -> Result<Variables, Error> {
    Ok(Variables {
        call_log_days: if required.maintenance {
            Some(text("call_log_days").await?)
        } else {
            None
        },
        writing_limit_hours: if required.maintenance {
            Some(text("writing_limit_hours").await?)
        } else {
            None
        },
        clock_trusted: if required.maintenance {
            Some(text("clock_trusted").await?)
        } else {
            None
        },
        record_days: if required.maintenance {
            Some(text("record_days").await?)
        } else {
            None
        },
        pool_low_water: if required.pool_low_water {
            Some(text("pool_low_water").await?)
        } else {
            None
        },
        number_ranges: if required.number_ranges {
            Some(text("number_ranges").await?)
        } else {
            None
        },
        operator_api: if required.operator {
            Some(text("operator_api").await?)
        } else {
            None
        },
        operator_credential: if required.operator {
            Some(secret("operator_credential").await?)
        } else {
            None
        },
        ..Variables::default()
    })
}

pub(super) async fn secret(name: &str) -> Result<Zeroizing<String>, Error> {
    text(name).await.map(Zeroizing::new)
}

pub(super) async fn text(name: &str) -> Result<String, Error> {
    // The host's own text may quote a value; the name is enough.
    variables::get(name)
        .await
        .map_err(|_| Error::internal(format!("variable {name} is not available")))
}
