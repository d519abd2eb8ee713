//! `xieka recover`: an enrolment code for a system administrator, made on the machine, when nobody can sign in any more.
//!
//! Whoever runs it has the database and its keys. It may run beside the platform.

use std::time::SystemTime;

use anyhow::{Context as _, Result, anyhow};
use domain::{Timestamp, Zone};
use operations::{Context, CreatedAccount, recover_account};
use store::{Database, Sqlite};

use crate::args::RecoverOptions;
use crate::backup::connect;
use crate::database::{self, DATABASE};
use crate::language::text;
use crate::preflight;
use crate::reindex::{INDEX_KEY, OperatingSystem, env_file};
use crate::secrets::Secrets;
use crate::up::DATABASE_FILE;

/// Makes the code, and prints it.
pub(crate) async fn run(options: &RecoverOptions) -> Result<()> {
    let env = match &options.env {
        Some(env) => env.clone(),
        None => env_file(&options.data)?,
    };
    let secrets = Secrets::read(&env)?;
    let address = secrets.get(DATABASE).ok();
    let now = SystemTime::now().into();
    let made = match address.filter(|address| database::is_address(address)) {
        Some(address) => recover(&connect(address).await?, &secrets, options, now).await?,
        None => {
            let file = options.data.join(DATABASE_FILE);
            let keys = secrets.stored_keys(secrets.get(INDEX_KEY)?)?;
            preflight::database(&file, &keys, now).await?;
            preflight::current_schema(&file).await?;
            let name = file.display().to_string();
            recover(&Sqlite::open(&file).context(name)?, &secrets, options, now).await?
        }
    };
    show(options, &made);
    Ok(())
}

async fn recover<D: Database>(
    db: &D,
    secrets: &Secrets,
    options: &RecoverOptions,
    now: Timestamp,
) -> Result<CreatedAccount> {
    let keys = secrets.stored_keys(secrets.get(INDEX_KEY)?)?;
    let described = |error: domain::error::Error| anyhow!("{error}");
    store::check_keys(db, &keys, now).await.map_err(described)?;
    let context = Context::new((db, db), &keys, now, &OperatingSystem, Zone::UTC);
    let sign_in_name = domain::sign_in_name(&options.sign_in_name)
        .map_err(|malformed| anyhow!(text(malformed.zh, malformed.en)))?;
    let name = options.name.as_deref().unwrap_or(&sign_in_name);
    recover_account(&context, &sign_in_name, name)
        .await
        .map_err(described)
}

fn show(options: &RecoverOptions, made: &CreatedAccount) {
    let (name, code) = (options.sign_in_name.trim(), made.enrolment.code.as_str());
    println!(
        "{}",
        text(
            format!("系统管理员 {name} 的启用码（72 小时内有效，只能使用一次）："),
            format!("enrolment code of the system administrator {name}, valid once and for 72 h:"),
        )
    );
    println!("{code}");
}
