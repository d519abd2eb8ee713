//! What an operator decides about a gateway, from a TOML file, from `XIEKA_GATEWAY_*` and from defaults.
//!
//! It must never accept a name it does not know, nor send the gateway's secret over plain HTTP to another host unless
//! a setting allows that.

mod limits;
mod load;
mod secret;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use gateway_protocol::is_announced_name;
use serde::{Deserialize, Serialize};

pub use limits::{Limits, MAX_BODY_BYTES, MAX_HEADER_BYTES};
pub use load::ENV_PREFIX;
pub use secret::Secret;

/// Default port that chips connect to.
pub const DEFAULT_PORT: u16 = 8443;
/// Default port of metrics and health, on loopback.
pub const DEFAULT_METRICS_PORT: u16 = 9464;
/// Default of the seconds between two ticks of the platform's scheduled work.
pub const DEFAULT_CRON_INTERVAL_SECS: u64 = 15;
/// Default path under which admin agents post.
pub const DEFAULT_ADMIN_PATH: &str = "/adminagent";

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Everything that an operator decides.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Name of the gateway for the platform, another one for each gateway: at most 64 letters, digits, and `.`, `_`, `:`,
    /// `-`. Default the host's.
    pub name: String,
    /// Where chips connect. Default `0.0.0.0:8443`.
    pub listen: SocketAddr,
    /// Where `/metrics`, `/healthz` and `/readyz` are served, in plain HTTP without credentials. Default
    /// `127.0.0.1:9464`; an address of another interface is accepted, but keep it private.
    pub metrics_listen: SocketAddr,
    /// The platform, `http://host:port` or `https://host[:port]`, without a path.
    pub platform_url: String,
    /// Allow plain HTTP to a platform that is not on a loopback address. Default false.
    pub allow_plain_http: bool,
    /// Path under which admin agents post. Default `/adminagent`.
    pub admin_path: String,
    /// Directory of `*.toml` card profiles that are added to the shipped ones or replace those of the same
    /// name. Default none.
    pub profiles_dir: Option<PathBuf>,
    /// Seconds between two ticks of `/internal/cron`; 0 ticks only when a message became due. Default 15.
    pub cron_interval_secs: u64,
    /// Format of log lines. Default text.
    pub log_format: LogFormat,
    /// Which log lines are written, in the syntax of `tracing`'s `EnvFilter`. Default `info`.
    pub log_filter: String,
    /// The bearer secret shared with the platform's `gateway_secret`.
    #[serde(skip_serializing)]
    pub gateway_secret: Secret,
    /// The bearer secret of `/internal/cron`. Not set: the gateway does not tick.
    #[serde(skip_serializing)]
    pub cron_secret: Secret,
    /// The 32-byte key, in hexadecimal, that wraps key material between platform and gateway (RFC 3394); while it is
    /// changed two, separated by a comma.
    #[serde(skip_serializing)]
    pub link_key: Secret,
    /// Master keys by key version: `64:<64 hex digits>[,65:…]`; versions are decimal, 64–79 ('40'–'4F').
    #[serde(skip_serializing)]
    pub master_keys: Secret,
    /// Limits, table `[limits]`.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: String::new(),
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, DEFAULT_PORT)),
            metrics_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_METRICS_PORT)),
            platform_url: String::new(),
            allow_plain_http: false,
            admin_path: DEFAULT_ADMIN_PATH.to_owned(),
            profiles_dir: None,
            cron_interval_secs: DEFAULT_CRON_INTERVAL_SECS,
            log_format: LogFormat::Text,
            log_filter: "info".to_owned(),
            gateway_secret: Secret::default(),
            cron_secret: Secret::default(),
            link_key: Secret::default(),
            master_keys: Secret::default(),
            limits: Limits::default(),
        }
    }
}

impl Settings {
    /// The name of the gateway for the platform.
    pub(crate) fn announced_name(&self) -> String {
        if self.name.is_empty() {
            host_name()
        } else {
            self.name.clone()
        }
    }

    /// Refuses settings that a gateway cannot run with.
    ///
    /// # Errors
    /// The setting and what is wrong with it.
    pub fn check(&self) -> anyhow::Result<()> {
        self.limits.check()?;
        check_platform_url(&self.platform_url, self.allow_plain_http)?;
        ensure!(
            self.name.is_empty() || is_announced_name(&self.name),
            "name must have at most 64 letters, digits, and . _ : -"
        );
        ensure!(!self.gateway_secret.is_empty(), "gateway_secret is not set");
        ensure!(!self.link_key.is_empty(), "link_key is not set");
        ensure!(
            self.admin_path.starts_with('/') && !self.admin_path.contains(['?', '#', ' ']),
            "admin_path must be an absolute path without a query"
        );
        Ok(())
    }
}

/// The name of this host, or of the program where it has none.
fn host_name() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = text.trim();
    if is_announced_name(name) {
        name
    } else {
        env!("CARGO_PKG_NAME")
    }
    .to_owned()
}

fn check_platform_url(url: &str, allow_plain_http: bool) -> anyhow::Result<()> {
    ensure!(!url.is_empty(), "platform_url is not set");
    let uri: http::Uri = url
        .parse()
        .with_context(|| format!("platform_url {url:?} is no URL"))?;
    let host = uri
        .host()
        .with_context(|| format!("platform_url {url:?} names no host"))?;
    ensure!(
        uri.path() == "/" && uri.query().is_none(),
        "platform_url must end after host and port"
    );
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if allow_plain_http || is_loopback(host) => Ok(()),
        Some("http") => bail!(
            "plain HTTP to {host} would show the gateway's secret: use https, or set allow_plain_http = true"
        ),
        _ => bail!("platform_url must begin with http:// or https://"),
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usable() -> Settings {
        Settings {
            platform_url: "http://127.0.0.1:3000".to_owned(),
            gateway_secret: "secret".into(),
            link_key: "00".into(),
            ..Settings::default()
        }
    }

    #[test]
    fn usable_settings_pass_and_every_fault_is_named() {
        usable().check().unwrap();
        type Spoil = fn(&mut Settings);
        let faults: [(Spoil, &str); 10] = [
            (|s| s.name = "a,b".into(), "name must have at most 64 letters"),
            (|s| s.platform_url.clear(), "platform_url is not set"),
            (
                |s| s.platform_url = "http://platform.example".into(),
                "plain HTTP to platform.example",
            ),
            (
                |s| s.platform_url = "ftp://127.0.0.1".into(),
                "must begin with http",
            ),
            (
                |s| s.platform_url = "http://127.0.0.1/base".into(),
                "must end after host and port",
            ),
            (|s| s.platform_url = "/only/a/path".into(), "names no host"),
            (
                |s| s.gateway_secret = Secret::default(),
                "gateway_secret is not set",
            ),
            (|s| s.link_key = Secret::default(), "link_key is not set"),
            (|s| s.admin_path = "adminagent".into(), "admin_path"),
            (
                |s| s.limits.max_sessions = 0,
                "limits.max_sessions must be at least 1",
            ),
        ];
        for (spoil, expected) in faults {
            let mut settings = usable();
            spoil(&mut settings);
            let error = settings.check().unwrap_err().to_string();
            assert!(error.contains(expected), "{error:?} lacks {expected:?}");
        }
    }

    #[test]
    fn plain_http_is_taken_for_loopback_or_by_permission_and_https_always() {
        for url in [
            "http://localhost:1",
            "http://[::1]:1",
            "http://127.9.9.9:1",
            "https://platform.example",
        ] {
            check_platform_url(url, false).unwrap();
        }
        check_platform_url("http://platform.example", true).unwrap();
    }

    #[test]
    fn no_secret_shows_in_debug_output() {
        let mut settings = usable();
        settings.master_keys = "64:abcdef".into();
        let shown = format!("{settings:?}");
        assert!(shown.contains("Secret(****)") && !shown.contains("abcdef") && !shown.contains("\"secret\""));
    }
}
