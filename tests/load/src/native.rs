//! The native baseline: the routers of two components on rusqlite, with the same layers, operations and durability.
//! The difference to the platform is the cost of components.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use native_host::{NativeHost, serve};
use vault::Zeroizing;
use web::{App, Settings, Variables};
use xieka::secrets::Secrets;

use crate::generate::{OsRandom, now};

/// The running server.
pub(crate) struct Native {
    pub(crate) addr: SocketAddr,
    file: PathBuf,
}

impl Native {
    pub(crate) fn start(file: &Path, secrets: &Secrets) -> Result<Self> {
        let variables = variables(secrets)?;
        let database = file.to_owned();
        let addr = serve(move || {
            // The variables were checked below, before the first thread began.
            let settings = Settings::from_variables(&variables).expect("sound variables");
            let app = App::new(NativeHost::new(database.clone(), settings, now, OsRandom));
            let router = write_status_router::router().merge(write_apply_router::router());
            web::service(router, app)
        })?;
        Ok(Self {
            addr,
            file: file.to_owned(),
        })
    }

    /// Gives the client limits that no run reaches.
    pub(crate) fn lift_limits(&self) -> Result<()> {
        let db = rusqlite::Connection::open(&self.file)?;
        let limits = r#"{"write.status":1000000,"write.apply":1000000}"#;
        db.execute("UPDATE client SET limits = ?1", [limits])?;
        Ok(())
    }
}

fn variables(secrets: &Secrets) -> Result<Variables> {
    let get = |name: &str| secrets.get(&format!("SPIN_VARIABLE_{name}"));
    let variables = Variables {
        sealing_keys: Some(Zeroizing::new(get("SEALING_KEYS")?.to_owned())),
        index_key: Zeroizing::new(get("INDEX_KEY")?.to_owned()),
        home_key: Some(Zeroizing::new(get("HOME_KEY")?.to_owned())),
        token_key: Some(Zeroizing::new(get("TOKEN_KEY")?.to_owned())),
        ..Variables::default()
    };
    Settings::from_variables(&variables).map_err(|problem| anyhow!("{problem}"))?;
    Ok(variables)
}
