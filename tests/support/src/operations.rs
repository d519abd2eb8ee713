//! A platform without an outside: its operations on SQLite in memory (or in a file), or on PostgreSQL, with a clock and a
//! generator that the test owns.
//!
//! Stands for everything below the request layer. It must not be used to test what a caller sees.

use std::cell::Cell;
use std::future::Future;
use std::net::IpAddr;
use std::path::Path;

use domain::error::{Error, Reason};
use domain::{
    ClientId, DAY_MS, FailureKind, Permission, Provinces, SECOND_MS, SessionId, TaskId, Timestamp, Zone,
};
use operations::{
    ALTERNATION_MINUTES, Applied, ApplyRequest, Caller, Context, CreatedClient, Done, ImportChoices,
    ImportReport, Job, MaintenanceSettings, MemoryLimits, NewClient, OpenSession, POOL_LOW_WATER,
    PowerUpLimits, REFUSALS_PER_HOUR, Report, ReportAnswer, ReportEvent, Retention, STUCK_AFTER_MINUTES,
    STUCK_GROUP_CARDS, STUCK_GROUP_PERCENT, SessionLimits, SessionWork, StuckSettings, TaskRef, apply,
    create_client, import_chips, import_numbers, open_session, run_job, status,
};
use store::{Engine, Value};
use vault::Vault;

use crate::eid::eid_text;
use crate::fault_injecting_db::{FaultInjectingDb, parameters};
use crate::inventory::{ChipCsv, NumberCsv, chip_csv, eid, number_csv};
use crate::random::SeededRandom;
use crate::settings::{START, TIME_ZONE, sealing_key, vault};
use crate::test_db::TestDb;

/// Where a client wants to be called back.
pub const CALLBACK_URL: &str = "https://client.example.com/callback";
/// Bytes of the test allowance of every chip (5 MB).
pub const ALLOWANCE: u64 = 5_000_000;

/// Name of the gateway of every session.
pub const GATEWAY: &str = "gateway";

/// Days for which calls are kept: six months and a few days (§9.2.2).
pub const CALL_LOG_DAYS: i64 = 185;

/// How the periodic work is configured.
pub const MAINTENANCE: MaintenanceSettings = MaintenanceSettings {
    writing_limit_hours: 0,
    retention: Retention::DEFAULT,
    pool_low_water: POOL_LOW_WATER,
    stuck: StuckSettings {
        after_minutes: STUCK_AFTER_MINUTES,
        group_cards: STUCK_GROUP_CARDS,
        group_percent: STUCK_GROUP_PERCENT,
    },
    refusals_per_hour: REFUSALS_PER_HOUR,
    backup_days: 0,
    drill_days: 0,
    clock_trusted: false,
    clock_held: false,
};

/// Waits for a future of the store, which never really waits.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    futures::executor::block_on(future)
}

/// A migrated platform.
pub struct World {
    /// The connection of every operation.
    pub db: FaultInjectingDb,
    /// The keys.
    pub vault: Vault,
    /// The time, in milliseconds since 1970.
    pub now: Cell<i64>,
    /// Where identifiers come from.
    pub random: SeededRandom,
    /// The time zone.
    pub zone: Zone,
    /// The provinces that are served, if they are configured.
    pub served: Cell<Option<Provinces>>,
    /// Counters of refused callers.
    pub limits: MemoryLimits,
    /// How often a chip may ask to be written; without limits unless a test sets them.
    pub power_ups: Cell<PowerUpLimits>,
    /// Minutes within which sessions that alternate between two addresses count.
    pub alternation_minutes: Cell<u32>,
    sessions: Cell<u64>,
}

impl Default for World {
    fn default() -> Self {
        Self::on(TestDb::new(), 1)
    }
}

impl World {
    /// A migrated platform in memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A migrated platform in a file.
    pub fn in_file(path: &Path, seed: u64) -> Self {
        Self::on(TestDb::in_file(path), seed)
    }

    /// A platform on a database.
    #[must_use]
    pub fn on(db: TestDb, seed: u64) -> Self {
        let world = Self {
            db: FaultInjectingDb::new(db),
            vault: vault(&sealing_key(1)),
            now: Cell::new(START),
            random: SeededRandom::new(seed),
            zone: Zone::parse(TIME_ZONE).expect("a known zone"),
            served: Cell::new(None),
            limits: MemoryLimits::new(),
            power_ups: Cell::new(PowerUpLimits {
                gap_secs: 0,
                per_hour: 0,
            }),
            alternation_minutes: Cell::new(ALTERNATION_MINUTES),
            sessions: Cell::new(seed << 32),
        };
        run(store::migrate(&world.db, world.time())).expect("migrated");
        world
    }

    /// The time.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        Timestamp(self.now.get())
    }

    /// Lets milliseconds pass.
    pub fn pass(&self, ms: i64) {
        self.now.set(self.now.get() + ms);
    }

    /// What operations are called with.
    #[must_use]
    pub fn cx(&self) -> Context<'_, FaultInjectingDb> {
        Context::new(
            (&self.db, &self.db),
            &self.vault,
            self.time(),
            &self.random,
            &self.zone,
        )
        .serving(self.served.get())
        .limiting(&self.limits)
    }

    /// Serves these provinces, whether they have numbers or not.
    #[must_use]
    pub fn serving(self, codes: &str) -> Self {
        self.served.set(Some(Provinces::parse(codes).expect("codes")));
        self
    }

    /// A client with every permission and an address for callbacks.
    pub fn client(&self) -> CreatedClient {
        self.client_with(Some(CALLBACK_URL))
    }

    /// A client with every permission, and with or without an address for callbacks.
    pub fn client_with(&self, callback_url: Option<&str>) -> CreatedClient {
        self.new_client("198.51.100.0/24", callback_url)
    }

    /// A client with every permission that calls from this network, without an address for callbacks.
    pub fn client_at(&self, network: &str) -> CreatedClient {
        self.new_client(network, None)
    }

    fn new_client(&self, network: &str, callback_url: Option<&str>) -> CreatedClient {
        let permissions: Vec<String> = Permission::ALL
            .iter()
            .map(|name| name.code().to_owned())
            .collect();
        let new = NewClient {
            name: "测试客户",
            phone: "13800138000",
            ips: &[network.to_owned()],
            permissions: &permissions,
            callback_url,
            allow_http_callback: false,
        };
        run(create_client(&self.cx(), &new)).expect("a client")
    }

    /// Imports chips, which belong to this client unless they name another.
    pub fn chips(&self, client: &ClientId, chips: &[ChipCsv]) -> ImportReport {
        let choices = ImportChoices::default();
        run(import_chips(
            &self.cx(),
            chip_csv(chips).as_bytes(),
            Some(client),
            &choices,
        ))
        .expect("an import")
    }

    /// Imports numbers.
    pub fn numbers(&self, numbers: &[NumberCsv]) -> ImportReport {
        let choices = ImportChoices::default();
        run(import_numbers(
            &self.cx(),
            number_csv(numbers).as_bytes(),
            &choices,
        ))
        .expect("an import")
    }

    /// A client with chips 0..`chips` and numbers 0..`numbers` in the pool of province 37.
    pub fn stocked(&self, chips: u32, numbers: u32) -> Caller {
        let caller = Caller {
            id: self.client().client_id,
        };
        let chips: Vec<ChipCsv> = (0..chips).map(ChipCsv::new).collect();
        assert_eq!(self.chips(&caller.id, &chips).imported, chips.len());
        let numbers: Vec<NumberCsv> = (0..numbers).map(NumberCsv::new).collect();
        assert_eq!(self.numbers(&numbers).imported, numbers.len());
        caller
    }

    /// Applies for a number.
    ///
    /// # Errors
    /// The refusal.
    pub fn apply(&self, caller: &Caller, request: &ApplyRequest<'_>) -> Result<Applied, Error> {
        run(apply(&self.cx(), caller, request))
    }

    /// Applies for any number of province 37 for chip `chip`.
    ///
    /// # Errors
    /// The refusal.
    pub fn apply_auto(&self, caller: &Caller, chip: u32) -> Result<Applied, Error> {
        self.apply(caller, &automatic(&eid_text(chip), "37"))
    }

    /// A session identifier not used before.
    pub fn session_id(&self) -> SessionId {
        self.sessions.set(self.sessions.get() + 1);
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.sessions.get().to_be_bytes());
        SessionId::new(self.time(), random)
    }

    /// Opens a session of chip `chip`.
    ///
    /// # Errors
    /// The refusal.
    pub fn open(&self, chip: u32) -> Result<(SessionId, SessionWork), Error> {
        let session_id = self.session_id();
        self.open_as(chip, session_id).map(|work| (session_id, work))
    }

    /// Opens a session of chip `chip` under this identifier.
    ///
    /// # Errors
    /// The refusal.
    pub fn open_as(&self, chip: u32, session_id: SessionId) -> Result<SessionWork, Error> {
        self.open_or_resume(chip, session_id, "192.0.2.7:40000", false)
    }

    /// Opens a session of chip `chip` under this identifier, from this address and port.
    ///
    /// # Errors
    /// The refusal.
    pub fn open_from(&self, chip: u32, session_id: SessionId, peer: &str) -> Result<SessionWork, Error> {
        self.open_or_resume(chip, session_id, peer, false)
    }

    /// Opens a session of chip `chip` that resumes a broken one.
    ///
    /// # Errors
    /// The refusal.
    pub fn resume(&self, chip: u32) -> Result<(SessionId, SessionWork), Error> {
        let session_id = self.session_id();
        self.open_or_resume(chip, session_id, "192.0.2.7:40000", true)
            .map(|work| (session_id, work))
    }

    fn open_or_resume(
        &self,
        chip: u32,
        session_id: SessionId,
        peer: &str,
        resumed: bool,
    ) -> Result<SessionWork, Error> {
        let eid = eid(chip);
        let agent = format!(
            "//se-id/eid/{};//aa-id/aid/A000000559/1010FFFFFFFF8900000100",
            eid.as_str()
        );
        run(open_session(
            &self.cx(),
            &OpenSession {
                session_id,
                eid,
                peer,
                agent: Some(&agent),
                resumed,
                gateway: Some(GATEWAY),
            },
            SessionLimits {
                power_ups: self.power_ups.get(),
                alternation_minutes: self.alternation_minutes.get(),
            },
        ))
    }

    /// Reports what the gateway saw.
    ///
    /// # Errors
    /// The refusal.
    pub fn report(&self, report: &Report) -> Result<ReportAnswer, Error> {
        run(operations::report(&self.cx(), report))
    }

    /// Reports an event, with byte counts that grow with its number.
    ///
    /// # Errors
    /// The refusal.
    pub fn report_event(
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
            unopened: None,
        })
    }

    /// Applies for chip `chip`, writes it and verifies it.
    pub fn write_chip(&self, caller: &Caller, chip: u32) -> TaskId {
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
    pub fn fail_chip(&self, caller: &Caller, chip: u32, failure: FailureKind) -> TaskId {
        let task = self.apply_auto(caller, chip).expect("accepted").task_id;
        let (session, _) = self.open(chip).expect("a session");
        self.report_event(session, 1, failed(failure)).expect("taken");
        task
    }

    /// Runs one job of the periodic work once.
    pub fn job(&self, job: Job) -> Done {
        run(run_job(&self.cx(), job, &MAINTENANCE)).expect("a job")
    }

    /// The single whole number a query gives.
    pub fn count(&self, sql: &str) -> i64 {
        self.db.inner.count(sql)
    }

    /// The first column of a query's rows, as text.
    pub fn column(&self, sql: &str) -> Vec<String> {
        self.db.inner.column(sql)
    }

    /// Runs statements that no operation has.
    pub fn execute(&self, sql: &str) {
        self.db.inner.batch(sql);
    }

    /// Whether there is a table of this name.
    pub fn has_table(&self, name: &str) -> bool {
        let tables = match self.db.inner.engine() {
            Engine::Sqlite => "sqlite_master WHERE type = 'table' AND name",
            Engine::Postgres => "pg_tables WHERE tablename",
        };
        self.count(&format!("SELECT COUNT(*) FROM {tables} = '{name}'")) > 0
    }

    /// Whether a row refers to one that is not there. On PostgreSQL none ever does.
    pub fn has_dangling_rows(&self) -> bool {
        self.db.inner.engine() == Engine::Sqlite
            && self.count("SELECT COUNT(*) FROM pragma_foreign_key_check") > 0
    }

    /// How the engine will carry a statement out.
    pub fn plan(&self, sql: &str) -> String {
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
    pub fn dump(&self) -> Vec<String> {
        self.db.inner.dump()
    }
}

/// The report of a session that failed.
#[must_use]
pub fn failed(failure: FailureKind) -> ReportEvent {
    ReportEvent::Failed {
        failure,
        detail: "SW 6982".to_owned(),
        chip_fault: false,
        status_word: Some("6982".to_owned()),
    }
}

/// Why an operation refused.
#[must_use]
pub fn reason<T>(result: Result<T, Error>) -> Reason {
    match result {
        Ok(_) => panic!("a refusal was expected"),
        Err(error) => error.reason(),
    }
}

/// An address.
#[must_use]
pub fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// An application for any number of a province.
#[must_use]
pub fn automatic<'a>(eid: &'a str, province: &'a str) -> ApplyRequest<'a> {
    ApplyRequest {
        eid,
        write_type: "1",
        province_code: province,
        ..ApplyRequest::default()
    }
}

/// An application for one number.
#[must_use]
pub fn designated<'a>(eid: &'a str, iccid: &'a str, msisdn: &'a str) -> ApplyRequest<'a> {
    ApplyRequest {
        eid,
        write_type: "0",
        iccid,
        msisdn,
        ..ApplyRequest::default()
    }
}

/// Days in milliseconds.
#[must_use]
pub fn days(n: i64) -> i64 {
    n * DAY_MS
}

/// Progress of the first chip, in percent.
pub fn progress(world: &World, caller: &operations::Caller) -> u8 {
    run(status(&world.cx(), caller, &TaskRef::Eid(eid(0))))
        .unwrap()
        .task
        .map_or(0, |task| task.progress)
}
