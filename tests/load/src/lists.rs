//! Lists, searches and exports over millions of chips and calls: the time of a page, whatever its conditions and order,
//! and how many rows a second an export writes, with the memory of the component.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use domain::{DAY_MS, Zone};
use edge_host::{Host, Options};
use rusqlite::Connection;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use xieka::components;
use xieka::secrets::Secrets;
use xieka::stack::TRIAL_CONFIG;

use crate::client::{Requests, Round, Until, run};
use crate::generate;
use crate::platform::manifest;
use crate::table::{goal, head, line};

/// Requests of each measurement.
const REQUESTS: usize = 300;
/// The longest p99 of a page, in milliseconds.
const MAX_PAGE_MS: f64 = 50.0;
/// The least rows a second of an export.
const MIN_ROWS_PER_SEC: f64 = 20_000.0;
/// The largest memory of a component while it exports, in MB of 1,000,000 bytes.
const MAX_MEMORY_MB: f64 = 64.0;
/// Days over which calls are spread.
const CALL_DAYS: i64 = 30;
/// Rows that the rare conditions find.
const HITS: u32 = 5;
/// What a slow reader takes at a time, in bytes, and how long it waits after that.
const SLOW_BYTES: usize = 64 * 1024;
const SLOW_WAIT: Duration = Duration::from_millis(20);
/// After this the call log has the rows of calls that changed nothing.
const LOG_WAIT: Duration = Duration::from_secs(5);
/// How long a slow reader reads.
const SLOW_SECS: f64 = 15.0;

/// The state of tasks, cards and numbers, by hundredths of the chips; sessions; a few rows that are rare.
const FILL_STATE: &str = "
    PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1000000;
    CREATE TEMP TABLE pair AS SELECT c.n AS n, c.eid_index AS eid, m.iccid_index AS iccid, m.province AS province,
        c.client_id AS client, CAST(c.n * 7919 % 100 AS INTEGER) AS part, ?base + c.n * ?step AS at
        FROM (SELECT row_number() OVER () AS n, eid_index, client_id FROM chip) c
        JOIN (SELECT row_number() OVER () AS n, iccid_index, province FROM number) m ON m.n = c.n;
    CREATE TEMP TABLE made AS SELECT *, printf('%s-%s-7%03x-8000-%012x', substr(printf('%012x', at), 1, 8),
        substr(printf('%012x', at), 9), n % 4096, n) AS id FROM pair;
    INSERT INTO task (id, eid_index, seq, client_id, write_type, province, iccid_index, state, next_work, attempt, step,
        progress, failure, created_at, started_at, finished_at, changed_at)
        SELECT id, eid, 1, client, 1, province, iccid, CASE WHEN part < 1 THEN 'waiting' WHEN part < 2 THEN 'writing'
        WHEN part < 6 THEN 'failed' WHEN part < 10 THEN 'cancelled' ELSE 'succeeded' END, 'write', 1, 0,
        CASE WHEN part < 10 THEN 0 ELSE 100 END, CASE WHEN part BETWEEN 2 AND 5 THEN 'card_rejected' END, at, at + 1000,
        CASE WHEN part < 2 THEN NULL ELSE at + 60000 END, at + 60000 FROM made;
    UPDATE chip SET status = m.status FROM (SELECT eid, CASE WHEN part < 1 THEN 2 WHEN part < 2 THEN 3 WHEN part < 6 THEN 5
        WHEN part < 10 THEN 1 ELSE 4 END AS status FROM made) m WHERE m.eid = chip.eid_index AND m.status <> chip.status;
    UPDATE number SET status = 'written', written_at = m.at, eid_index = m.eid, task_id = m.id, exposed = 1
        FROM made m WHERE m.iccid = number.iccid_index AND m.part >= 10;
    INSERT INTO device_session (id, eid_index, task_id, work, attempt, resume_step, state, resumed, peer,
        allowance_at_open, last_seq, bytes_up, bytes_down, charged, opened_at, closed_at, end_reason)
        SELECT id, eid, id, 'write', 1, 0, 'closed', 0, '192.0.2.1:40000', 0, 3, 1000, 2000, 1, at + 1000, at + 60000,
        CASE WHEN n IN (SELECT n FROM made ORDER BY n % 1013, n LIMIT ?hits) THEN 'left_open' ELSE 'finished' END
        FROM made WHERE part >= 1;
    UPDATE chip SET chip_model = 'XK-RARE' WHERE eid_index IN (SELECT eid FROM made ORDER BY n % 1013, n LIMIT ?hits);
    DROP TABLE made; DROP TABLE pair;";

/// Calls of a day; `?reasoned` of them were refused for a reason that is rare.
const FILL_CALLS: &str = "
    WITH RECURSIVE counted (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < ?rows)
    INSERT INTO call_log_?day (id, client_id, interface, code, reason, address, duration_us, request_id)
        SELECT ((?day * 86400000 + n * 86399999 / ?rows) << 22) | (n & 4194303), ?client,
        CASE n % 4 WHEN 0 THEN 'write.apply' ELSE 'write.status' END, CASE WHEN n < ?rare THEN 409 ELSE 200 END,
        CASE WHEN n < ?rare THEN 'chip_faulty' END, '192.0.2.7', 900, printf('%032x', n) FROM counted";

/// A platform with many rows.
struct Lists {
    host: Host,
    admin: String,
    client: String,
    folder: tempfile::TempDir,
}

impl Lists {
    async fn with(chips: u32, calls: u32) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let secrets = generate::secrets()?;
        let file = folder.path().join("sqlite_db.db");
        let client = generate::fill(&file, &secrets, chips).await?;
        let client = client["id"].as_str().context("an id")?.to_owned();
        let started = Instant::now();
        fill_state(&file, chips)?;
        let host = start(folder.path(), &secrets).await?;
        let admin = secrets.get("SPIN_VARIABLE_ADMIN_SECRET")?.to_owned();
        let lists = Self {
            host,
            admin,
            client,
            folder,
        };
        // The first call that is logged makes the tables of the call log.
        lists.page("/admin/v1/health").await?;
        tokio::time::sleep(LOG_WAIT).await;
        fill_calls(&lists.folder.path().join("calls.db"), &lists.client, calls)?;
        let secs = started.elapsed().as_secs_f64();
        eprintln!("{chips} tasks and sessions, {calls} calls in {secs:.0} s");
        Ok(lists)
    }

    fn addr(&self) -> SocketAddr {
        self.host.addr()
    }

    /// A page, which must be found.
    async fn page(&self, target: &str) -> Result<Value> {
        let round = self.round(target, 1).await?;
        Ok(serde_json::from_str(round.bodies.first().context("a body")?)?)
    }

    async fn round(&self, target: &str, count: usize) -> Result<Round> {
        let target = target.to_owned();
        let requests = Requests {
            target: Box::new(move |_| target.clone()),
            bearer: self.admin.clone(),
            keep_bodies: count == 1,
        };
        let round = run(self.addr(), 1, Until::Sent(count), Arc::new(requests)).await?;
        round.all_good()?;
        Ok(round)
    }
}

async fn start(state: &Path, secrets: &Secrets) -> Result<Host> {
    edge_host::start(Options {
        manifest: manifest()?.to_owned(),
        runtime_config: Some(components::application_root()?.join(TRIAL_CONFIG)),
        state_dir: PathBuf::from(state),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        variables: secrets.spin_variables(),
        ..Options::default()
    })
    .await
}

fn fill_state(file: &Path, chips: u32) -> Result<()> {
    let db = Connection::open(file)?;
    let base = generate::now().millis() - 300 * DAY_MS;
    let step = (299 * DAY_MS / i64::from(chips.max(1))).max(1);
    let sql = FILL_STATE
        .replace("?base", &base.to_string())
        .replace("?step", &step.to_string())
        .replace("?hits", &HITS.to_string());
    Ok(db.execute_batch(&sql)?)
}

fn fill_calls(file: &Path, client: &str, calls: u32) -> Result<()> {
    let db = Connection::open(file)?;
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -500000")?;
    let today = generate::now().millis() / DAY_MS;
    let schema: Vec<String> = db
        .prepare("SELECT sql FROM sqlite_master WHERE tbl_name = ?1 AND sql IS NOT NULL ORDER BY type DESC")?
        .query_map([format!("call_log_{today}")], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    ensure!(!schema.is_empty(), "no table of the call log");
    for ago in 1..=CALL_DAYS {
        let day = today - ago;
        for sql in &schema {
            db.execute_batch(&sql.replace(&format!("call_log_{today}"), &format!("call_log_{day}")))?;
        }
        db.execute("INSERT INTO call_log_day (day) VALUES (?1)", [day])?;
        // The rare ones are the oldest.
        let rare = if ago == CALL_DAYS { HITS } else { 0 };
        let sql = FILL_CALLS
            .replace("?rows", &(i64::from(calls) / CALL_DAYS).to_string())
            .replace("?day", &day.to_string())
            .replace("?client", &format!("'{client}'"))
            .replace("?rare", &rare.to_string());
        db.execute_batch(&sql)?;
    }
    Ok(())
}

/// What is measured, with its target. `{eid}`, `{number}`, `{client}` and `{from}` stand for values of the run: a rare chip,
/// its temporary number, the client, a time before every call. Card states are 写卡成功 and 待写卡.
const TARGETS: &[(&str, &str)] = &[
    ("chips, first page", "chips?"),
    ("chips, earliest first", "chips?order=asc"),
    ("chips, 5 of a model", "chips?chip_model=XK-RARE"),
    (
        "chips, client, model, common state",
        "chips?client_id={client}&chip_model=XK-RARE&card_status=%E5%86%99%E5%8D%A1%E6%88%90%E5%8A%9F",
    ),
    (
        "chips, common state, no hit",
        "chips?card_status=%E5%BE%85%E5%86%99%E5%8D%A1&client_id={client}&seen_from=2100-01-01T00:00:00Z",
    ),
    (
        "chips, seen before",
        "chips?seen_before=2001-01-01T00:00:00Z&order=asc",
    ),
    ("chips, EID", "chips?eid={eid}"),
    ("chips, temporary number", "chips?msisdn={number}"),
    ("numbers, first page", "numbers?"),
    (
        "numbers, common state, no hit",
        "numbers?status=reserved&province_code=37&order=asc",
    ),
    ("numbers, of a chip", "numbers?eid={eid}"),
    ("tasks, first page", "tasks?"),
    ("tasks, earliest first", "tasks?order=asc"),
    ("tasks, of a chip", "tasks?eid={eid}"),
    (
        "tasks, common state, no hit",
        "tasks?status=succeeded&client_id={client}&province_code=11",
    ),
    ("tasks, failed", "tasks?status=failed&province_code=11"),
    ("refused applications, none", "applications/refused?"),
    ("sessions, first page", "sessions?"),
    ("sessions, 5 of a reason", "sessions?reason=left_open"),
    ("sessions, earliest first", "sessions?order=asc"),
    ("messages, of a chip", "callbacks?eid={eid}"),
    ("calls, first page", "calls?"),
    ("calls, of a client", "calls?client_id={client}"),
    ("calls, 5 of a reason", "calls?reason=chip_faulty&from={from}"),
    (
        "calls, client, no hit",
        "calls?client_id={client}&interface=none&from={from}",
    ),
];
/// Lists whose last page is measured, with their rows and the time by which they are ordered.
const ENDS: [(&str, &str, &str); 4] = [
    ("chips", "chips", "imported_at"),
    ("numbers", "numbers", "imported_at"),
    ("tasks", "tasks", "applied_at"),
    ("sessions", "sessions", "opened_at"),
];
/// Exports that are measured.
const EXPORTS: [&str; 7] = [
    "tasks:export?format=ndjson",
    "tasks:export?format=csv",
    "chips:export?format=ndjson",
    "chips:export?format=csv",
    "numbers:export?format=csv",
    "sessions:export?format=csv",
    "calls:export?format=ndjson",
];

/// The targets of this run, with their names.
async fn targets(lists: &Lists) -> Result<Vec<(String, String)>> {
    let page = lists.page("/admin/v1/chips?limit=1&chip_model=XK-RARE").await?;
    let text = |name: &str| page["chips"][0][name].as_str().context("a rare chip");
    let (eid, number) = (text("eid")?, text("temp_msisdn")?);
    let before = generate::now().plus(-(CALL_DAYS + 1) * DAY_MS);
    let from = before.to_rfc3339(Zone::UTC).replace('+', "%2B");
    let filled = |target: &str| {
        target
            .replace("{eid}", eid)
            .replace("{number}", number)
            .replace("{client}", &lists.client)
            .replace("{from}", &from)
    };
    let targets = TARGETS.iter();
    let mut targets: Vec<_> = targets
        .map(|(name, target)| ((*name).to_owned(), filled(target)))
        .collect();
    // The other end of each list: what comes before its 200th row.
    for (list, rows, time) in ENDS {
        let page = lists.page(&format!("/admin/v1/{list}?order=asc")).await?;
        let last = page[rows].as_array().and_then(|rows| rows.last());
        let to = last.context("a row")?[time].as_str().context("a time")?;
        let to = to.replace('+', "%2B");
        targets.push((format!("{list}, last page"), format!("{list}?to={to}")));
    }
    Ok(targets)
}

/// Measures pages and exports.
pub(crate) async fn lists(chips: u32, calls: u32) -> Result<()> {
    let lists = Lists::with(chips, calls).await?;
    let targets = targets(&lists).await?;
    head(&format!("Pages of lists, {chips} chips and {calls} calls"));
    let mut worst = 0.0_f64;
    for (name, target) in &targets {
        let target = format!("/admin/v1/{target}");
        lists.round(&target, 3).await?;
        let round = lists.round(&target, REQUESTS).await?;
        line(name, &round);
        worst = worst.max(round.quantile_ms(0.99));
    }
    println!();
    goal("the slowest page, p99, ms", worst, MAX_PAGE_MS, false);
    println!("\n### Exports, {chips} chips and {calls} calls\n");
    for target in EXPORTS {
        let read = read_export(&lists, target, None).await?;
        let rate = read.rows as f64 / read.secs;
        println!(
            "{target}: {} rows, {:.1} MB in {:.1} s",
            read.rows,
            read.bytes as f64 / 1e6,
            read.secs
        );
        goal(&format!("{target}, rows/s"), rate, MIN_ROWS_PER_SEC, true);
    }
    let slow = read_export(&lists, "tasks:export?format=ndjson", Some(SLOW_SECS)).await?;
    println!(
        "a slow reader of tasks: {:.1} MB in {:.1} s",
        slow.bytes as f64 / 1e6,
        slow.secs
    );
    #[expect(clippy::cast_precision_loss, reason = "a memory is far below 2^52 bytes")]
    let memory = lists.host.largest_memory_bytes() as f64 / 1e6;
    goal("largest memory of a component, MB", memory, MAX_MEMORY_MB, false);
    lists.host.shutdown().await;
    Ok(())
}

/// What was read of an export.
struct ReadExport {
    rows: usize,
    bytes: usize,
    secs: f64,
}

/// Reads an export to its end, or slowly for some seconds.
async fn read_export(lists: &Lists, target: &str, slowly_for: Option<f64>) -> Result<ReadExport> {
    let mut socket = TcpStream::connect(lists.addr()).await?;
    let request = format!(
        "GET /admin/v1/{target} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        lists.addr(),
        lists.admin
    );
    let started = Instant::now();
    socket.write_all(request.as_bytes()).await?;
    let mut buffer = vec![0; SLOW_BYTES];
    let (mut read, mut tail) = (
        ReadExport {
            rows: 0,
            bytes: 0,
            secs: 0.0,
        },
        Vec::new(),
    );
    loop {
        let count = socket.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        read.bytes += count;
        tail.extend_from_slice(&buffer[..count]);
        tail.drain(..tail.len().saturating_sub(1_024));
        if let Some(secs) = slowly_for {
            if started.elapsed().as_secs_f64() > secs {
                read.secs = secs;
                return Ok(read);
            }
            tokio::time::sleep(SLOW_WAIT).await;
        }
    }
    read.secs = started.elapsed().as_secs_f64();
    let tail = String::from_utf8_lossy(&tail);
    let is_whole = tail.contains("\"complete\":true") || tail.contains("#end,complete,");
    let is_full = tail.contains("export_limit");
    ensure!(is_whole || is_full, "{target} is not whole: {tail}");
    let rows = ["\"rows\":", "#end,complete,", "#end,incomplete,"];
    let rows = rows.iter().find_map(|before| tail.split_once(before));
    let rows = rows.and_then(|(_, rest)| rest.split([',', '}']).next());
    read.rows = rows.context("no number of rows")?.parse()?;
    Ok(read)
}
