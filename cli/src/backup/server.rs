//! Databases of PostgreSQL in backups: connections, and the programs `pg_dump` and `pg_restore` of its packages.
//!
//! No program gets an address on its command line, where every user of the machine sees it. `pg_restore` gets none at
//! all: what it writes is run in a transaction of our own, which nobody sees before everything in it is right.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufReader, ErrorKind, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, anyhow, bail};
use native_tls::TlsConnector;
use postgres_native_tls::MakeTlsConnector;
use store::{DbError, Postgres, PostgresCopy, PostgresPool};
use tokio::process::Command;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use super::archive::DUMP;
use super::manifest::Versions;
use super::problem::Problem;
use crate::database::config;
use crate::language::text;

/// The program that copies a database.
const PG_DUMP: &str = "pg_dump";
/// The program that reads its copies.
const PG_RESTORE: &str = "pg_restore";
/// Variables of this process that would lead the programs elsewhere.
const MISLEADING: [&str; 4] = ["PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR", "PGOPTIONS"];
/// What the server says about rows that do not fit each other, by the beginning of its code.
const ABOUT_ROWS: [&str; 2] = ["22", "23"];
/// What it says when a transaction needs more locks than it has memory for.
const NO_LOCKS_LEFT: &str = "53200";
/// Most bytes of a program's errors that are shown.
const MAX_ERROR_BYTES: u64 = 4096;

/// The servers and the database of an address, without user and password.
pub(super) fn name(address: &str) -> Result<String> {
    let config = config(address)?;
    let database = config.get_dbname().unwrap_or_default();
    Ok(format!("postgres://{}/{database}", hosts(&config)))
}

fn hosts(config: &Config) -> String {
    let names = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(folder) => folder.display().to_string(),
    });
    names.collect::<Vec<_>>().join(",")
}

/// Opens a connection, encrypted unless the address or the server does not want that.
pub(crate) async fn connect(address: &str) -> Result<Postgres> {
    let name = name(address)?;
    let unreached = || {
        text(
            format!("无法连接数据库 {name}"),
            format!("cannot reach the database {name}"),
        )
    };
    let tls = MakeTlsConnector::new(TlsConnector::new()?);
    let pool = PostgresPool::over(address, 1, tls).with_context(unreached)?;
    pool.take().await.with_context(unreached)
}

/// The versions of server and `pg_dump`.
///
/// # Errors
/// There is no `pg_dump`, or it is older than the server.
pub(super) async fn dump_versions(address: &str, server: i64) -> Result<Versions> {
    let pg_dump = version(PG_DUMP, Some(&config(address)?)).await?;
    not_older(PG_DUMP, pg_dump, server, text("数据库服务器", "the server"))?;
    Ok(Versions { server, pg_dump })
}

/// A program is not older than what it reads.
fn not_older(program: &str, own: i64, other: i64, of: &str) -> Result<()> {
    if own >= other {
        return Ok(());
    }
    bail!(text(
        format!(
            "{program} 的版本是 {own}，{of}的版本是 {other}：请安装 PostgreSQL {other} 或更高版本的客户端程序"
        ),
        format!(
            "{program} is of version {own}, and {of} of version {other}: install the client programs of PostgreSQL \
             {other} or later"
        )
    ))
}

/// The major version of a program.
async fn version(program: &str, config: Option<&Config>) -> Result<i64> {
    let mut command = command(program, config);
    let output = command.arg("--version").output().await;
    let output = output.map_err(|error| unstarted(program, &error))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    major(&printed).with_context(|| {
        text(
            format!("{program} 的版本无法识别：{}", printed.trim()),
            format!("the version of {program} is not known: {}", printed.trim()),
        )
    })
}

/// The major version in a text such as `pg_dump (PostgreSQL) 15.4 (Debian 15.4-1)`.
fn major(printed: &str) -> Option<i64> {
    let is_digit = |next: char| next.is_ascii_digit();
    let number = printed
        .split_whitespace()
        .find(|word| word.starts_with(is_digit))?;
    let end = number.find(|next| !is_digit(next)).unwrap_or(number.len());
    number[..end].parse().ok()
}

fn unstarted(program: &str, error: &io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::NotFound => anyhow!(text(
            format!("没有找到 {program}：请安装 PostgreSQL 的客户端程序（Debian：postgresql-client）"),
            format!(
                "{program} is not installed: install the client programs of PostgreSQL (Debian: postgresql-client)"
            )
        )),
        _ => anyhow!("{program}: {error}"),
    }
}

/// A program with what it must know of an address in its environment, which other users cannot read.
fn command(program: &str, config: Option<&Config>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).kill_on_drop(true);
    // Its messages, which are shown, in one language.
    command.env("LC_MESSAGES", "C");
    for name in MISLEADING {
        command.env_remove(name);
    }
    if let Some(config) = config {
        command.envs(environment(config));
    }
    command
}

fn environment(config: &Config) -> Vec<(&'static str, OsString)> {
    let joined = |values: &mut dyn Iterator<Item = String>| values.collect::<Vec<_>>().join(",");
    let ports = joined(&mut config.get_ports().iter().map(u16::to_string));
    let addresses = joined(&mut config.get_hostaddrs().iter().map(ToString::to_string));
    let mode = match config.get_ssl_mode() {
        SslMode::Disable => "disable",
        SslMode::Prefer => "prefer",
        _ => "require",
    };
    let session = match config.get_target_session_attrs() {
        TargetSessionAttrs::ReadWrite => "read-write",
        TargetSessionAttrs::ReadOnly => "read-only",
        _ => "any",
    };
    let timeout = config
        .get_connect_timeout()
        .map(|limit| limit.as_secs().to_string());
    let password = config.get_password().map(OsStr::from_bytes);
    let mut found = vec![
        ("PGHOST", Some(hosts(config).into())),
        ("PGHOSTADDR", Some(addresses.into())),
        ("PGPORT", Some(ports.into())),
        ("PGUSER", config.get_user().map(OsString::from)),
        ("PGPASSWORD", password.map(OsString::from)),
        ("PGDATABASE", config.get_dbname().map(OsString::from)),
        ("PGOPTIONS", config.get_options().map(OsString::from)),
        ("PGTARGETSESSIONATTRS", Some(session.into())),
        ("PGCONNECT_TIMEOUT", timeout.map(OsString::from)),
    ];
    // Who wants more than encryption, such as a known certificate, says so in this process's own environment.
    if std::env::var_os("PGSSLMODE").is_none() {
        found.push(("PGSSLMODE", Some(mode.into())));
    }
    let set = found.into_iter().filter_map(|(name, value)| Some((name, value?)));
    set.filter(|(_, value)| !value.is_empty()).collect()
}

/// Copies a database as an exported snapshot shows it into a file.
pub(super) async fn dump(address: &str, snapshot: &str, to: &Path) -> Result<()> {
    let mut command = command(PG_DUMP, Some(&config(address)?));
    command
        .args([
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            "--no-password",
        ])
        .arg(format!("--snapshot={snapshot}"))
        .arg("--file")
        .arg(to);
    let output = command
        .output()
        .await
        .map_err(|error| unstarted(PG_DUMP, &error))?;
    if !output.status.success() {
        bail!("{}", said(PG_DUMP, &output.stderr));
    }
    Ok(())
}

/// What a program that failed said.
fn said(program: &str, errors: &[u8]) -> String {
    let errors = String::from_utf8_lossy(errors);
    let lines: Vec<&str> = errors
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if lines.is_empty() {
        return text(format!("{program} 失败"), format!("{program} failed"));
    }
    lines.join("; ")
}

/// A database that is there, and has nothing in it.
///
/// # Errors
/// It has tables.
pub(super) async fn empty(address: &str) -> Result<PostgresCopy> {
    let copy = PostgresCopy::to_be_filled(connect(address).await?).await?;
    if !copy.is_empty().await? {
        let name = name(address)?;
        bail!(text(
            format!("数据库 {name} 不是空的：恢复不会覆盖任何数据，请指定新的数据库"),
            format!(
                "the database {name} is not empty: a restore never overwrites anything; name a new database"
            )
        ));
    }
    Ok(copy)
}

/// Fills a database that is empty with a copy, in a transaction that is still open.
///
/// # Errors
/// [`Problem::Contents`] when the copy is not what `pg_dump` wrote.
pub(super) async fn fill(address: &str, versions: Option<Versions>, from: &Path) -> Result<PostgresCopy> {
    let copy = empty(address).await?;
    if let Some(made) = versions {
        let (pg_restore, server) = (version(PG_RESTORE, None).await?, copy.server_version().await?);
        let of = text("制作备份的 pg_dump", "the pg_dump of the backup");
        not_older(PG_RESTORE, pg_restore, made.pg_dump, of)?;
        if server < made.server {
            let made = made.server;
            bail!(text(
                format!(
                    "备份来自 PostgreSQL {made}，此服务器的版本是 {server}：请使用 {made} 或更高版本的服务器"
                ),
                format!(
                    "the backup is of PostgreSQL {made}, and this server of version {server}: use one of {made} or later"
                )
            ));
        }
    }
    let mut command = command(PG_RESTORE, None).into_std();
    command
        .args(["--no-owner", "--no-privileges", "--file=-"])
        .arg(from)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut program = command.spawn().map_err(|error| unstarted(PG_RESTORE, &error))?;
    let mut script = BufReader::new(program.stdout.take().context(PG_RESTORE)?);
    let filled = copy.fill(&mut script).await;
    io::copy(&mut script, &mut io::sink())?;
    let mut errors = Vec::new();
    let stderr = program.stderr.take().context(PG_RESTORE)?;
    stderr.take(MAX_ERROR_BYTES).read_to_end(&mut errors)?;
    if !program.wait()?.success() {
        bail!(Problem::Contents(format!(
            "{DUMP}: {}",
            said(PG_RESTORE, &errors)
        )));
    }
    filled.map_err(refused)?;
    Ok(copy)
}

/// Rows that the server refuses are not those that were written; anything else is about the server. A transaction that
/// makes a table for each day of the call log has many locks.
fn refused(error: DbError) -> anyhow::Error {
    match &error {
        DbError::Failed(said) | DbError::Retryable(said)
            if ABOUT_ROWS.iter().any(|code| said.starts_with(code)) =>
        {
            Problem::Contents(format!("{DUMP}: {said}")).into()
        }
        DbError::Busy(said) if said.starts_with(NO_LOCKS_LEFT) => anyhow!(error).context(text(
            "数据库服务器的锁不够：请调大其 max_locks_per_transaction",
            "the server has no locks left: raise its max_locks_per_transaction",
        )),
        _ => anyhow!(error).context(text("数据库未接受备份", "the database does not take the backup")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_program_is_its_major_one() {
        for (printed, expected) in [
            ("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("pg_restore (PostgreSQL) 18beta1", Some(18)),
            ("pg_dump (PostgreSQL) 9.6.24", Some(9)),
            ("pg_dump", None),
            ("", None),
        ] {
            assert_eq!(major(printed), expected, "{printed}");
        }
    }

    #[test]
    fn an_address_is_passed_in_the_environment_and_its_name_has_no_password() {
        let address = "postgres://u:hunt%40er@a.example:1,b.example:2/x?target_session_attrs=read-write";
        let found = environment(&config(address).unwrap());
        for (name, expected) in [
            ("PGHOST", "a.example,b.example"),
            ("PGPORT", "1,2"),
            ("PGUSER", "u"),
            ("PGPASSWORD", "hunt@er"),
            ("PGDATABASE", "x"),
            ("PGTARGETSESSIONATTRS", "read-write"),
        ] {
            let value = found.iter().find(|(own, _)| *own == name).map(|(_, value)| value);
            assert_eq!(value.unwrap(), expected, "{name}");
        }
        assert_eq!(name(address).unwrap(), "postgres://a.example,b.example/x");
    }
}
