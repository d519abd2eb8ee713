//! A platform in memory (or in a file) with a clock and a generator the test owns.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::net::IpAddr;
use std::path::Path;

use jiff::tz::TimeZone;
use shared::domain::{
    ClientId, DAY_MS, Eid, FailureKind, Permission, SECOND_MS, SessionId, TaskId, Timestamp,
};
use shared::error::{Error, Reason};
use shared::operations::{
    Applied, ApplyRequest, Caller, Context, CreatedClient, ImportReport, NewClient, OpenSession, Report,
    ReportAnswer, ReportEvent, SessionWork, apply, create_client, import_chips, import_numbers, open_session,
};
use shared::store::{self, Database, DbError, Row, Sqlite, Value};
use shared::vault::{Random, Vault, VaultSettings, wrap};

/// 2026-07-01T08:00:00+08:00.
pub(crate) const START: i64 = 1_782_864_000_000;
pub(crate) const TRANSPORT_KEY: [u8; 16] = [0x7a; 16];
pub(crate) const LINK_KEY: [u8; 32] = [0x5c; 32];
pub(crate) const CALLBACK_URL: &str = "https://client.example.com/callback";
/// Bytes of the test allowance of every chip (5 MB).
pub(crate) const ALLOWANCE: u64 = 5 * 1024 * 1024;

/// Waits for a future of the store, which never really waits.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    futures::executor::block_on(future)
}

/// A small generator with a fixed seed (SplitMix64): the same test makes the same identifiers.
pub(crate) struct Dice(Cell<u64>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }
}

impl Random for Dice {
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
pub(crate) struct Probe {
    pub(crate) inner: Sqlite,
    count: Cell<usize>,
    fail_at: Cell<Option<usize>>,
    pub(crate) seen: RefCell<Vec<&'static str>>,
}

impl Probe {
    pub(crate) fn new(inner: Sqlite) -> Self {
        Self {
            inner,
            count: Cell::new(0),
            fail_at: Cell::new(None),
            seen: RefCell::new(Vec::new()),
        }
    }

    /// From now on the `n`-th statement (from 1) fails without being carried out; `None` stops that.
    pub(crate) fn fail_at(&self, n: Option<usize>) {
        self.count.set(0);
        self.fail_at.set(n);
    }
}

impl Database for Probe {
    async fn run(&self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        assert_eq!(parameters(sql), params.len(), "parameters of {sql}");
        self.seen.borrow_mut().push(sql);
        self.count.set(self.count.get() + 1);
        if self.fail_at.get() == Some(self.count.get()) {
            return Err(DbError::Failed(format!(
                "statement {} was made to fail",
                self.count.get()
            )));
        }
        self.inner.run(sql, params).await
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
    pub(crate) db: Probe,
    pub(crate) vault: Vault,
    pub(crate) now: Cell<i64>,
    pub(crate) random: Dice,
    pub(crate) zone: TimeZone,
    sessions: Cell<u64>,
}

pub(crate) fn vault(sealing: &str) -> Vault {
    let settings = VaultSettings {
        sealing_keys: sealing,
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
            db: Probe::new(db),
            vault: vault(&sealing_key(1)),
            now: Cell::new(START),
            random: Dice::new(seed),
            zone: TimeZone::get("Asia/Shanghai").expect("a known zone"),
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

    pub(crate) fn cx(&self) -> Context<'_, Probe> {
        Context {
            db: &self.db,
            vault: &self.vault,
            now: self.time(),
            random: &self.random,
            zone: &self.zone,
        }
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
        run(shared::operations::report(&self.cx(), report))
    }

    pub(crate) fn tell(
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
        self.tell(session, 1, ReportEvent::Written).expect("taken");
        self.pass(SECOND_MS);
        let (session, _) = self.open(chip).expect("a session");
        self.tell(session, 1, ReportEvent::Verified).expect("taken");
        task
    }

    /// Applies for chip `chip`, starts to write it and fails.
    pub(crate) fn fail_chip(&self, caller: &Caller, chip: u32, failure: FailureKind) -> TaskId {
        let task = self.apply_auto(caller, chip).expect("accepted").task_id;
        let (session, _) = self.open(chip).expect("a session");
        self.tell(session, 1, failed(failure)).expect("taken");
        task
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
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        let mut statement = self.db.inner.connection().prepare(sql).expect(sql);
        let rows = statement.query_map([], |row| row.get(0)).expect(sql);
        rows.collect::<Result<_, _>>().expect(sql)
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.db.inner.connection().execute_batch(sql).expect(sql);
    }

    /// Every row of every table, to compare before and after.
    pub(crate) fn dump(&self) -> Vec<String> {
        let tables = self.texts("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
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

/// The EID of chip `n`, with its check digits.
pub(crate) fn eid_text(n: u32) -> String {
    let body = format!("890860302022{n:018}");
    let rest = body
        .bytes()
        .fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("{body}{:02}", 98 - rest * 100 % 97)
}

pub(crate) fn eid(n: u32) -> Eid {
    Eid::parse(&eid_text(n)).expect("a valid EID")
}

pub(crate) fn wrapped(key: [u8; 16]) -> String {
    hex::encode(wrap(&TRANSPORT_KEY, &key).expect("wrapped"))
}

/// K and OPc of number `n`.
pub(crate) fn key_of(n: u32, kind: u8) -> [u8; 16] {
    let mut key = [kind; 16];
    key[..4].copy_from_slice(&(0xdead_0000 + n).to_be_bytes());
    key
}

/// One row of a chip file.
#[derive(Clone)]
pub(crate) struct ChipCsv {
    pub(crate) eid: String,
    pub(crate) temp_msisdn: String,
    pub(crate) temp_iccid: String,
    pub(crate) temp_imsi: String,
    pub(crate) network_type: String,
    pub(crate) temp_opened_on: String,
    pub(crate) allowance_mb: String,
    pub(crate) client_id: String,
    pub(crate) psk_identity: String,
    pub(crate) psk: Option<[u8; 16]>,
}

impl ChipCsv {
    pub(crate) fn new(n: u32) -> Self {
        Self {
            eid: eid_text(n),
            temp_msisdn: format!("1064800{n:06}"),
            temp_iccid: format!("89860400000000{n:06}"),
            temp_imsi: format!("460040000{n:06}"),
            network_type: "4g".to_owned(),
            temp_opened_on: "2026-06-01".to_owned(),
            allowance_mb: "5".to_owned(),
            client_id: String::new(),
            psk_identity: String::new(),
            psk: None,
        }
    }

    pub(crate) fn line(&self) -> String {
        let (psk, dek, name) = match self.psk {
            Some(psk) => (wrapped(psk), wrapped(psk.map(|byte| !byte)), "tk1"),
            None => (String::new(), String::new(), ""),
        };
        let Self {
            eid,
            temp_msisdn,
            temp_iccid,
            temp_imsi,
            network_type,
            temp_opened_on,
            ..
        } = self;
        let Self {
            allowance_mb,
            client_id,
            psk_identity,
            ..
        } = self;
        format!(
            "{eid},XK-1,qibiao-seed,{network_type},{temp_msisdn},{temp_iccid},{temp_imsi},{temp_opened_on},\
             {allowance_mb},350000000000001,{client_id},{psk_identity},64,{psk},{dek},{name}"
        )
    }
}

pub(crate) const CHIP_HEADER: &str = "eid,chip_model,profile,network_type,temp_msisdn,temp_iccid,temp_imsi,\
    temp_opened_on,allowance_mb,imei,client_id,psk_identity,key_version,psk_wrapped,dek_wrapped,transport_key";

pub(crate) fn chip_csv(chips: &[ChipCsv]) -> String {
    let lines: Vec<String> = chips.iter().map(ChipCsv::line).collect();
    format!("{CHIP_HEADER}\n{}\n", lines.join("\n"))
}

/// One row of a number file.
#[derive(Clone)]
pub(crate) struct NumberCsv {
    pub(crate) iccid: String,
    pub(crate) msisdn: String,
    pub(crate) imsi: String,
    pub(crate) province: String,
    pub(crate) services: String,
    pub(crate) client_id: String,
    pub(crate) k_wrapped: String,
    pub(crate) opc_wrapped: String,
}

impl NumberCsv {
    pub(crate) fn new(n: u32) -> Self {
        Self {
            iccid: format!("898604071120C0{n:06}"),
            msisdn: format!("1440100{n:06}"),
            imsi: format!("460071000{n:06}"),
            province: "37".to_owned(),
            services: "data".to_owned(),
            client_id: String::new(),
            k_wrapped: wrapped(key_of(n, 0x4b)),
            opc_wrapped: wrapped(key_of(n, 0x0c)),
        }
    }

    pub(crate) fn of_province(n: u32, province: &str) -> Self {
        Self {
            province: province.to_owned(),
            ..Self::new(n)
        }
    }

    pub(crate) fn allotted(n: u32, client: &ClientId) -> Self {
        Self {
            client_id: client.as_str().to_owned(),
            ..Self::new(n)
        }
    }

    pub(crate) fn line(&self) -> String {
        let Self {
            iccid,
            msisdn,
            imsi,
            province,
            services,
            client_id,
            k_wrapped,
            opc_wrapped,
        } = self;
        format!(
            "{iccid},{msisdn},{imsi},{province},+8613800100500,{services},{client_id},{k_wrapped},{opc_wrapped},tk1"
        )
    }
}

pub(crate) const NUMBER_HEADER: &str =
    "iccid,msisdn,imsi,province_code,smsc,services,client_id,k_wrapped,opc_wrapped,transport_key";

pub(crate) fn number_csv(numbers: &[NumberCsv]) -> String {
    let lines: Vec<String> = numbers.iter().map(NumberCsv::line).collect();
    format!("{NUMBER_HEADER}\n{}\n", lines.join("\n"))
}

/// Days in milliseconds.
pub(crate) fn days(n: i64) -> i64 {
    n * DAY_MS
}
