//! `xieka up`: platform and gateway on this machine, with persistent data.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use serde_json::json;
use tracing_subscriber::EnvFilter;

use crate::api::Api;
use crate::args::UpOptions;
use crate::language::{Language, text};
use crate::secrets::Secrets;
use crate::stack::{Launch, Stack};
use crate::{components, database, interrupt, preflight};

/// File of the secrets, in the current or the data folder.
pub(crate) const ENV_FILE: &str = ".env";
/// Database file in the data folder; it is absent or empty at the first start.
pub(crate) const DATABASE_FILE: &str = ".spin/sqlite_db.db";
/// The file of the call log, below the data folder: as in [`RUNTIME_CONFIG`].
pub(crate) const CALLS_FILE: &str = ".spin/calls.db";
/// Runtime configuration of one machine, in the application's root.
const RUNTIME_CONFIG: &str = "runtime-config/local.toml";
/// The same, with callbacks that may go to this machine and private networks.
const LOCAL_CALLBACKS_CONFIG: &str = "runtime-config/local-callbacks.toml";
/// The variable that lets an administrator enter such addresses.
const ALLOW_HTTP: &str = "SPIN_VARIABLE_CALLBACK_ALLOW_HTTP";

/// Runs until interrupted.
pub(crate) async fn run(options: UpOptions) -> Result<()> {
    log_to_stderr();
    let root = components::application_root()?;
    if !options.no_build {
        components::build(&root)?;
    }
    let data = options.data.display();
    std::fs::create_dir_all(&options.data)
        .with_context(|| text(format!("无法创建 {data}"), format!("cannot make {data}")))?;
    // Held until this function ends.
    let _lock = preflight::lock(&options.data)?;
    let (mut secrets, env_file) = secrets(&options.data)?;
    let uses_postgres = database::configure(&mut secrets, options.database.as_deref())?;
    preflight::owner_only(&env_file)?;
    preflight::no_reindex_begun(&secrets)?;
    let keys = preflight::keys(&secrets)?;
    preflight::gateway(&secrets)?;
    preflight::retention(&secrets)?;
    let database = options.data.join(DATABASE_FILE);
    // An earlier start may have ended before a component filled it.
    let first_start = uses_postgres || std::fs::metadata(&database).map_or(true, |file| file.len() == 0);
    if !uses_postgres {
        preflight::database(&database, &keys, SystemTime::now().into()).await?;
        preflight::call_log(&options.data.join(CALLS_FILE))?;
    }
    let runtime_config = root.join(runtime_config(&mut secrets, options.local_callbacks));
    let mut launch = Launch::on_loopback(root, options.data.clone(), secrets);
    launch.runtime_config = runtime_config;
    launch.listen = options.listen;
    launch.gateway_listen = options.gateway;
    launch.metrics_listen = options.metrics;
    let stack = launch.start().await?;

    show_stack(&stack, &options.data, &env_file);
    if options.local_callbacks {
        println!(
            "{}",
            text(
                "回调       可使用 http，可发往本机与内网（仅用于试用）",
                "callbacks  may use http and go to this machine and private networks (for trials only)",
            )
        );
    }
    let api = stack.api.clone().in_language(Language::of_this_process());
    let admin_secret = launch.secrets.first("SPIN_VARIABLE_ADMIN_SECRET")?;
    // A server may have held the database for long.
    if first_start && !(uses_postgres && has_clients(&api, admin_secret).await?) {
        first_client(&api, admin_secret).await?;
    }
    println!("{}", text("按 Ctrl-C 结束", "Ctrl-C ends"));
    interrupt::received().await?;
    println!("{}", text("正在结束", "ending"));
    stack.shutdown().await;
    Ok(())
}

/// The runtime configuration. With `local_callbacks` it blocks no network, and every address may be entered.
fn runtime_config(secrets: &mut Secrets, local_callbacks: bool) -> &'static str {
    if !local_callbacks {
        return RUNTIME_CONFIG;
    }
    secrets.set(ALLOW_HTTP, "true");
    LOCAL_CALLBACKS_CONFIG
}

/// Prints where everything is. The names have eleven columns in both languages.
fn show_stack(stack: &Stack, data: &Path, env_file: &Path) {
    let (platform, gateway) = (stack.host.addr(), stack.gateway.addr());
    let (metrics, data, env_file) = (stack.gateway.metrics_addr(), data.display(), env_file.display());
    println!("{}http://{platform}", text("平台       ", "platform   "));
    println!(
        "{}",
        text(
            format!("网关       {gateway}（TLS-PSK，供芯片连接）"),
            format!("gateway    {gateway} (TLS-PSK, for chips)"),
        )
    );
    println!("{}http://{metrics}/metrics", text("指标       ", "metrics    "));
    println!("{}{data}", text("数据       ", "data       "));
    println!(
        "{}",
        text(
            format!("密钥       {env_file}（管理员：SPIN_VARIABLE_ADMIN_SECRET）"),
            format!("secrets    {env_file} (administrator: SPIN_VARIABLE_ADMIN_SECRET)"),
        )
    );
}

/// The file of the secrets: `.env` in the current folder, else in the data folder.
pub(crate) fn env_file(data: &Path) -> Result<PathBuf> {
    let (current, stored) = (PathBuf::from(ENV_FILE), data.join(ENV_FILE));
    preflight::same_secrets(&current, &stored)?;
    Ok(if current.is_file() { current } else { stored })
}

/// Reads the secrets, which the first start makes.
fn secrets(data: &Path) -> Result<(Secrets, PathBuf)> {
    let file = env_file(data)?;
    if !file.is_file() {
        Secrets::generate()?.write_new(&file)?;
    }
    Ok((Secrets::read(&file)?, file))
}

/// The answer to `admin_secret` once a system administrator has signed in.
const SECRET_ENDED: u16 = 401;

/// Whether the database has clients already, or people who make them.
async fn has_clients(api: &Api, admin_secret: &str) -> Result<bool> {
    let listed = api.get_as(admin_secret, "/admin/v1/clients", &[]).await?;
    if listed.status == SECRET_ENDED {
        return Ok(true);
    }
    let listed = listed.ok(text("查询业务需求方", "listing the clients"))?;
    Ok(listed["clients"]
        .as_array()
        .is_some_and(|clients| !clients.is_empty()))
}

/// Creates the first client, for calls from this machine, and shows its credentials once.
async fn first_client(api: &Api, admin_secret: &str) -> Result<()> {
    let client = json!({
        "name": "first",
        "phone": "13800000000",
        "ips": ["127.0.0.1/32", "::1/128"],
        // All permissions: the guide calls every interface with this client.
        "permissions": [
            "write.provinces", "write.apply", "write.status", "write.cancel", "write.tasks", "chip.read",
            "chip.fault", "number.read", "number.usage", "number.open_time", "number.city",
        ],
    });
    let created = api
        .post_json(admin_secret, "/admin/v1/clients", &client)
        .await?
        .ok(text("创建首个业务需求方", "creating the first client"))?;
    println!(
        "{}client_id={}",
        text("业务需求方 ", "client     "),
        created["client_id"].as_str().unwrap_or_default()
    );
    println!(
        "           client_secret={} {}",
        created["client_secret"].as_str().unwrap_or_default(),
        text("（仅显示一次）", "(shown once)")
    );
    Ok(())
}

/// Writes the gateway's log lines, whose identifiers are masked, to standard error. `RUST_LOG` filters
/// them; the default is `info`.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = include_str!("../../runtime-config/local.toml");
    const LOCAL_CALLBACKS: &str = include_str!("../../runtime-config/local-callbacks.toml");

    /// The lines that say something.
    fn lines(text: &str) -> Vec<&str> {
        text.lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect()
    }

    #[test]
    fn one_switch_opens_addresses_and_networks_and_changes_nothing_else() {
        let mut secrets = Secrets::generate().unwrap();
        assert_eq!(runtime_config(&mut secrets, false), RUNTIME_CONFIG);
        assert!(secrets.get(ALLOW_HTTP).is_err());
        assert_eq!(runtime_config(&mut secrets, true), LOCAL_CALLBACKS_CONFIG);
        assert_eq!(secrets.get(ALLOW_HTTP).unwrap(), "true");

        let all = lines(LOCAL);
        let blocked = all
            .iter()
            .position(|line| *line == "[outbound_networking]")
            .unwrap();
        assert_eq!(
            lines(LOCAL_CALLBACKS),
            all[..blocked],
            "all but the blocked networks"
        );
        assert!(!all[blocked + 1..].iter().any(|line| line.starts_with("[")));
    }
}
