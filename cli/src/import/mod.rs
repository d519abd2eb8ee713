//! `xieka import`: reads a table of any size on this machine, and sends it to the import interfaces of a running platform
//! in parts. Repeating the command is safe, and goes on where it stopped.
//!
//! The platform alone judges rows. Key material is in tables only wrapped; nothing of it may be printed or kept.

mod journal;
mod outcome;

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use operations::{TableKind, TablePart, table_parts};
use serde_json::Value;
use spreadsheet::{Limits, csv, gbk, is_archive};

use crate::api::{Answer, Api};
use crate::args::{ImportKind, ImportOptions};
use crate::language::{Language, text};
use crate::secrets::Secrets;
use domain::error::Lang;
use journal::Journal;
use outcome::Outcome;

/// How often a part is sent while the platform does not answer, or answers that it cannot now.
const MAX_TRIES: u32 = 6;
/// The wait before the second try, in seconds; it doubles with each further one.
const FIRST_WAIT_SECS: u64 = 1;

/// Imports a table.
///
/// # Errors
/// A file that is no such table, a platform that does not take it, and rows that were not imported.
pub(crate) async fn run(options: &ImportOptions) -> Result<()> {
    let name = options.file.display();
    let file = std::fs::read(&options.file)
        .with_context(|| text(format!("无法读取 {name}"), format!("cannot read {name}")))?;
    let parts = parts(&file, options).with_context(|| options.file.display().to_string())?;
    let target = Target::new(options)?;
    let mut journal = Journal::open(&options.file, options.preview)?;
    let mut outcome = Outcome::default();
    for (at, part) in parts.iter().enumerate() {
        let digest = target.digest(part);
        let answer = match journal.answer(&digest) {
            Some(answer) => answer.clone(),
            None => {
                let answer = target.send(part).await?;
                journal.add(&digest, &answer)?;
                answer
            }
        };
        outcome.add(&answer, part)?;
        if parts.len() > 1 {
            eprintln!("{}/{}: {}", at + 1, parts.len(), outcome.counts());
        }
    }
    outcome.print(options.preview);
    journal.finish()?;
    let rejected = outcome.rejected();
    ensure!(
        rejected == 0,
        text(
            format!("{rejected} 行未导入"),
            format!("{rejected} rows were not imported")
        )
    );
    Ok(())
}

/// The table in parts that the platform takes.
fn parts(file: &[u8], options: &ImportOptions) -> Result<Vec<TablePart>> {
    let kind = match options.kind {
        ImportKind::Chips => TableKind::Chips,
        ImportKind::Numbers => TableKind::Numbers,
    };
    let cut = |file: &[u8]| table_parts(file, kind, options.accept_zeros, gbk);
    let lang = Language::of_this_process().pick(Lang::Zh, Lang::En);
    let parts = if is_archive(file) {
        let csv = csv(file, options.sheet.as_deref(), Limits::NONE).map_err(|unread| {
            let [zh, en] = unread.message();
            anyhow::anyhow!(Language::of_this_process().pick(zh, en))
        })?;
        cut(csv.as_bytes())
    } else {
        ensure!(
            options.sheet.is_none(),
            text("只有工作簿才有工作表", "only a workbook has sheets")
        );
        cut(file)
    };
    parts.map_err(|error| anyhow::anyhow!(error.message(lang)))
}

/// The interface that takes the table.
struct Target {
    api: Api,
    secret: String,
    path: &'static str,
    query: Vec<(&'static str, String)>,
    platform: String,
}

impl Target {
    fn new(options: &ImportOptions) -> Result<Self> {
        let secret = match &options.api_key {
            Some(key) => key.clone(),
            None => Secrets::read(&options.env)?
                .first("SPIN_VARIABLE_ADMIN_SECRET")?
                .to_owned(),
        };
        let platform = options.platform.trim_end_matches('/').to_owned();
        ensure!(
            platform.starts_with("http://"),
            text(
                "平台地址应以 http:// 开头；经由 https 的平台请在其所在机器上导入",
                "a platform's address begins with http://; import into one behind https on its own machine"
            )
        );
        let path = match options.kind {
            ImportKind::Chips => "/admin/v1/chips:import",
            ImportKind::Numbers => "/admin/v1/numbers:import",
        };
        if options.client.is_some() && matches!(options.kind, ImportKind::Numbers) {
            bail!(text("--client 只用于芯片", "--client is for chips alone"));
        }
        let mut query: Vec<_> = options
            .client
            .iter()
            .map(|id| ("client_id", id.clone()))
            .collect();
        for (name, is_chosen) in [
            ("preview", options.preview),
            ("accept_zeros", options.accept_zeros),
        ] {
            query.extend(is_chosen.then(|| (name, "true".to_owned())));
        }
        Ok(Self {
            api: Api::new(platform.clone()).in_language(Language::of_this_process()),
            secret,
            path,
            query,
            platform,
        })
    }

    /// What the part and its way of import are known by.
    fn digest(&self, part: &TablePart) -> String {
        journal::digest(&[
            self.platform.as_str(),
            self.path,
            &format!("{:?}", self.query),
            &part.csv,
        ])
    }

    /// Sends a part until it is answered. Sending one again changes nothing.
    async fn send(&self, part: &TablePart) -> Result<Value> {
        let query: Vec<(&str, &str)> = self
            .query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let mut wait = Duration::from_secs(FIRST_WAIT_SECS);
        for _ in 1..MAX_TRIES {
            match self.once(&query, part).await {
                Ok(answer) if answer.status < 500 && answer.status != 429 => return self.accepted(answer),
                Ok(answer) => eprintln!("HTTP {}", answer.status),
                Err(error) => eprintln!("{error:#}"),
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        let stopped = text(
            "导入中断；再次执行同一命令即继续",
            "the import stopped; the same command again goes on",
        );
        self.accepted(self.once(&query, part).await.context(stopped)?)
            .context(stopped)
    }

    async fn once(&self, query: &[(&str, &str)], part: &TablePart) -> Result<Answer> {
        self.api
            .post_csv(&self.secret, self.path, query, part.csv.clone())
            .await
    }

    fn accepted(&self, answer: Answer) -> Result<Value> {
        answer.ok(text("导入", "importing"))
    }
}
