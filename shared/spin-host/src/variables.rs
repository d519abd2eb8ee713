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

/// The variables that a component requires beyond `index_key`, `database`, `time_zone`, `trusted_proxies`,
/// `ignored_parameters` and `call_log_interval_ms`; the manifest maps exactly these to it.
#[derive(Debug, Clone, Copy)]
pub struct RequiredVariables {
    /// `sealing_keys`: seals or opens stored values.
    pub sealing_keys: bool,
    /// `token_key`: makes or checks tokens.
    pub token_key: bool,
    /// `home_key`: makes identifiers of tasks, sessions or messages of cards.
    pub home_key: bool,
    /// `link_key`: wraps key material for the OTA gateways.
    pub link_key: bool,
    /// `transport_keys`: unwraps imported key material.
    pub transport_keys: bool,
    /// `callback_allow_http`: judges callback addresses.
    pub callback_allow_http: bool,
    /// The ten settings of retention (`call_log_days` to `written_key_days`), `writing_limit_hours`, `stuck_after_minutes`, `stuck_group_cards`,
    /// `stuck_group_percent`, `refusals_per_hour`, `backup_days`, `drill_days`, `clock_trusted`: does the periodic work.
    pub maintenance: bool,
    /// `pool_low_water`: watches or shows the pools of numbers.
    pub pool_low_water: bool,
    /// `power_up_gap_secs`, `power_ups_per_hour`, `alternation_minutes`: opens sessions of chips.
    pub device_sessions: bool,
    /// `number_ranges`: takes numbers in.
    pub number_ranges: bool,
    /// `unchecked_eids`: takes chips in.
    pub unchecked_eids: bool,
    /// `served_provinces`: takes numbers of provinces, or watches their incidents.
    pub served_provinces: bool,
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
        home_key: false,
        link_key: false,
        transport_keys: false,
        callback_allow_http: false,
        maintenance: false,
        pool_low_water: false,
        device_sessions: false,
        number_ranges: false,
        unchecked_eids: false,
        served_provinces: false,
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
        sealing_keys: when(required.sealing_keys, secret("sealing_keys")).await?,
        index_key: secret("index_key").await?,
        home_key: when(required.home_key, secret("home_key")).await?,
        link_key: when(required.link_key, secret("link_key")).await?,
        token_key: when(required.token_key, secret("token_key")).await?,
        transport_keys: when(required.transport_keys, secret("transport_keys")).await?,
        secret: match required.secret {
            Some(name) => Some(secret(name).await?),
            None => None,
        },
        database: Some(secret("database").await?),
        time_zone: Some(text("time_zone").await?),
        trusted_proxies: Some(text("trusted_proxies").await?),
        ignored_parameters: Some(text("ignored_parameters").await?),
        call_log_interval_ms: Some(text("call_log_interval_ms").await?),
        callback_allow_http: when(required.callback_allow_http, text("callback_allow_http")).await?,
        ..settings_of(required).await?
    })
}

/// What configures jobs, pools and the operator's interface.
async fn settings_of(required: RequiredVariables) -> Result<Variables, Error> {
    Ok(Variables {
        call_log_days: when(required.maintenance, text("call_log_days")).await?,
        writing_limit_hours: when(required.maintenance, text("writing_limit_hours")).await?,
        stuck_after_minutes: when(required.maintenance, text("stuck_after_minutes")).await?,
        stuck_group_cards: when(required.maintenance, text("stuck_group_cards")).await?,
        stuck_group_percent: when(required.maintenance, text("stuck_group_percent")).await?,
        refusals_per_hour: when(required.maintenance, text("refusals_per_hour")).await?,
        backup_days: when(required.maintenance, text("backup_days")).await?,
        drill_days: when(required.maintenance, text("drill_days")).await?,
        clock_trusted: when(required.maintenance, text("clock_trusted")).await?,
        record_days: when(required.maintenance, text("record_days")).await?,
        open_session_days: when(required.maintenance, text("open_session_days")).await?,
        task_days: when(required.maintenance, text("task_days")).await?,
        history_days: when(required.maintenance, text("history_days")).await?,
        incident_days: when(required.maintenance, text("incident_days")).await?,
        client_days: when(required.maintenance, text("client_days")).await?,
        chip_days: when(required.maintenance, text("chip_days")).await?,
        number_days: when(required.maintenance, text("number_days")).await?,
        written_key_days: when(required.maintenance, text("written_key_days")).await?,
        pool_low_water: when(required.pool_low_water, text("pool_low_water")).await?,
        power_up_gap_secs: when(required.device_sessions, text("power_up_gap_secs")).await?,
        power_ups_per_hour: when(required.device_sessions, text("power_ups_per_hour")).await?,
        alternation_minutes: when(required.device_sessions, text("alternation_minutes")).await?,
        number_ranges: when(required.number_ranges, text("number_ranges")).await?,
        unchecked_eids: when(required.unchecked_eids, text("unchecked_eids")).await?,
        served_provinces: when(required.served_provinces, text("served_provinces")).await?,
        operator_api: when(required.operator, text("operator_api")).await?,
        operator_credential: when(required.operator, secret("operator_credential")).await?,
        ..Variables::default()
    })
}

/// What `read` reads, if the component requires it.
async fn when<T>(
    is_required: bool,
    read: impl Future<Output = Result<T, Error>>,
) -> Result<Option<T>, Error> {
    if is_required {
        read.await.map(Some)
    } else {
        Ok(None)
    }
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
