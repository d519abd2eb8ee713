//! `xieka audit verify` and `xieka audit export`: holds the audit trail of a database to its own chain and to heads that
//! were kept outside, and writes it out for others who do the same. Reads only, and needs no key.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use domain::Timestamp;
use serde::Deserialize;
use serde_json::json;
use store::audit::{self, AuditHead, Fault, LEAST_AUDIT_DAYS};
use store::{Database, Sqlite};

use super::databases::{Databases, is_current};
use super::verify::MAX_PRINTED;
use super::{Problem, server};
use crate::args::{AuditAction, AuditExportOptions, AuditVerifyOptions};
use crate::language::text;

/// Verifies or writes the trail.
pub(crate) async fn run(action: &AuditAction) -> Result<()> {
    let (source, env) = match action {
        AuditAction::Verify(options) => (&options.source, options.env.as_deref()),
        AuditAction::Export(options) => (&options.source, options.env.as_deref()),
    };
    match Databases::of(source, env)? {
        Databases::Files { state, .. } => {
            let name = state.display();
            on(&Sqlite::open(&state).with_context(|| format!("{name}"))?, action).await
        }
        Databases::Server(address) => on(&server::connect(&address).await?, action).await,
    }
}

async fn on(db: &impl Database, action: &AuditAction) -> Result<()> {
    if !is_current(db).await? {
        bail!(text(
            "数据库与本版本不符：请先启动一次本版本的平台",
            "the database is not of this version: start the platform of this version once first"
        ));
    }
    match action {
        AuditAction::Verify(options) => verify(db, options).await,
        AuditAction::Export(options) => export(db, options).await,
    }
}

async fn verify(db: &impl Database, options: &AuditVerifyOptions) -> Result<()> {
    let mut given = Vec::new();
    for file in &options.heads {
        given.extend(heads(file)?);
    }
    let (rows, end, excused, faults) = audit::verified(db, &given, &options.restored).await?;
    let given = given.len();
    for fault in faults.iter().take(MAX_PRINTED) {
        eprintln!("{}", described(fault));
    }
    if !faults.is_empty() {
        let rule = text("审计记录完整", "the audit trail is whole").to_owned();
        bail!(Problem::Broken(rule, faults.len() as u64));
    }
    let (seq, hash) = (end.seq, hex::encode(end.hash));
    println!(
        "{}",
        text(
            format!("审计记录完整：{rows} 行，止于第 {seq} 行，散列值 {hash}；与给定的 {given} 个链尾核对"),
            format!(
                "the audit trail is whole: {rows} rows, the last is {seq} with hash {hash}; compared with {given} heads"
            )
        )
    );
    if excused > 0 {
        println!(
            "{}",
            text(
                format!("其中 {excused} 个链尾属于恢复之前的分支"),
                format!("{excused} of them are of the branch before the restore")
            )
        );
    }
    Ok(())
}

fn described(fault: &Fault) -> String {
    let days = LEAST_AUDIT_DAYS;
    match fault {
        Fault::Missing { from, to } => text(
            format!("缺少第 {from} 至 {to} 行"),
            format!("rows {from} to {to} are missing"),
        ),
        Fault::Changed(seq) => text(
            format!("第 {seq} 行与其散列值不符：被改动、调换，或不接续前一行"),
            format!("row {seq} is not what its hash says: changed, moved, or not the next of the row before"),
        ),
        Fault::Dropped(seq) => text(
            format!("第 {seq} 行及之前的行已不存在，而审计记录中没有其到期销毁的记录"),
            format!(
                "the rows up to {seq} are gone, and no row says that they were destroyed at the end of their retention"
            ),
        ),
        Fault::DroppedEarly(seq) => text(
            format!("第 {seq} 行及之前的行在最短留存期 {days} 天之前被销毁"),
            format!("the rows up to {seq} were destroyed before {days} days, the least retention"),
        ),
        Fault::TailCut { head, last } => text(
            format!("审计记录止于第 {last} 行，而链尾 {head} 已发出：之后的行被删除"),
            format!(
                "the trail ends with row {last}, but head {head} was sent: the rows after it were removed"
            ),
        ),
        Fault::OtherChain(seq) => text(
            format!("第 {seq} 行的散列值与已发出的链尾不同：之前的行被重写"),
            format!(
                "row {seq} has another hash than the head that was sent: rows up to it were written anew"
            ),
        ),
    }
}

/// A head as its message has it: numbers are text there.
#[derive(Deserialize)]
struct KeptHead {
    seq: String,
    hash: String,
    at_ms: String,
}

/// The heads in a file: messages of the topic `audit_head`, one a line.
fn heads(file: &Path) -> Result<Vec<AuditHead>> {
    let name = file.display();
    let read = fs::read_to_string(file)
        .with_context(|| text(format!("无法读取 {name}"), format!("cannot read {name}")))?;
    let lines = read.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            head(line).with_context(|| {
                text(
                    format!("{name} 中有一行不是 audit_head 消息"),
                    format!("a line of {name} is no message of the topic audit_head"),
                )
            })
        })
        .collect()
}

fn head(line: &str) -> Option<AuditHead> {
    let kept: KeptHead = serde_json::from_str(line).ok()?;
    Some(AuditHead {
        seq: kept.seq.parse().ok()?,
        at: Timestamp(kept.at_ms.parse().ok()?),
        hash: hex::decode(kept.hash).ok()?.try_into().ok()?,
    })
}

async fn export(db: &impl Database, options: &AuditExportOptions) -> Result<()> {
    let name = options.file.display();
    let unwritten = || text(format!("无法写入 {name}"), format!("cannot write {name}"));
    let file = File::create_new(&options.file).with_context(unwritten)?;
    let mut out = BufWriter::new(file);
    let begin = audit::cut(db).await?.unwrap_or(AuditHead::NONE);
    let first = json!({"begin": begin.seq, "hash": hex::encode(begin.hash)});
    writeln!(out, "{first}").with_context(unwritten)?;
    let mut seq = 0;
    loop {
        let rows = audit::after(db, seq).await?;
        let Some(last) = rows.last() else { break };
        seq = last.seq;
        for row in &rows {
            writeln!(out, "{}", row.exported()).with_context(unwritten)?;
        }
    }
    out.flush().with_context(unwritten)?;
    println!("{name}");
    Ok(())
}
