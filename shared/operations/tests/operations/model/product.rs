//! The platform that is compared: its operations on a real SQLite, called as callers would, and its rows as lines of
//! text. It must decide nothing about what should follow from a step.

use std::collections::BTreeMap;

use domain::error::{Error, Reason};
use domain::{FailureKind, HOUR_MS, Iccid, Imsi, MINUTE_MS, Msisdn, SessionId, TaskId, Volume};
use operations::{
    ActNote, ApplyRequest, Caller, ImportChoices, Job, MaintenanceSettings, Report, ReportEvent, Reprovision,
    SessionWork, TaskRef, Topic, act_on_number, allot_numbers, cancel, destroy_chip, end_task,
    import_numbers, ingest, register_fault, release_numbers, reopen, replace_chip, reprovision, run_job,
    top_up,
};
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NUMBER_HEADER, NumberCsv, eid, number_csv, wrapped};
use test_support::operations::{ALLOWANCE, MAINTENANCE, World, automatic, designated, failed, run};
use vault::IndexKind;

use crate::operator_reports::{card, iccid, line};

use super::books::card_name;
use super::steps::{CHIPS, CLIENT_OF_CHIP, Choice, Heard, NUMBERS, Step};

/// Time from one step to the next.
const STEP_MS: i64 = 2 * MINUTE_MS;
/// Bytes of a report: so few that no allowance of these tests is used up by them, or more than any allowance.
const FEW_BYTES: u64 = 100;
const ALL_BYTES: u64 = 2 * ALLOWANCE;

/// A number that there is not.
const OTHER_NUMBER: u32 = 999;

const NOTE: ActNote<'_> = ActNote {
    person: "王芳",
    text: "工单 7",
};

struct Session {
    id: SessionId,
    seq: u64,
    taken: u64,
    bytes: u64,
}

pub(super) struct Product {
    pub(super) world: World,
    clients: Vec<Caller>,
    /// Tasks in the order in which they came to be.
    pub(super) tasks: Vec<TaskId>,
    sessions: Vec<Vec<Session>>,
    /// Which temporary number each chip has; those from `CHIPS` on were not delivered with a chip.
    temporary: Vec<u32>,
    /// What stands for each key in the lines.
    names: BTreeMap<String, String>,
    /// The row of each number in its file, with K as it is now.
    rows: Vec<NumberCsv>,
}

fn as_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap()
}

impl Product {
    pub(super) fn new() -> Self {
        let world = World::new();
        let clients: Vec<Caller> = (0..2)
            .map(|_| Caller {
                id: world.client().client_id,
            })
            .collect();
        for (n, client) in CLIENT_OF_CHIP.iter().enumerate() {
            let network_type = if n == 1 { "nb-iot" } else { "4g" };
            let chip = ChipCsv {
                network_type: network_type.to_owned(),
                ..ChipCsv::new(as_u32(n))
            };
            assert_eq!(world.chips(&clients[*client].id, &[chip]).imported, 1);
        }
        let mut names = BTreeMap::new();
        for n in 0..CHIPS {
            let index = world
                .vault
                .blind_index(IndexKind::Eid, eid_text(as_u32(n)).as_bytes());
            names.insert(index.hex().to_uppercase(), format!("chip {n}"));
        }
        for (n, client) in clients.iter().enumerate() {
            names.insert(client.id.as_str().to_owned(), format!("client {n}"));
        }
        let mut product = Self {
            world,
            clients,
            tasks: Vec::new(),
            sessions: (0..CHIPS).map(|_| Vec::new()).collect(),
            temporary: (0..as_u32(CHIPS)).collect(),
            names,
            rows: Vec::new(),
        };
        for (province, client) in NUMBERS {
            product.stock(province, client);
        }
        product
    }

    /// Imports another number.
    pub(super) fn stock(&mut self, province: &str, client: Option<usize>) {
        let number = NumberCsv {
            client_id: client.map_or(String::new(), |n| self.clients[n].id.as_str().to_owned()),
            ..NumberCsv::of_province(as_u32(self.rows.len()), province)
        };
        assert_eq!(self.world.numbers(std::slice::from_ref(&number)).imported, 1);
        self.know(number);
    }

    fn know(&mut self, row: NumberCsv) {
        let index = self
            .world
            .vault
            .blind_index(IndexKind::Iccid, row.iccid.as_bytes());
        self.names
            .insert(index.hex().to_uppercase(), format!("number {}", self.rows.len()));
        self.rows.push(row);
    }

    /// Imports a data card that is to take over the MSISDN of `number`.
    fn take_over(&mut self, number: usize, client: usize) -> Result<(), Error> {
        let replaced = &self.rows[number];
        let row = NumberCsv {
            msisdn: replaced.msisdn.clone(),
            client_id: self.clients[client].id.as_str().to_owned(),
            ..NumberCsv::new(as_u32(self.rows.len()))
        };
        let file = number_csv(std::slice::from_ref(&row))
            .replace(NUMBER_HEADER, &format!("{NUMBER_HEADER},replaces_iccid"))
            .replace(",tk1\n", &format!(",tk1,{}\n", replaced.iccid));
        self.import(&file, &ImportChoices::default())?;
        self.know(row);
        Ok(())
    }

    /// Corrects K of a number.
    fn keys(&mut self, number: usize) -> Result<(), Error> {
        let mut key = [0x77; 16];
        key[..8].copy_from_slice(&self.world.now.get().to_be_bytes());
        let row = NumberCsv {
            // It may have been allotted since.
            client_id: String::new(),
            k_wrapped: wrapped(key),
            ..self.rows[number].clone()
        };
        let choices = ImportChoices {
            correct: Some(NOTE),
            ..ImportChoices::default()
        };
        self.import(&number_csv(&[row]), &choices)
    }

    /// Imports a file of one number.
    fn import(&self, file: &str, choices: &ImportChoices<'_>) -> Result<(), Error> {
        let mut report = run(import_numbers(&self.world.cx(), file.as_bytes(), choices))?;
        match report.errors.pop() {
            Some(refused) => Err(refused.reason.into()),
            None => Ok(()),
        }
    }

    /// The number with this ICCID.
    pub(super) fn number(&self, iccid: &Iccid) -> Option<usize> {
        self.rows.iter().position(|row| row.iccid == iccid.as_str())
    }

    /// The ICCID of a number.
    pub(super) fn iccid(number: usize) -> Iccid {
        iccid(as_u32(number))
    }

    /// Takes a step. A session comes back with its work.
    pub(super) fn take(&mut self, step: &Step) -> Result<Option<SessionWork>, Reason> {
        self.world.pass(STEP_MS);
        match self.call(step) {
            Ok(work) => Ok(work),
            Err(error) => {
                let reason = error.reason();
                let is_refusal = !matches!(reason, Reason::Internal | Reason::Conflict | Reason::Unavailable);
                assert!(is_refusal, "{step:?}: {error:?}");
                Err(reason)
            }
        }
    }

    fn call(&mut self, step: &Step) -> Result<Option<SessionWork>, Error> {
        match step {
            Step::Pass(hours) => self.world.pass(hours * HOUR_MS),
            Step::Apply { client, chip, choice } => self.apply(*client, *chip, choice)?,
            Step::Cancel { client, chip, back } => {
                let task = self.named(*chip, *back);
                run(cancel(&self.world.cx(), &self.clients[*client], &task)).map(drop)?;
            }
            Step::Open(chip) => return self.open(*chip).map(Some),
            Step::OpenAgain { chip, back } => {
                if let Some(session) = self.sessions[*chip].iter().rev().nth(*back) {
                    return self.world.open_as(as_u32(*chip), session.id).map(Some);
                }
            }
            Step::Report {
                chip,
                back,
                heard,
                drain,
                again,
            } => self.report(*chip, *back, heard, *drain, *again)?,
            Step::Tick { limited } => self.tick(*limited)?,
            Step::Act { number, act } => {
                run(act_on_number(&self.world.cx(), &card(as_u32(*number)), *act)).map(drop)?;
            }
            Step::Reported { number, state } => self.reported(*number, state)?,
            Step::TakeOver { number, client } => self.take_over(*number, *client)?,
            Step::Keys(number) => self.keys(*number)?,
            Step::Allot { number, client } => {
                let numbers = [Self::iccid(*number)];
                match client {
                    Some(n) => run(allot_numbers(&self.world.cx(), &self.clients[*n].id, &numbers))?,
                    None => run(release_numbers(&self.world.cx(), &numbers))?,
                };
            }
            by_hand => self.act_on_chip(by_hand)?,
        }
        Ok(None)
    }

    /// What administrators do with a chip.
    fn act_on_chip(&mut self, step: &Step) -> Result<(), Error> {
        let of = |chip: usize| eid(as_u32(chip));
        match step {
            Step::End { chip, back } => {
                let task = self.named(*chip, *back);
                run(end_task(&self.world.cx(), &task, &NOTE)).map(drop)?;
            }
            Step::Fault { chip, faulty } => run(register_fault(&self.world.cx(), &of(*chip), *faulty))?,
            Step::Reopen(chip) => run(reopen(&self.world.cx(), &of(*chip), &NOTE)).map(drop)?,
            Step::Destroy(chip) => {
                let day = self.world.time().date_in(&self.world.zone);
                run(destroy_chip(&self.world.cx(), &of(*chip), day, &NOTE)).map(drop)?;
            }
            Step::Replace { old, new } => {
                let applied = run(replace_chip(&self.world.cx(), &of(*old), &of(*new), &NOTE))?;
                self.enter(applied.task_id, applied.repeated);
            }
            Step::Provide {
                chip,
                number,
                allowance,
            } => self.provide(*chip, *number, *allowance)?,
            Step::TopUp(chip) => {
                let allowance = Volume::from_bytes(ALLOWANCE);
                run(top_up(&self.world.cx(), &of(*chip), allowance, &NOTE)).map(drop)?;
            }
            other => panic!("{other:?} is no act on a chip"),
        }
        Ok(())
    }

    fn apply(&mut self, client: usize, chip: usize, choice: &Choice) -> Result<(), Error> {
        let eid = eid_text(as_u32(chip));
        let number;
        let other = NumberCsv::new(OTHER_NUMBER);
        let request: ApplyRequest<'_> = match choice {
            Choice::Any(province) => automatic(&eid, province),
            Choice::This {
                number: n,
                own_msisdn,
            } => {
                number = &self.rows[*n];
                let msisdn = if *own_msisdn {
                    &number.msisdn
                } else {
                    &other.msisdn
                };
                designated(&eid, &number.iccid, msisdn)
            }
        };
        let applied = self.world.apply(&self.clients[client], &request)?;
        self.enter(applied.task_id, applied.repeated);
        Ok(())
    }

    fn enter(&mut self, task: TaskId, repeated: bool) {
        assert_eq!(self.tasks.contains(&task), repeated, "a task of its own");
        if !repeated {
            self.names
                .insert(task.text(), format!("task {}", self.tasks.len()));
            self.tasks.push(task);
        }
    }

    /// The number of the latest task.
    pub(super) fn picked(&self) -> Option<usize> {
        let task = self.tasks.last()?;
        let sql = format!("SELECT hex(iccid_index) FROM task WHERE id = '{}'", task.text());
        let name = &self.names[&self.world.column(&sql)[0]];
        name.strip_prefix("number ").and_then(|n| n.parse().ok())
    }

    /// The task of a chip that a call names; a task that never was for one that there is not.
    fn named(&self, chip: usize, back: Option<usize>) -> TaskRef {
        let Some(back) = back else {
            return TaskRef::Eid(eid(as_u32(chip)));
        };
        let sql = format!(
            "SELECT id FROM task WHERE hex(eid_index) = '{}' ORDER BY seq DESC",
            self.key(&format!("chip {chip}"))
        );
        let found = self.world.column(&sql).get(back).cloned();
        let unknown = TaskId::new(self.world.time(), [0; 10]);
        TaskRef::Task(found.map_or(unknown, |text| {
            *self.tasks.iter().find(|task| task.text() == text).unwrap()
        }))
    }

    fn key(&self, name: &str) -> &str {
        let found = self.names.iter().find(|(_, known)| *known == name);
        found.map(|(key, _)| key.as_str()).unwrap()
    }

    fn open(&mut self, chip: usize) -> Result<SessionWork, Error> {
        let (id, work) = self.world.open(as_u32(chip))?;
        self.sessions[chip].push(Session {
            id,
            seq: 0,
            taken: 0,
            bytes: 0,
        });
        Ok(work)
    }

    fn report(
        &mut self,
        chip: usize,
        back: usize,
        heard: &Heard,
        drain: bool,
        again: bool,
    ) -> Result<(), Error> {
        let Some(session) = self.sessions[chip].iter_mut().rev().nth(back) else {
            return Ok(());
        };
        if !again {
            session.seq += 1;
        }
        session.bytes += if drain { ALL_BYTES } else { FEW_BYTES };
        let report = Report {
            session_id: session.id,
            seq: if again { session.taken } else { session.seq },
            event: event(heard),
            bytes_up: session.bytes,
            bytes_down: 0,
            unopened: None,
        };
        self.world.report(&report)?;
        session.taken = report.seq;
        Ok(())
    }

    fn tick(&self, limited: bool) -> Result<(), Error> {
        let settings = MaintenanceSettings {
            writing_limit_hours: u32::from(limited),
            ..MAINTENANCE
        };
        let mut jobs = [Job::HopelessTasks, Job::StuckTasks, Job::TemporaryNumbers];
        if limited {
            // Each has its own interval and may run on a node of its own, in any order.
            jobs.reverse();
        }
        for job in jobs {
            run(run_job(&self.world.cx(), job, &settings))?;
        }
        Ok(())
    }

    fn reported(&self, number: usize, state: &str) -> Result<(), Error> {
        let at = self.world.time().to_rfc3339(&self.world.zone);
        let line = line(as_u32(number), &format!(r#""status":"{state}","as_of":"{at}""#));
        let mut report = run(ingest(&self.world.cx(), Topic::Status, line.as_bytes()))?;
        match report.errors.pop() {
            Some(refused) => Err(refused.error),
            None => Ok(()),
        }
    }

    fn provide(&mut self, chip: usize, number: bool, allowance: bool) -> Result<(), Error> {
        let unused = self.temporary.iter().max().map_or(0, |latest| latest + 1);
        let temporary = if number { unused } else { self.temporary[chip] };
        let csv = ChipCsv::new(temporary);
        let new = Reprovision {
            msisdn: Msisdn::parse(&csv.temp_msisdn).unwrap(),
            iccid: Iccid::parse(&csv.temp_iccid).unwrap(),
            imsi: Imsi::parse(&csv.temp_imsi).unwrap(),
            opened_on: None,
            network: None,
            allowance: allowance.then(|| Volume::from_bytes(ALLOWANCE)),
        };
        run(reprovision(&self.world.cx(), &eid(as_u32(chip)), &new, &NOTE)).map(drop)?;
        self.temporary[chip] = temporary;
        Ok(())
    }

    /// Chips, tasks and numbers, a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let chips = self.column(
            "SELECT hex(eid_index) || ' ' || status || CASE faulty WHEN 1 THEN ' faulty' ELSE '' END \
             || CASE WHEN EXISTS (SELECT 1 FROM chip_destruction d WHERE d.eid_index = chip.eid_index) \
             THEN ' destroyed' ELSE '' END || CASE reopened WHEN 1 THEN ' reopened' ELSE '' END FROM chip",
        );
        let chips = chips.iter().map(|line| {
            let mut words: Vec<&str> = line.split(' ').collect();
            words[2] = card_name(words[2]);
            words.join(" ")
        });
        let chips: Vec<String> = chips.collect();
        let tasks = self.column(
            "SELECT id || ' ' || hex(eid_index) || ' ' || hex(iccid_index) || ' ' || state || ' ' \
             || CASE WHEN state IN ('waiting', 'writing') THEN next_work || ' ' ELSE '' END || attempt \
             || ' ' || COALESCE(failure, '-') FROM task",
        );
        let numbers = self.column(
            "SELECT hex(iccid_index) || ' ' || status || ' ' || COALESCE(NULLIF(hex(eid_index), ''), '-') || ' ' \
             || COALESCE(task_id, '-') || ' ' || COALESCE(client_id, 'pool') \
             || CASE exposed WHEN 1 THEN ' sent' ELSE '' END \
             || CASE WHEN written_at IS NULL THEN '' ELSE ' written' END FROM number",
        );
        let mut lines = [chips, tasks, numbers].concat();
        lines.sort();
        lines
    }

    /// Rows of text, with names in place of keys.
    fn column(&self, sql: &str) -> Vec<String> {
        let named = |word: &str| self.names.get(word).cloned().unwrap_or_else(|| word.to_owned());
        let rows = self.world.column(sql).into_iter();
        rows.map(|row| {
            let words: Vec<String> = row.split(' ').map(named).collect();
            words.join(" ")
        })
        .collect()
    }
}

fn event(heard: &Heard) -> ReportEvent {
    match heard {
        Heard::Progress(step) => ReportEvent::Progress {
            step: *step,
            steps: 12,
        },
        Heard::Written => ReportEvent::Written,
        Heard::Verified => ReportEvent::Verified,
        Heard::NotVerified { rewrite, other_imsi } => ReportEvent::NotVerified {
            rewrite: *rewrite,
            other_imsi: *other_imsi,
            detail: String::new(),
        },
        Heard::Failed { chip_fault: false } => failed(FailureKind::CardError),
        Heard::Failed { chip_fault: true } => ReportEvent::Failed {
            failure: FailureKind::CardError,
            detail: String::new(),
            chip_fault: true,
            status_word: None,
        },
        Heard::Unable { for_number } => failed(match for_number {
            true => FailureKind::DataUnusable,
            false => FailureKind::ProfileUnknown,
        }),
        Heard::Closed => ReportEvent::Closed {
            reason: "idle".to_owned(),
        },
    }
}
