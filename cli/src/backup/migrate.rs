//! `xieka migrate`: runs the migrations that remove something from a database, and only when there is a backup of it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use domain::{DAY_MS, Timestamp};
use store::backup_record::is_recorded;
use store::{Database, Sqlite};

use super::databases::{Databases, is_current};
use super::manifest::{FORMAT, Manifest};
use super::{now, server};
use crate::args::MigrateOptions;
use crate::language::text;

/// Longest time since the backup, in milliseconds.
const MAX_AGE_MS: i64 = DAY_MS;

/// Checks the backup, runs the migrations, and prints which.
pub(crate) async fn run(options: &MigrateOptions) -> Result<()> {
    let databases = Databases::of(&options.target, options.env.as_deref())?;
    let manifest = read(&options.backup)?;
    match &databases {
        Databases::Files { state, .. } => contract(&Sqlite::open(state)?, &manifest).await,
        Databases::Server(address) => contract(&server::connect(address).await?, &manifest).await,
    }
}

/// Reads a manifest whose backup lies beside it.
fn read(file: &Path) -> Result<Manifest> {
    let name = file.display();
    let content =
        fs::read(file).with_context(|| text(format!("无法读取 {name}"), format!("cannot read {name}")))?;
    let read: Option<Manifest> = serde_json::from_slice(&content).ok();
    let manifest = read.filter(|read| read.format == FORMAT).with_context(|| {
        text(
            format!("{name} 不是备份的清单"),
            format!("{name} is no manifest of a backup"),
        )
    })?;
    let backup = file.with_extension("age");
    // Encrypted, it is longer than what is in it.
    let length = fs::metadata(&backup).map_or(0, |found| found.len());
    if length <= manifest.state.bytes {
        let backup = backup.display();
        bail!(text(
            format!("清单旁没有完整的备份 {backup}"),
            format!("the backup {backup} is not whole beside its manifest")
        ));
    }
    Ok(manifest)
}

async fn contract(db: &impl Database, manifest: &Manifest) -> Result<()> {
    if !is_current(db).await? {
        bail!(text(
            "数据库与本版本不符：请先启动一次本版本的平台，再作备份",
            "the database is not of this version: start the platform of this version once, and then make the backup"
        ));
    }
    let at = Timestamp(manifest.state.copied_at_ms);
    let is_of_this = is_recorded(db, &manifest.backup_id, at).await?;
    let version = store::version(db).await?;
    if let Some(problem) = problem(manifest, is_of_this, version, now()) {
        bail!(problem);
    }
    let missing = store::not_contracted(db).await?;
    if missing.is_empty() {
        println!(
            "{}",
            text("没有需要执行的收缩迁移", "no contracting migration is missing")
        );
        return Ok(());
    }
    store::contract(db, now()).await?;
    let missing: Vec<String> = missing.iter().map(i64::to_string).collect();
    let missing = missing.join(", ");
    println!(
        "{}",
        text(
            format!("已执行收缩迁移 {missing}"),
            format!("ran the contracting migrations {missing}")
        )
    );
    Ok(())
}

/// Why a backup does not do for a database of a version, in which it is recorded or not.
fn problem(manifest: &Manifest, is_of_this: bool, version: i64, now: Timestamp) -> Option<String> {
    let Manifest {
        backup_id: id,
        schema_version: own,
        ..
    } = manifest;
    let at = &manifest.state.copied_at;
    let age = now.millis() - manifest.state.copied_at_ms;
    if !is_of_this {
        Some(text(
            format!("备份 {id} 未登记在此数据库中：它不是此数据库的备份"),
            format!("backup {id} is not recorded in this database: it is not one of it"),
        ))
    } else if *own != version {
        Some(text(
            format!("备份 {id} 的数据库结构为 {own}，数据库现为 {version}：请重新备份"),
            format!("backup {id} has schema {own}, and the database {version} by now: make another backup"),
        ))
    } else if !(0..=MAX_AGE_MS).contains(&age) {
        Some(text(
            format!("备份 {id} 制作于 {at}，不在最近 24 小时内：请重新备份"),
            format!("backup {id} is of {at}, and not of the last 24 hours: make another backup"),
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::backup::manifest::{CopiedDatabase, SQLITE, utc};

    const AT: Timestamp = Timestamp(1_782_864_000_000);

    #[test]
    fn a_backup_does_only_for_its_own_database_as_it_was_within_a_day() {
        let manifest = Manifest {
            format: FORMAT,
            backup_id: "0011223344556677".to_owned(),
            created_at: utc(AT),
            product: String::new(),
            engine: SQLITE.to_owned(),
            postgresql: None,
            schema_version: 21,
            state: CopiedDatabase {
                copied_at: utc(AT),
                copied_at_ms: AT.millis(),
                bytes: 1,
                tables: BTreeMap::new(),
            },
            calls: None,
            keys: Vec::new(),
        };
        for (is_of_this, version, later, expected) in [
            (true, 21, 0, None),
            (true, 21, DAY_MS, None),
            (true, 21, DAY_MS + 1, Some("24 hours")),
            (true, 21, -1, Some("24 hours")),
            (true, 22, 0, Some("has schema 21, and the database 22")),
            (false, 21, 0, Some("is not recorded in this database")),
        ] {
            let found = problem(&manifest, is_of_this, version, AT.plus(later));
            assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()));
        }
    }
}
