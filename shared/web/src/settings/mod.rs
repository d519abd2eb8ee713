//! The configuration of a component, read from its variables and checked as a whole.
//!
//! Fail closed: a secret that is missing, too short or malformed makes every call fail; there is no default.

mod database;
mod maintenance;
mod second_person;
mod sessions;
mod sign_in;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use crate::address::TrustedProxies;
use crate::credential::{KEY_PARAMETER, TOKEN_PARAMETER};
use crate::ignored::{IGNORED_PARAMETERS, IgnoredParameters};
use domain::error::Error;
use domain::{NumberRanges, Provinces, Zone};
use operations::{MaintenanceSettings, SecondPerson, SessionLimits, SignInSettings};
use vault::{MIN_SECRET_BYTES, Vault, VaultSettings, Zeroizing, equal_in_constant_time};

/// Longest wait of a row of the call log, in milliseconds.
const MAX_CALL_LOG_INTERVAL_MS: u64 = 1_000;
/// Most stuck cards and most refused calls that an incident can need.
const MAX_COUNTED: u32 = 1_000_000;
/// Most secrets of a component: the present one, and while it is changed another.
const MAX_SECRETS: usize = 2;

/// The variables of one component as text; `None` for those that its interfaces do not use.
#[derive(Clone, Default)]
pub struct Variables {
    /// See [`VaultSettings::sealing_keys`].
    pub sealing_keys: Option<Zeroizing<String>>,
    /// See [`VaultSettings::index_key`].
    pub index_key: Zeroizing<String>,
    /// See [`VaultSettings::home_key`].
    pub home_key: Option<Zeroizing<String>>,
    /// See [`VaultSettings::link_key`].
    pub link_key: Option<Zeroizing<String>>,
    /// See [`VaultSettings::token_key`].
    pub token_key: Option<Zeroizing<String>>,
    /// See [`VaultSettings::transport_keys`].
    pub transport_keys: Option<Zeroizing<String>>,
    /// The secrets of the component's internal interfaces, separated by commas: the first is used in own calls, all are
    /// accepted.
    pub secret: Option<Zeroizing<String>>,
    /// The platform's time zone: see [`Zone::parse`].
    pub time_zone: Option<String>,
    /// The number ranges: see [`NumberRanges::parse`].
    pub number_ranges: Option<String>,
    /// `true` or `false`.
    pub unchecked_eids: Option<String>,
    /// Codes of the provinces that are served, separated by commas; empty: those that ever had numbers.
    pub served_provinces: Option<String>,
    /// Addresses and networks of trusted proxies, separated by commas.
    pub trusted_proxies: Option<String>,
    /// Names of parameters that are ignored, separated by commas.
    pub ignored_parameters: Option<String>,
    /// `true` or `false`.
    pub callback_allow_http: Option<String>,
    /// The address of a PostgreSQL database; empty: the SQLite files of the manifest.
    pub database: Option<Zeroizing<String>>,
    /// Milliseconds for which rows of the call log wait for each other, as a decimal number.
    pub call_log_interval_ms: Option<String>,
    /// Days for which calls are kept, as a decimal number.
    pub call_log_days: Option<String>,
    /// Days for which records are kept after their end, as a decimal number.
    pub record_days: Option<String>,
    /// Days after which a session without a report is closed, as a decimal number.
    pub open_session_days: Option<String>,
    /// Days for which tasks that ended without a written card are kept, as a decimal number.
    pub task_days: Option<String>,
    /// Days for which the steps of cards are kept, as a decimal number.
    pub history_days: Option<String>,
    /// Days for which incidents are kept after they were settled, as a decimal number.
    pub incident_days: Option<String>,
    /// Days for which clients are kept after they were disabled, as a decimal number.
    pub client_days: Option<String>,
    /// Days for which chips are kept after they were replaced or destroyed, as a decimal number.
    pub chip_days: Option<String>,
    /// Days for which numbers are kept after they were retired, as a decimal number.
    pub number_days: Option<String>,
    /// Days for which K and OPc are kept after their number was written, as a decimal number.
    pub written_key_days: Option<String>,
    /// Days for which rows of the audit trail are kept, as a decimal number.
    pub audit_days: Option<String>,
    /// Hours after which a card that is being written has failed, as a decimal number; 0 means never.
    pub writing_limit_hours: Option<String>,
    /// Minutes without an acknowledged step after which a card that is being written is stuck, as a decimal number.
    pub stuck_after_minutes: Option<String>,
    /// Stuck cards that are one severe incident, as a decimal number.
    pub stuck_group_cards: Option<String>,
    /// Share of stuck cards that is one severe incident, in percent, as a decimal number.
    pub stuck_group_percent: Option<String>,
    /// Refused calls of a client within an hour that are an incident, as a decimal number.
    pub refusals_per_hour: Option<String>,
    /// Days after which the last good backup is too old, as a decimal number; 0 means never.
    pub backup_days: Option<String>,
    /// Days after which the last drill of a backup is too old, as a decimal number; 0 means never.
    pub drill_days: Option<String>,
    /// `true` or `false`: whether the host's clock is watched by other means.
    pub clock_trusted: Option<String>,
    /// Low-water mark of a pool in numbers, as a decimal number.
    pub pool_low_water: Option<String>,
    /// Seconds within which two writing sessions are of one power-up, as a decimal number.
    pub power_up_gap_secs: Option<String>,
    /// Requests of a chip within an hour that are an incident, as a decimal number.
    pub power_ups_per_hour: Option<String>,
    /// Minutes within which sessions that alternate between two addresses count, as a decimal number.
    pub alternation_minutes: Option<String>,
    /// Hours for which a session of a person is valid, as a decimal number.
    pub session_hours: Option<String>,
    /// Minutes for which a session may lie unused, as a decimal number.
    pub session_idle_minutes: Option<String>,
    /// Days for which an API key is valid at most, as a decimal number.
    pub api_key_days: Option<String>,
    /// Of whom a one-time code is asked: `changes`, `all` or `off`.
    pub second_factor: Option<String>,
    /// Which acts of staff need a second person: `irreversible` and names of rights, separated by commas.
    pub second_person: Option<String>,
    /// Entries beyond which an act needs a second person, as a decimal number; 0 means never.
    pub second_person_rows: Option<String>,
    /// Minutes after which a second person can carry an act out, as a decimal number.
    pub approval_delay_minutes: Option<String>,
    /// How to ask the operator about its numbers: see [`operations::operator::OperatorApi::parse`].
    pub operator_api: Option<String>,
    /// The credential for the operator's interface.
    pub operator_credential: Option<Zeroizing<String>>,
}

/// The configuration of one component.
pub struct Settings {
    /// The platform's keys.
    pub vault: Vault,
    /// The platform's time zone.
    pub zone: Zone,
    /// The ranges that numbers may belong to.
    pub number_ranges: NumberRanges,
    /// Whether chips may come in whose EIDs have no check digits.
    pub unchecked_eids: bool,
    /// The provinces that are served, if they are configured.
    pub(crate) served_provinces: Option<Provinces>,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: TrustedProxies,
    /// Parameters that are neither read nor refused.
    pub(crate) ignored_parameters: IgnoredParameters,
    /// For how long rows of the call log of calls that changed nothing wait for each other.
    pub(crate) call_log_interval: Duration,
    /// Whether callbacks may go over plain http and to special-purpose addresses: test environments only.
    pub callback_allow_http: bool,
    /// The configuration of the periodic jobs.
    pub maintenance: MaintenanceSettings,
    /// What the sessions of a chip are held to.
    pub sessions: SessionLimits,
    /// How people sign in.
    pub sign_in: SignInSettings,
    /// Which acts of staff need a second person.
    pub(crate) second_person: SecondPerson,
    /// How to ask the operator about its numbers and the credential for it, as they were configured. Read only where
    /// it is asked, so that other components do not contain the reader.
    pub(crate) operator: Option<(String, Zeroizing<String>)>,
    /// The address of the PostgreSQL database, if that is what holds the state and the call log: with times in it after
    /// which the server ends what nobody uses.
    pub database: Option<Zeroizing<String>>,
    secrets: Vec<Zeroizing<String>>,
}

impl Settings {
    /// Reads and checks the variables.
    ///
    /// # Errors
    /// An internal error whose cause names the variable and never its value.
    pub fn from_variables(variables: &Variables) -> Result<Self, Error> {
        let vault = Vault::from_settings(VaultSettings {
            sealing_keys: variables.sealing_keys.as_ref().map(|keys| keys.as_str()),
            index_key: &variables.index_key,
            home_key: variables.home_key.as_ref().map(|key| key.as_str()),
            link_key: variables.link_key.as_ref().map(|key| key.as_str()),
            token_key: variables.token_key.as_ref().map(|key| key.as_str()),
            transport_keys: variables.transport_keys.as_ref().map(|keys| keys.as_str()),
        })?;
        Ok(Self {
            vault,
            zone: zone(variables.time_zone.as_deref())?,
            number_ranges: NumberRanges::parse(variables.number_ranges.as_deref().unwrap_or_default())
                .map_err(|problem| Error::internal(format!("variable number_ranges: {problem}")))?,
            unchecked_eids: flag("unchecked_eids", variables.unchecked_eids.as_deref())?,
            served_provinces: served(variables.served_provinces.as_deref())?,
            trusted_proxies: TrustedProxies::parse(variables.trusted_proxies.as_deref().unwrap_or_default())
                .map_err(|problem| Error::internal(format!("variable trusted_proxies: {problem}")))?,
            ignored_parameters: ignored(variables.ignored_parameters.as_deref())?,
            call_log_interval: Duration::from_millis(number(
                "call_log_interval_ms",
                variables.call_log_interval_ms.as_deref(),
                0,
                0..=MAX_CALL_LOG_INTERVAL_MS,
            )?),
            callback_allow_http: flag("callback_allow_http", variables.callback_allow_http.as_deref())?,
            maintenance: maintenance::settings(variables)?,
            sessions: sessions::settings(variables)?,
            sign_in: sign_in::settings(variables)?,
            second_person: second_person::settings(variables)?,
            operator: variables
                .operator_api
                .clone()
                .map(|api| (api, variables.operator_credential.clone().unwrap_or_default())),
            database: database::address(variables.database.as_ref())?,
            secrets: secrets(variables.secret.as_ref())?,
        })
    }

    /// Whether the component is opened by a secret.
    pub(crate) fn has_secret(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// The component's secret, to call another component with the same secret.
    pub fn own_secret(&self) -> &str {
        self.secrets.first().map_or("", |secret| secret.as_str())
    }

    /// Whether `presented` is one of the component's secrets, in constant time. A component without one accepts
    /// nothing.
    pub fn is_secret(&self, presented: &str) -> bool {
        let is = |secret: &Zeroizing<String>| equal_in_constant_time(secret, presented);
        self.secrets
            .iter()
            .fold(false, |found, secret| found | is(secret))
    }
}

/// The secrets of a component: while one is changed, the one before it is accepted too.
fn secrets(text: Option<&Zeroizing<String>>) -> Result<Vec<Zeroizing<String>>, Error> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let parts = text.split(',').map(|part| Zeroizing::new(part.trim().to_owned()));
    let secrets: Vec<_> = parts.collect();
    if secrets.len() > MAX_SECRETS || secrets.iter().any(|secret| secret.len() < MIN_SECRET_BYTES) {
        return Err(Error::internal(
            "the component's secret is not one or two of at least 32 bytes, separated by a comma",
        ));
    }
    Ok(secrets)
}

fn zone(text: Option<&str>) -> Result<Zone, Error> {
    let Some(text) = text else {
        return Ok(Zone::UTC.clone());
    };
    Zone::parse(text).ok_or_else(|| {
        Error::internal("variable time_zone: neither a known time zone nor an offset such as +08:00")
    })
}

fn served(text: Option<&str>) -> Result<Option<Provinces>, Error> {
    let codes = text.filter(|codes| !codes.trim().is_empty());
    let wrong = |problem| Error::internal(format!("variable served_provinces: {problem}"));
    codes.map(Provinces::parse).transpose().map_err(wrong)
}

fn ignored(text: Option<&str>) -> Result<IgnoredParameters, Error> {
    let wrong = |problem: String| Error::internal(format!("variable ignored_parameters: {problem}"));
    let ignored = IgnoredParameters::parse(text.unwrap_or(IGNORED_PARAMETERS)).map_err(wrong)?;
    // Where no credential is taken, one is refused, so that its sender learns that it was shown to somebody.
    if ignored.contains(TOKEN_PARAMETER) || ignored.contains(KEY_PARAMETER) {
        return Err(wrong("a credential cannot be ignored".to_owned()));
    }
    Ok(ignored)
}

/// A whole number within its bounds, or the default where the variable is not given.
fn number<T>(name: &str, text: Option<&str>, default: T, bounds: RangeInclusive<T>) -> Result<T, Error>
where
    T: FromStr + PartialOrd + Display,
{
    let Some(text) = text else { return Ok(default) };
    let number = text.parse().ok().filter(|number| bounds.contains(number));
    number.ok_or_else(|| {
        let (least, most) = (bounds.start(), bounds.end());
        Error::internal(format!("variable {name}: not a number from {least} to {most}"))
    })
}

fn flag(name: &str, text: Option<&str>) -> Result<bool, Error> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Error::internal(format!(
            "variable {name}: neither true nor false"
        ))),
    }
}

#[cfg(test)]
mod tests;
