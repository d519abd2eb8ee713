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
    /// The eleven settings of retention (`call_log_days` to `audit_days`), `writing_limit_hours`, `stuck_after_minutes`, `stuck_group_cards`,
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
    /// `session_hours`, `session_idle_minutes`, `api_key_days`, `second_factor`: signs people in.
    pub sign_in: bool,
    /// `second_person`, `second_person_rows`, `approval_delay_minutes`: serves staff.
    pub staff: bool,
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
        sign_in: false,
        staff: false,
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

/// Whether a variable is required, its name, and where it goes.
type Places<'a> = Vec<(bool, &'static str, &'a mut Option<String>)>;

/// Reads what the component requires, one after the other in a loop: a wait for each would be a state of its own, and
/// every component has this.
async fn read(required: RequiredVariables) -> Result<Variables, Error> {
    let (mut read, mut index_key) = (Variables::default(), None);
    let secrets = [
        (required.sealing_keys, "sealing_keys", &mut read.sealing_keys),
        (true, "index_key", &mut index_key),
        (required.home_key, "home_key", &mut read.home_key),
        (required.link_key, "link_key", &mut read.link_key),
        (required.token_key, "token_key", &mut read.token_key),
        (
            required.transport_keys,
            "transport_keys",
            &mut read.transport_keys,
        ),
        (
            required.secret.is_some(),
            required.secret.unwrap_or_default(),
            &mut read.secret,
        ),
        (true, "database", &mut read.database),
        (
            required.operator,
            "operator_credential",
            &mut read.operator_credential,
        ),
    ];
    for (is_required, name, place) in secrets {
        if is_required {
            *place = Some(Zeroizing::new(text(name).await?));
        }
    }
    read_settings(required, &mut read).await?;
    periodic_work(required, &mut read).await?;
    read.index_key = index_key.unwrap_or_default();
    Ok(read)
}

async fn read_settings(required: RequiredVariables, read: &mut Variables) -> Result<(), Error> {
    let texts = [
        (true, "time_zone", &mut read.time_zone),
        (true, "trusted_proxies", &mut read.trusted_proxies),
        (true, "ignored_parameters", &mut read.ignored_parameters),
        (true, "call_log_interval_ms", &mut read.call_log_interval_ms),
        (
            required.callback_allow_http,
            "callback_allow_http",
            &mut read.callback_allow_http,
        ),
        (
            required.pool_low_water,
            "pool_low_water",
            &mut read.pool_low_water,
        ),
        (
            required.device_sessions,
            "power_up_gap_secs",
            &mut read.power_up_gap_secs,
        ),
        (
            required.device_sessions,
            "power_ups_per_hour",
            &mut read.power_ups_per_hour,
        ),
        (
            required.device_sessions,
            "alternation_minutes",
            &mut read.alternation_minutes,
        ),
        (required.number_ranges, "number_ranges", &mut read.number_ranges),
        (
            required.unchecked_eids,
            "unchecked_eids",
            &mut read.unchecked_eids,
        ),
        (
            required.served_provinces,
            "served_provinces",
            &mut read.served_provinces,
        ),
        (required.operator, "operator_api", &mut read.operator_api),
        (required.sign_in, "session_hours", &mut read.session_hours),
        (
            required.sign_in,
            "session_idle_minutes",
            &mut read.session_idle_minutes,
        ),
        (required.sign_in, "api_key_days", &mut read.api_key_days),
        (required.sign_in, "second_factor", &mut read.second_factor),
        (required.staff, "second_person", &mut read.second_person),
        (required.staff, "second_person_rows", &mut read.second_person_rows),
        (
            required.staff,
            "approval_delay_minutes",
            &mut read.approval_delay_minutes,
        ),
    ];
    fill(Places::from(texts)).await
}

async fn periodic_work(required: RequiredVariables, read: &mut Variables) -> Result<(), Error> {
    let texts = [
        (required.maintenance, "call_log_days", &mut read.call_log_days),
        (
            required.maintenance,
            "writing_limit_hours",
            &mut read.writing_limit_hours,
        ),
        (
            required.maintenance,
            "stuck_after_minutes",
            &mut read.stuck_after_minutes,
        ),
        (
            required.maintenance,
            "stuck_group_cards",
            &mut read.stuck_group_cards,
        ),
        (
            required.maintenance,
            "stuck_group_percent",
            &mut read.stuck_group_percent,
        ),
        (
            required.maintenance,
            "refusals_per_hour",
            &mut read.refusals_per_hour,
        ),
        (required.maintenance, "backup_days", &mut read.backup_days),
        (required.maintenance, "drill_days", &mut read.drill_days),
        (required.maintenance, "clock_trusted", &mut read.clock_trusted),
        (required.maintenance, "record_days", &mut read.record_days),
        (
            required.maintenance,
            "open_session_days",
            &mut read.open_session_days,
        ),
        (required.maintenance, "task_days", &mut read.task_days),
        (required.maintenance, "history_days", &mut read.history_days),
        (required.maintenance, "incident_days", &mut read.incident_days),
        (required.maintenance, "client_days", &mut read.client_days),
        (required.maintenance, "chip_days", &mut read.chip_days),
        (required.maintenance, "number_days", &mut read.number_days),
        (
            required.maintenance,
            "written_key_days",
            &mut read.written_key_days,
        ),
        (required.maintenance, "audit_days", &mut read.audit_days),
    ];
    fill(Places::from(texts)).await
}

async fn fill(places: Places<'_>) -> Result<(), Error> {
    for (is_required, name, place) in places {
        if is_required {
            *place = Some(text(name).await?);
        }
    }
    Ok(())
}

async fn text(name: &str) -> Result<String, Error> {
    // The host's own text may quote a value; the name is enough.
    variables::get(name)
        .await
        .map_err(|_| Error::internal(format!("variable {name} is not available")))
}
