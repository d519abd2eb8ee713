//! Random sequences of operations, and what must hold after each of them.

use std::collections::{BTreeMap, BTreeSet};

use domain::error::{Error, Reason};
use domain::{CardStatus, FailureKind, HOUR_MS, SessionId, TRANSITIONS, Work};
use operations::{
    ActNote, Caller, Job, MaintenanceSettings, NumberAct, Report, ReportEvent, TaskRef, Topic, act_on_number,
    cancel, destroy_chip, end_task, register_fault, reopen, replace_chip, run_job,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use test_support::eid::eid_text;
use test_support::inventory::{NumberCsv, eid};
use test_support::operations::{MAINTENANCE, World, automatic, designated, failed, run};

use super::operator_reports::{card, ingest_lines, line};

const NOTE: ActNote<'_> = ActNote {
    person: "p",
    text: "t",
};

const CHIPS: u32 = 3;
/// Numbers 0 and 1 in province 37, number 2 in province 11, numbers 3 and 4 allotted.
const NUMBERS: u32 = 5;

#[derive(Clone, Debug)]
enum Step {
    Automatic {
        chip: u32,
        province: &'static str,
    },
    Designated {
        chip: u32,
        number: u32,
    },
    Cancel {
        chip: u32,
    },
    /// An administrator ends the latest task.
    End {
        chip: u32,
    },
    Fault {
        chip: u32,
        faulty: bool,
    },
    /// An administrator lets a written card be written with another number.
    Reopen {
        chip: u32,
    },
    Destroy {
        chip: u32,
    },
    Replace {
        old: u32,
        new: u32,
    },
    /// The time limit of cards in writing is over.
    Overdue,
    Act {
        number: u32,
        act: NumberAct,
    },
    /// The operator reports that it has retired the number.
    Retired {
        number: u32,
    },
    Open {
        chip: u32,
    },
    /// A report of the chip's session number `back` from the latest.
    Report {
        chip: u32,
        back: usize,
        event: ReportEvent,
        bytes: u64,
    },
}

fn event() -> impl Strategy<Value = ReportEvent> {
    prop_oneof![
        4 => Just(ReportEvent::Written),
        6 => Just(ReportEvent::Verified),
        2 => (0..=12u32).prop_map(|step| ReportEvent::Progress { step, steps: 12 }),
        1 => any::<bool>().prop_map(|rewrite| ReportEvent::NotVerified { rewrite, other_imsi: false, detail: String::new() }),
        2 => Just(failed(FailureKind::CardError)),
        1 => Just(ReportEvent::Closed { reason: String::new() }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let chip = 0..CHIPS;
    prop_oneof![
        3 => (chip.clone(), prop::sample::select(vec!["37", "11", "65"]))
            .prop_map(|(chip, province)| Step::Automatic { chip, province }),
        2 => (chip.clone(), 0..NUMBERS).prop_map(|(chip, number)| Step::Designated { chip, number }),
        1 => chip.clone().prop_map(|chip| Step::Cancel { chip }),
        1 => chip.clone().prop_map(|chip| Step::End { chip }),
        1 => (chip.clone(), any::<bool>()).prop_map(|(chip, faulty)| Step::Fault { chip, faulty }),
        2 => chip.clone().prop_map(|chip| Step::Reopen { chip }),
        1 => prop_oneof![
            3 => (chip.clone(), chip.clone()).prop_map(|(old, new)| Step::Replace { old, new }),
            1 => chip.clone().prop_map(|chip| Step::Destroy { chip }),
            1 => Just(Step::Overdue),
        ],
        3 => (0..NUMBERS, prop::sample::select(vec![NumberAct::Suspend, NumberAct::Resume, NumberAct::Resume]))
            .prop_map(|(number, act)| Step::Act { number, act }),
        1 => prop_oneof![
            (0..NUMBERS).prop_map(|number| Step::Act { number, act: NumberAct::Retire }),
            (0..NUMBERS).prop_map(|number| Step::Retired { number }),
        ],
        6 => chip.clone().prop_map(|chip| Step::Open { chip }),
        6 => (chip, prop_oneof![9 => Just(0usize), 1 => Just(1)], event(), 0..50_000u64)
            .prop_map(|(chip, back, event, bytes)| Step::Report { chip, back, event, bytes }),
    ]
}

/// What the test knows beside the database.
struct Model {
    world: World,
    caller: Caller,
    /// Sessions per chip, with the reports and bytes of each so far.
    sessions: BTreeMap<u32, Vec<(SessionId, u64, u64, Work)>>,
    /// Which numbers may lie on a chip, whole or in part.
    on_chip: BTreeMap<u32, BTreeSet<String>>,
}

impl Model {
    fn new() -> Self {
        let world = World::new();
        let caller = world.stocked(CHIPS, 2);
        world.numbers(&[
            NumberCsv::of_province(2, "11"),
            NumberCsv::allotted(3, &caller.id),
            NumberCsv::allotted(4, &caller.id),
        ]);
        Self {
            world,
            caller,
            sessions: BTreeMap::new(),
            on_chip: BTreeMap::new(),
        }
    }

    fn take(&mut self, step: &Step) -> Result<(), Error> {
        self.world.pass(1);
        match step {
            Step::Automatic { chip, province } => self
                .world
                .apply(&self.caller, &automatic(&eid_text(*chip), province))
                .map(drop),
            Step::Designated { chip, number } => {
                let number = NumberCsv::new(*number);
                let request = designated("", &number.iccid, &number.msisdn);
                let eid = eid_text(*chip);
                let request = operations::ApplyRequest { eid: &eid, ..request };
                self.world.apply(&self.caller, &request).map(drop)
            }
            Step::Cancel { chip } => {
                run(cancel(&self.world.cx(), &self.caller, &TaskRef::Eid(eid(*chip)))).map(drop)
            }
            Step::End { chip } => run(end_task(&self.world.cx(), &TaskRef::Eid(eid(*chip)), &NOTE)).map(drop),
            Step::Reopen { chip } => run(reopen(&self.world.cx(), &eid(*chip), &NOTE)).map(drop),
            Step::Destroy { chip } => {
                let day = self.world.time().date_in(&self.world.zone);
                run(destroy_chip(&self.world.cx(), &eid(*chip), day, &NOTE))?;
                let iccids = self.written(*chip);
                self.on_chip.insert(*chip, iccids);
                Ok(())
            }
            Step::Replace { old, new } => {
                run(replace_chip(&self.world.cx(), &eid(*old), &eid(*new), &NOTE)).map(drop)
            }
            Step::Overdue => {
                self.world.pass(HOUR_MS);
                let limited = MaintenanceSettings {
                    writing_limit_hours: 1,
                    ..MAINTENANCE
                };
                run(run_job(&self.world.cx(), Job::HopelessTasks, &limited)).map(drop)
            }
            Step::Fault { chip, faulty } => run(register_fault(&self.world.cx(), &eid(*chip), *faulty)),
            Step::Act { number, act } => run(act_on_number(&self.world.cx(), &card(*number), *act)).map(drop),
            Step::Retired { number } => {
                let at = self.world.time().to_rfc3339(&self.world.zone);
                let rest = format!(r#""status":"retired","as_of":"{at}""#);
                ingest_lines(&self.world, Topic::Status, &[line(*number, &rest)]);
                self.world.job(Job::HopelessTasks);
                Ok(())
            }
            Step::Open { chip } => {
                let (id, work) = self.world.open(*chip)?;
                if let (Work::Write, Some(data)) = (work.work, &work.data) {
                    self.on_chip
                        .entry(*chip)
                        .or_default()
                        .insert(data.iccid.as_str().to_owned());
                }
                self.sessions
                    .entry(*chip)
                    .or_default()
                    .push((id, 0, 0, work.work));
                Ok(())
            }
            Step::Report {
                chip,
                back,
                event,
                bytes,
            } => self.report(*chip, *back, event, *bytes),
        }
    }

    fn report(&mut self, chip: u32, back: usize, event: &ReportEvent, more: u64) -> Result<(), Error> {
        let sessions = self.sessions.entry(chip).or_default();
        let Some(at) = sessions.len().checked_sub(1 + back) else {
            return Ok(());
        };
        let (session_id, seq, bytes, _) = &mut sessions[at];
        *seq += 1;
        *bytes += more;
        let report = Report {
            session_id: *session_id,
            seq: *seq,
            event: event.clone(),
            bytes_up: *bytes,
            bytes_down: 0,
            unopened: None,
        };
        self.world.report(&report)?;
        if *event == ReportEvent::Verified && self.status(chip) == CardStatus::Written {
            // Only the number that was written is left on the chip.
            let iccids = self.written(chip);
            self.on_chip.insert(chip, iccids);
        }
        Ok(())
    }

    fn index(&self, chip: u32) -> String {
        let index = self
            .world
            .vault
            .blind_index(vault::IndexKind::Eid, eid_text(chip).as_bytes());
        index.hex().to_uppercase()
    }

    fn status(&self, chip: u32) -> CardStatus {
        let sql = format!(
            "SELECT status FROM chip WHERE hex(eid_index) = '{}'",
            self.index(chip)
        );
        CardStatus::from_code(self.world.count(&sql)).unwrap()
    }

    fn written(&self, chip: u32) -> BTreeSet<String> {
        let written = format!(
            "SELECT hex(iccid_index) FROM number WHERE written_at IS NOT NULL AND hex(eid_index) = '{}'",
            self.index(chip)
        );
        let indexes = self.world.column(&written);
        (0..NUMBERS)
            .map(|n| NumberCsv::new(n).iccid)
            .filter(|iccid| {
                let index = self
                    .world
                    .vault
                    .blind_index(vault::IndexKind::Iccid, iccid.as_bytes());
                indexes.contains(&index.hex().to_uppercase())
            })
            .collect()
    }

    fn check(&self) {
        let none = |what: &str, sql: &str| assert_eq!(self.world.count(sql), 0, "{what}");
        assert_eq!(
            self.world.count("SELECT COUNT(*) FROM number"),
            i64::from(NUMBERS)
        );
        none(
            "a free number belongs to no chip and no task",
            "SELECT COUNT(*) FROM number WHERE status IN ('available', 'allotted') \
             AND (eid_index IS NOT NULL OR task_id IS NOT NULL OR exposed = 1)",
        );
        none(
            "a free number is where it came from",
            "SELECT COUNT(*) FROM number WHERE (status = 'available' AND client_id IS NOT NULL) \
             OR (status = 'allotted' AND client_id IS NULL)",
        );
        none(
            "a reserved number belongs to a chip, and without a task only when it may be on it",
            "SELECT COUNT(*) FROM number WHERE status = 'reserved' \
             AND (eid_index IS NULL OR (task_id IS NULL AND exposed = 0))",
        );
        none(
            "a chip holds at most one written number",
            "SELECT COUNT(*) FROM (SELECT eid_index FROM number WHERE written_at IS NOT NULL GROUP BY eid_index \
             HAVING COUNT(*) > 1)",
        );
        none(
            "an open task has exactly its number, reserved for its chip or suspended",
            "SELECT COUNT(*) FROM task t WHERE state IN ('waiting', 'writing') AND (SELECT COUNT(*) FROM number n \
             WHERE n.task_id = t.id AND n.status IN ('reserved', 'suspended') AND n.eid_index = t.eid_index \
             AND n.iccid_index = t.iccid_index) <> 1",
        );
        none(
            "a number belongs to an open task, or to the one that wrote it",
            "SELECT COUNT(*) FROM number n JOIN task t ON t.id = n.task_id WHERE t.state NOT IN ('waiting', 'writing') \
             AND (t.state <> 'succeeded' OR n.written_at IS NULL)",
        );
        none(
            "a number without a chip was sent to none",
            "SELECT COUNT(*) FROM number WHERE eid_index IS NULL AND (exposed = 1 OR task_id IS NOT NULL)",
        );
        none(
            "a card waits or is written exactly while a task is open",
            "SELECT COUNT(*) FROM chip c WHERE (status IN (2, 3)) <> (SELECT COUNT(*) FROM task t \
             WHERE t.eid_index = c.eid_index AND t.state IN ('waiting', 'writing') \
             AND (t.state = 'waiting') = (c.status = 2))",
        );
        none(
            "the history has no gap and ends in the card's state",
            "SELECT COUNT(*) FROM card_history h LEFT JOIN card_history p ON p.eid_index = h.eid_index \
             AND p.seq = h.seq - 1 WHERE h.from_status IS NOT p.to_status",
        );
        none(
            "the last step leads to the card's state",
            "SELECT COUNT(*) FROM chip c WHERE status <> (SELECT to_status FROM card_history h \
             WHERE h.eid_index = c.eid_index ORDER BY seq DESC LIMIT 1)",
        );
        none(
            "each ended task has one message, unless its client withdrew it",
            "SELECT COUNT(*) FROM task t WHERE (state = 'succeeded' OR failure IS NOT NULL) <> \
             (SELECT COUNT(*) FROM message o WHERE o.task_id = t.id)",
        );
        none(
            "the allowance used is what the charged sessions cost",
            "SELECT COUNT(*) FROM chip c WHERE used_bytes <> (SELECT COALESCE(SUM(bytes_up + bytes_down), 0) \
             FROM device_session s WHERE s.eid_index = c.eid_index AND s.charged = 1)",
        );
        self.check_steps();
        self.check_chips();
    }

    /// §6.3 Table 2
    fn check_steps(&self) {
        let steps = self
            .world
            .column("SELECT from_status || ' ' || to_status FROM card_history WHERE seq > 1");
        for step in steps {
            let known = TRANSITIONS
                .iter()
                .any(|(from, _, to)| step == format!("{} {}", from.code(), to.code()));
            assert!(known, "no such step: {step}");
        }
    }

    fn check_chips(&self) {
        let mut seen = BTreeMap::new();
        for (chip, numbers) in &self.on_chip {
            for number in numbers {
                if let Some(other) = seen.insert(number, chip) {
                    panic!("number {number} may be on the chips {other} and {chip}");
                }
            }
        }
    }
}

/// The settings of the environment, with a fixed seed where it names none.
fn fixed_unless_set() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if matches!(config.rng_seed, RngSeed::Random) {
        config.rng_seed = RngSeed::Fixed(1);
    }
    config
}

proptest! {
    // The same sequences each time; PROPTEST_RNG_SEED and PROPTEST_CASES look at others.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..fixed_unless_set() })]

    #[test]
    fn whatever_happens_the_books_are_right_and_no_number_reaches_two_chips(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut model = Model::new();
        for step in &steps {
            if let Err(error) = model.take(step) {
                let reason = error.reason();
                prop_assert!(!matches!(reason, Reason::Internal | Reason::Conflict | Reason::Unavailable), "{step:?}: {error}");
            }
            model.check();
        }
    }
}
