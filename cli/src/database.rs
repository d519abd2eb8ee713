//! The PostgreSQL database of a platform: its address, and the servers that the components may reach for it.

use anyhow::{Context as _, Result, bail};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::language::text;
use crate::secrets::Secrets;

/// The variable with the address.
pub(crate) const DATABASE: &str = "SPIN_VARIABLE_DATABASE";
/// How the variables of the servers are called, but for their numbers.
const DATABASE_HOST: &str = "SPIN_VARIABLE_DATABASE_HOST_";
/// The number of variables for servers: a primary and its replicas.
const MAX_HOSTS: usize = 3;
/// The port of a server whose address has none.
const DEFAULT_PORT: u16 = 5432;

/// Sets the variables for the database at `address`, else for that of the secrets. Returns whether there is one.
///
/// # Errors
/// The address is no URL of PostgreSQL, names no server, a socket, or too many servers.
pub(crate) fn configure(secrets: &mut Secrets, address: Option<&str>) -> Result<bool> {
    if let Some(address) = address {
        secrets.set(DATABASE, address);
    }
    let address = secrets.get(DATABASE).unwrap_or_default().to_owned();
    if address.is_empty() {
        return Ok(false);
    }
    let hosts = hosts(&address).with_context(|| DATABASE.trim_start_matches("SPIN_VARIABLE_"))?;
    for (number, host) in (1..=MAX_HOSTS).zip(hosts.into_iter().chain(std::iter::repeat(String::new()))) {
        secrets.set(&format!("{DATABASE_HOST}{number}"), host);
    }
    Ok(true)
}

/// Whether a text is meant as the address of a database, not as a file.
pub(crate) fn is_address(text: &str) -> bool {
    ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
}

/// What an address says.
///
/// # Errors
/// It is no URL of PostgreSQL.
pub(crate) fn config(address: &str) -> Result<Config> {
    // The library's error could quote the address, which holds a password.
    let config = address.parse().ok().filter(|_| is_address(address));
    config.context(text(
        "地址的形式应为 postgres://用户:密码@主机:端口/数据库",
        "the address must be postgres://user:password@host:port/database",
    ))
}

/// The entries of `allowed_outbound_hosts` for an address.
fn hosts(address: &str) -> Result<Vec<String>> {
    let config = config(address)?;
    let ports = config.get_ports();
    let mut hosts = Vec::new();
    for (at, host) in config.get_hosts().iter().enumerate() {
        let Host::Tcp(name) = host else {
            bail!(text(
                "组件不能使用 Unix 套接字",
                "components cannot use a Unix socket"
            ));
        };
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(DEFAULT_PORT);
        hosts.push(format!("postgres://{name}:{port}"));
    }
    if hosts.is_empty() || hosts.len() > MAX_HOSTS {
        bail!(text(
            format!("地址应含 1 至 {MAX_HOSTS} 台服务器"),
            format!("the address must name 1 to {MAX_HOSTS} servers")
        ));
    }
    Ok(hosts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(secrets: &Secrets, number: u32) -> &str {
        secrets.get(&format!("{DATABASE_HOST}{number}")).unwrap()
    }

    #[test]
    fn an_address_names_the_servers_that_components_may_reach() {
        for (address, expected) in [
            (
                "postgres://u:p@db.example/x",
                ["postgres://db.example:5432", "", ""],
            ),
            (
                "postgresql://u@127.0.0.1:6000/x",
                ["postgres://127.0.0.1:6000", "", ""],
            ),
            (
                "postgres://u@a.example:1,b.example:2/x?target_session_attrs=read-write",
                ["postgres://a.example:1", "postgres://b.example:2", ""],
            ),
        ] {
            let mut secrets = Secrets::generate().unwrap();
            assert!(configure(&mut secrets, Some(address)).unwrap());
            assert_eq!(secrets.get(DATABASE).unwrap(), address);
            let hosts = [1, 2, 3].map(|number| host(&secrets, number));
            assert_eq!(hosts, expected, "{address}");
        }
    }

    #[test]
    fn the_address_may_also_be_in_the_file_of_the_secrets() {
        let mut secrets = Secrets::generate().unwrap();
        assert!(!configure(&mut secrets, None).unwrap());
        secrets.set(DATABASE, "postgres://u@db.example/x");
        assert!(configure(&mut secrets, None).unwrap());
        assert_eq!(host(&secrets, 1), "postgres://db.example:5432");
    }

    #[test]
    fn other_addresses_are_refused_without_their_password() {
        for address in [
            "mysql://u:hunter2@db.example/x",
            "host=db.example user=u password=hunter2",
            "postgres://u:hunter2@db.example:port/x",
            "postgres://u:hunter2@%2Ftmp/x",
            "postgres://u:hunter2@a,b,c,d/x",
            "postgres:///x",
        ] {
            let error = configure(&mut Secrets::generate().unwrap(), Some(address)).unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{address}: {error:?}");
        }
    }
}
