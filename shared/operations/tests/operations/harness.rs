//! A platform in memory (or in a file) with a clock and a generator the test owns.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::Future;
use std::net::IpAddr;
use std::path::Path;

use domain::error::{Error, Reason};
use domain::{ClientId, DAY_MS, FailureKind, Permission, SECOND_MS, SessionId, TaskId, Timestamp, Zone};
use operations::{
    Applied, ApplyRequest, CALL_LOG_DAYS, Caller, Context, CreatedClient, Done, ImportReport, Job,
    MaintenanceSettings, NewClient, OpenSession, POOL_LOW_WATER, RECORD_DAYS, Report, ReportAnswer,
    ReportEvent, SessionWork, TaskRef, apply, create_client, import_chips, import_numbers, open_session,
    run_job, status,
};
use store::{self, Database, DbError, Row, Sqlite, Statement, Value};
use vault::{Random, Vault, VaultSettings};

pub(crate) use super::inventory::{
    CHIP_HEADER, ChipCsv, NUMBER_HEADER, NumberCsv, TRANSPORT_KEY, chip_csv, eid, eid_text, key_of,
    number_csv, wrapped,
};

/// 2026-07-01T08:00:00+08:00.
pub(crate) const START: i64 = 1_782_864_000_000;
pub(crate) const LINK_KEY: [u8; 32] = [0x5c; 32];
pub(crate) const CALLBACK_URL: &str = "https://client.example.com/callback";
/// Bytes of the test allowance of every chip (5 MB).
pub(crate) const ALLOWANCE: u64 = 5_000_000;

/// How the periodic work is configured.
pub(crate) const MAINTENANCE: MaintenanceSettings = MaintenanceSettings {
    call_log_days: CALL_LOG_DAYS,
    record_days: RECORD_DAYS,
    pool_low_water: POOL_LOW_WATER,
};

/// Names the statement with which the engine rolls the first run of every transaction back, so that it runs again:
/// `commit`, or `read` for a read that it has not failed yet.
pub(crate) const RERUN_AT: &str = "XIEKA_TEST_RERUN_AT";

/// Where the first run of a transaction is rolled back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RerunAt {
    Nothing,
    Commit,
    Read,
}

impl RerunAt {
    fn from_environment() -> Self {
        match std::env::var(RERUN_AT).as_deref() {
            Ok("commit") => Self::Commit,
            Ok("read") => Self::Read,
            _ => Self::Nothing,
        }
    }
}

/// Waits for a future of the store, which never really waits.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    futures::executor::block_on(future)
}

/// A small generator with a fixed seed (SplitMix64): the same test makes the same identifiers.
pub(crate) struct SeededRandom(Cell<u64>);

impl SeededRandom {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }
}

impl Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
            let mut word = self.0.get();
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(word ^ (word >> 31)).to_be_bytes()[..chunk.len()]);
        }
    }
}

/// A connection that checks every statement's parameters and can fail the n-th statement.
pub(crate) struct FaultInjectingDb {
    pub(crate) inner: Sqlite,
    count: Cell<usize>,
    fail_at: Cell<Option<usize>>,
    rerun_at: RerunAt,
    in_transaction: Cell<bool>,
    // Whether the engine has rolled the open transaction back once.
    rolled_back: Cell<bool>,
    reads_failed: RefCell<BTreeSet<&'static str>>,
    pub(crate) seen: RefCell<Vec<&'static str>>,
}

impl FaultInjectingDb {
    pub(crate) fn new(inner: Sqlite) -> Self {
        Self {
            inner,
            count: Cell::new(0),
            fail_at: Cell::new(None),
            rerun_at: RerunAt::from_environment(),
            in_transaction: Cell::new(false),
            rolled_back: Cell::new(false),
            reads_failed: RefCell::default(),
            seen: RefCell::new(Vec::new()),
        }
    }

    /// Whether the engine rolls the transaction back at this statement, once for each transaction.
    fn rolls_back(&self, sql: &'static str) -> bool {
        let word = sql.split_whitespace().next().unwrap_or_default();
        let rolls_back = self.in_transaction.get()
            && !self.rolled_back.get()
            && match self.rerun_at {
                RerunAt::Nothing => false,
                RerunAt::Commit => word == "COMMIT",
                RerunAt::Read => word == "SELECT" && self.reads_failed.borrow_mut().insert(sql),
            };
        match word {
            _ if rolls_back => self.rolled_back.set(true),
            "BEGIN" => self.in_transaction.set(true),
            "COMMIT" => {
                self.in_transaction.set(false);
                self.rolled_back.set(false);
            }
            "ROLLBACK" => self.in_transaction.set(false),
            _ => {}
        }
        rolls_back
    }

    /// From now on the `n`-th statement (from 1) fails without being carried out; `None` stops that.
    pub(crate) fn fail_at(&self, n: Option<usize>) {
        self.count.set(0);
        self.fail_at.set(n);
    }
}

impl Database for FaultInjectingDb {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let sql = statement.text();
        assert_eq!(parameters(sql), params.len(), "parameters of {sql}");
        self.seen.borrow_mut().push(sql);
        self.count.set(self.count.get() + 1);
        if self.fail_at.get() == Some(self.count.get()) {
            return Err(DbError::Failed(format!(
                "statement {} was made to fail",
                self.count.get()
            )));
        }
        if self.rolls_back(sql) {
            self.inner
                .connection()
                .execute_batch("ROLLBACK")
                .expect("rolled back");
            self.in_transaction.set(false);
            return Err(DbError::Retryable("the first run was rolled back".to_owned()));
        }
        self.inner.execute(statement, params).await
    }
}

/// How many parameters a statement has. They must first appear in ascending order, because SQLite
/// numbers `$n` by appearance and PostgreSQL by its number.
pub(crate) fn parameters(sql: &str) -> usize {
    let mut highest = 0;
    for part in sql.split('$').skip(1) {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        let number: usize = digits.parse().expect("a number after $");
        assert!(number <= highest + 1, "${number} appears too early in {sql}");
        highest = highest.max(number);
    }
    highest
}

pub(crate) struct World {
    pub(crate) db: FaultInjectingDb,
    pub(crate) vault: Vault,
    pub(crate) now: Cell<i64>,
    pub(crate) random: SeededRandom,
    pub(crate) zone: Zone,
    sessions: Cell<u64>,
}

pub(crate) fn vault(sealing: &str) -> Vault {
    let settings = VaultSettings {
        sealing_keys: Some(sealing),
        index_key: &hex::encode([0x1d; 32]),
        link_key: Some(&hex::encode(LINK_KEY)),
        token_key: Some(&hex::encode([0x70; 32])),
        transport_keys: Some(&format!("tk1:{}", hex::encode(TRANSPORT_KEY))),
    };
    Vault::from_settings(settings).expect("good settings")
}

pub(crate) fn sealing_key(id: u8) -> String {
    format!("{id}:{}", hex::encode([id; 32]))
}

impl World {
    /// A migrated platform in memory.
    pub(crate) fn new() -> Self {
        Self::on(Sqlite::in_memory().expect("a database in memory"), 1)
    }

    /// A migrated platform in a file.
    pub(crate) fn in_file(path: &Path, seed: u64) -> Self {
        Self::on(Sqlite::open(path).expect("a database file"), seed)
    }

    fn on(db: Sqlite, seed: u64) -> Self {
        let world = Self {
            db: FaultInjectingDb::new(db),
            vault: vault(&sealing_key(1)),
            now: Cell::new(START),
            random: SeededRandom::new(seed),
            zone: Zone::parse("Asia/Shanghai").expect("a known zone"),
            sessions: Cell::new(seed << 32),
        };
        run(store::migrate(&world.db, world.time())).expect("migrated");
        world
    }

    pub(crate) fn time(&self) -> Timestamp {
        Timestamp(self.now.get())
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.now.set(self.now.get() + ms);
    }

    pub(crate) fn cx(&self) -> Context<'_, FaultInjectingDb> {
        Context::new(
            (&self.db, &self.db),
            &self.vault,
            self.time(),
            &self.random,
            &self.zone,
        )
    }

    pub(crate) fn client(&self) -> CreatedClient {
        self.client_with(Some(CALLBACK_URL))
    }

    pub(crate) fn client_with(&self, callback_url: Option<&str>) -> CreatedClient {
        let permissions: Vec<String> = Permission::ALL
            .iter()
            .map(|name| name.code().to_owned())
            .collect();
        let new = NewClient {
            name: "测试客户",
            phone: "13800138000",
            ips: &["198.51.100.0/24".to_owned()],
            permissions: &permissions,
            callback_url,
            allow_http_callback: false,
        };
        run(create_client(&self.cx(), &new)).expect("a client")
    }

    pub(crate) fn chips(&self, client: &ClientId, chips: &[ChipCsv]) -> ImportReport {
        run(import_chips(&self.cx(), chip_csv(chips).as_bytes(), Some(client))).expect("an import")
    }

    pub(crate) fn numbers(&self, numbers: &[NumberCsv]) -> ImportReport {
        run(import_numbers(&self.cx(), number_csv(numbers).as_bytes())).expect("an import")
    }

    /// A client with chips 0..`chips` and numbers 0..`numbers` in the pool of province 37.
    pub(crate) fn stocked(&self, chips: u32, numbers: u32) -> Caller {
        let caller = Caller {
            id: self.client().client_id,
        };
        let chips: Vec<ChipCsv> = (0..chips).map(ChipCsv::new).collect();
        assert_eq!(self.chips(&caller.id, &chips).imported, chips.len());
        let numbers: Vec<NumberCsv> = (0..numbers).map(NumberCsv::new).collect();
        assert_eq!(self.numbers(&numbers).imported, numbers.len());
        caller
    }

    pub(crate) fn apply(&self, caller: &Caller, request: &ApplyRequest<'_>) -> Result<Applied, Error> {
        run(apply(&self.cx(), caller, request))
    }

    pub(crate) fn apply_auto(&self, caller: &Caller, chip: u32) -> Result<Applied, Error> {
        self.apply(caller, &automatic(&eid_text(chip), "37"))
    }

    /// A session identifier not used before.
    pub(crate) fn session_id(&self) -> SessionId {
        self.sessions.set(self.sessions.get() + 1);
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.sessions.get().to_be_bytes());
        SessionId::new(self.time(), random)
    }

    pub(crate) fn open(&self, chip: u32) -> Result<(SessionId, SessionWork), Error> {
        let session_id = self.session_id();
        self.open_as(chip, session_id).map(|work| (session_id, work))
    }

    pub(crate) fn open_as(&self, chip: u32, session_id: SessionId) -> Result<SessionWork, Error> {
        let eid = eid(chip);
        let agent = format!(
            "//se-id/eid/{};//aa-id/aid/A000000559/1010FFFFFFFF8900000100",
            eid.as_str()
        );
        let peer = "192.0.2.7:40000";
        run(open_session(
            &self.cx(),
            &OpenSession {
                session_id,
                eid,
                peer,
                agent: Some(&agent),
                resumed: false,
            },
        ))
    }

    pub(crate) fn report(&self, report: &Report) -> Result<ReportAnswer, Error> {
        run(operations::report(&self.cx(), report))
    }

    pub(crate) fn report_event(
        &self,
        session_id: SessionId,
        seq: u64,
        event: ReportEvent,
    ) -> Result<ReportAnswer, Error> {
        self.report(&Report {
            session_id,
            seq,
            event,
            bytes_up: 1_000 * seq,
            bytes_down: 2_000 * seq,
        })
    }

    /// Applies for chip `chip`, writes it and verifies it.
    pub(crate) fn write_chip(&self, caller: &Caller, chip: u32) -> TaskId {
        let task = self.apply_auto(caller, chip).expect("accepted").task_id;
        let (session, _) = self.open(chip).expect("a session");
        self.report_event(session, 1, ReportEvent::Written)
            .expect("taken");
        self.pass(SECOND_MS);
        let (session, _) = self.open(chip).expect("a session");
        self.report_event(session, 1, ReportEvent::Verified)
            .expect("taken");
        task
    }

    /// Applies for chip `chip`, starts to write it and fails.
    pub(crate) fn fail_chip(&self, caller: &Caller, chip: u32, failure: FailureKind) -> TaskId {
        let task = self.apply_auto(caller, chip).expect("accepted").task_id;
        let (session, _) = self.open(chip).expect("a session");
        self.report_event(session, 1, failed(failure)).expect("taken");
        task
    }

    /// Runs one job of the periodic work once.
    pub(crate) fn job(&self, job: Job) -> Done {
        run(run_job(&self.cx(), job, &MAINTENANCE)).expect("a job")
    }

    /// The single whole number a query gives.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.db
            .inner
            .connection()
            .query_row(sql, [], |row| row.get(0))
            .expect(sql)
    }

    /// The first column of a query's rows, as text.
    pub(crate) fn column(&self, sql: &str) -> Vec<String> {
        let mut statement = self.db.inner.connection().prepare(sql).expect(sql);
        let rows = statement.query_map([], |row| row.get(0)).expect(sql);
        rows.collect::<Result<_, _>>().expect(sql)
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.db.inner.connection().execute_batch(sql).expect(sql);
    }

    /// How the engine will carry a statement out.
    pub(crate) fn plan(&self, sql: &str) -> String {
        let connection = self.db.inner.connection();
        let mut explain = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .expect(sql);
        let nulls = vec![Value::Null; parameters(sql)];
        let rows = explain
            .query_map(rusqlite::params_from_iter(&nulls), |row| row.get::<_, String>(3))
            .expect(sql);
        rows.map(|row| row.expect("a line") + "\n").collect()
    }

    /// Every row of every table, to compare before and after.
    pub(crate) fn dump(&self) -> Vec<String> {
        let tables = self.column("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
        let mut out = Vec::new();
        for table in tables {
            let sql = format!("SELECT * FROM {table}");
            let mut statement = self.db.inner.connection().prepare(&sql).expect("a table");
            let columns = statement.column_count();
            let rows = statement.query_map([], |row| {
                (0..columns)
                    .map(|at| row.get_ref(at).map(|value| format!("{value:?}")))
                    .collect::<Result<Vec<_>, _>>()
            });
            for row in rows.expect("rows") {
                out.push(format!("{table}: {}", row.expect("a row").join(" | ")));
            }
        }
        out.sort();
        out
    }
}

pub(crate) fn failed(failure: FailureKind) -> ReportEvent {
    ReportEvent::Failed {
        failure,
        detail: "SW 6982".to_owned(),
        chip_fault: false,
    }
}

pub(crate) fn reason<T>(result: Result<T, Error>) -> Reason {
    match result {
        Ok(_) => panic!("a refusal was expected"),
        Err(error) => error.reason(),
    }
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

pub(crate) fn automatic<'a>(eid: &'a str, province: &'a str) -> ApplyRequest<'a> {
    ApplyRequest {
        eid,
        write_type: "1",
        province_code: province,
        ..ApplyRequest::default()
    }
}

pub(crate) fn designated<'a>(eid: &'a str, iccid: &'a str, msisdn: &'a str) -> ApplyRequest<'a> {
    ApplyRequest {
        eid,
        write_type: "0",
        iccid,
        msisdn,
        ..ApplyRequest::default()
    }
}

/// Days in milliseconds.
pub(crate) fn days(n: i64) -> i64 {
    n * DAY_MS
}

/// Progress of the first chip, in percent.
pub(super) fn progress(world: &World, caller: &operations::Caller) -> u8 {
    run(status(&world.cx(), caller, &TaskRef::Eid(eid(0))))
        .unwrap()
        .progress
}
