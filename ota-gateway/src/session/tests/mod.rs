//! The state machine against a card in memory: every step, every failure, every interruption.

mod failures;
mod impossible;
mod interruptions;
mod power_ups;
mod steps;
mod switch;

use std::sync::Arc;

use gateway_protocol::{CardData, ReportAnswer, ReportEvent, SessionAnswer, Work};
use test_support::gateway::card::Card;

use super::{BusyCard, Output, Reply, SessionEvent, SessionLimits, SessionMachine, Shared, SuspendedSession};
use crate::http::{AgentRequest, Cursor};
use crate::keys::LinkKey;
use crate::platform::{ChipKeys, PlatformError};
use crate::profile::{Catalogue, Profile};

/// Why a session ended, as tests see it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ending {
    /// 204, with the gateway's reason.
    Finished(&'static str),
    /// A last script.
    LastScript(&'static str),
    /// 503.
    Unavailable,
    /// The link broke, by order of the test.
    Broken { resume_at: Option<Cursor> },
}

/// Where the link may break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    /// The n-th script does not reach the chip.
    BeforeRunning(usize),
    /// The n-th script was run, its answer does not reach the gateway.
    AfterRunning(usize),
}

/// The platform, as one test needs it.
struct World {
    shared: Arc<Shared>,
    profile: String,
    work: Work,
    data: CardData,
    attempt: u32,
    resume_step: u32,
    allowance: Option<u64>,
    /// Whether `not_verified` with rewrite may go on in the same session.
    rewrites_at_once: bool,
    /// Whether the last session of the card's power-up failed.
    power_up_is_spent: bool,
    /// Every report that was acknowledged.
    reports: Vec<ReportEvent>,
    events: Vec<SessionEvent>,
    token: u32,
    max_fragment: Option<usize>,
    requests: u32,
    scripts: u32,
    /// Bytes of each script that was sent.
    script_bytes: Vec<usize>,
    suspended: Option<SuspendedSession>,
    busy: Option<BusyCard>,
    /// Bytes of the chip's DEK.
    dek_bytes: usize,
}

impl World {
    fn new() -> Self {
        let link_key = LinkKey::parse(&"11".repeat(32)).unwrap();
        let data = CardData {
            iccid: "89860112345678901234".into(),
            msisdn: "1440123456789".into(),
            imsi: "460001357924680".into(),
            smsc: Some("+8613800100500".into()),
            k_wrapped: Some(link_key.wrap_hex(&[0xA1; 16]).unwrap()),
            opc_wrapped: Some(link_key.wrap_hex(&[0xA2; 16]).unwrap()),
        };
        let shared = Arc::new(Shared {
            catalogue: Catalogue::load(None).unwrap(),
            link_key,
        });
        Self {
            shared,
            profile: "qibiao-seed".into(),
            work: Work::Write,
            data,
            attempt: 1,
            resume_step: 0,
            allowance: Some(1 << 20),
            rewrites_at_once: false,
            power_up_is_spent: false,
            reports: Vec::new(),
            events: Vec::new(),
            token: 0,
            max_fragment: None,
            requests: 64,
            scripts: 64,
            script_bytes: Vec::new(),
            suspended: None,
            busy: None,
            dek_bytes: 16,
        }
    }

    /// A world whose profile was edited.
    fn with_profile(edit: impl Fn(String) -> String) -> Self {
        let mut world = Self::new();
        let directory = tempfile::tempdir().unwrap();
        let text = edit(crate::profile::SHIPPED[1].to_owned());
        Profile::parse(&text).unwrap();
        std::fs::write(directory.path().join("edited.toml"), text).unwrap();
        let catalogue = Catalogue::load(Some(directory.path())).unwrap();
        world.shared = Arc::new(Shared {
            catalogue,
            link_key: world.shared.link_key.clone(),
        });
        world
    }

    fn machine(&mut self) -> SessionMachine {
        self.token += 1;
        let keys = ChipKeys {
            eid: "89086030202200000022000000000090".parse().unwrap(),
            home: None,
            key_version: 0x40,
            psk: vec![1; 16].into(),
            dek: vec![2; self.dek_bytes].into(),
        };
        let limits = SessionLimits {
            requests: self.requests,
            scripts: self.scripts,
            max_fragment: self.max_fragment,
        };
        SessionMachine::new(Arc::clone(&self.shared), keys, limits, format!("t{}", self.token))
            .knowing(self.busy.clone())
    }

    fn session_answer(&self) -> SessionAnswer {
        SessionAnswer {
            work: self.work,
            task_id: Some("task-1".into()),
            chip_model: "QB-SEED-4G".into(),
            profile: self.profile.clone(),
            attempt: self.attempt,
            allowance_bytes: self.allowance,
            resume_step: self.resume_step,
            data: Some(self.data.clone()),
        }
    }

    /// What the platform does with a report.
    fn acknowledge(&mut self, report: &ReportEvent) -> ReportAnswer {
        let go_on = match report {
            ReportEvent::Progress { step, .. } => {
                self.resume_step = self.resume_step.max(*step);
                true
            }
            ReportEvent::PoweredUp { .. } => !self.power_up_is_spent,
            ReportEvent::Written => {
                self.work = Work::Verify;
                false
            }
            ReportEvent::NotVerified { rewrite: true, .. } => {
                self.work = Work::Write;
                self.resume_step = 0;
                self.attempt += 1;
                self.rewrites_at_once
            }
            _ => false,
        };
        self.reports.push(report.clone());
        ReportAnswer {
            go_on,
            allowance_bytes: self.allowance,
        }
    }

    /// Drives the machine until it replies.
    fn settle(&mut self, machine: &mut SessionMachine, mut output: Output) -> Reply {
        for _ in 0..8 {
            output = match output {
                Output::Open { .. } => {
                    let asked = machine.resumes().map(str::to_owned);
                    let suspended = self
                        .suspended
                        .take()
                        .filter(|suspended| Some(&suspended.token) == asked.as_ref());
                    machine.on_opened(Ok(self.session_answer()), suspended)
                }
                Output::Report(report) => {
                    let answer = self.acknowledge(&report);
                    machine.on_reported(Ok(answer), 0)
                }
                Output::Reply(reply) => {
                    self.events.extend(machine.take_events());
                    return reply;
                }
            };
        }
        panic!("no reply after eight questions");
    }

    /// One session from its first request to its end, or to where the link breaks.
    fn session(&mut self, card: &mut Card, resume_at: Option<Cursor>, cut: Option<Break>) -> Ending {
        let mut machine = self.machine();
        let resume = resume_at.is_some();
        let mut request = AgentRequest {
            resume,
            cursor: resume_at,
            ..AgentRequest::default()
        };
        let mut run = 0;
        loop {
            let asked = request.cursor.clone();
            let output = machine.on_request(request, 0).unwrap();
            let reply = self.settle(&mut machine, output);
            self.busy = machine.busy();
            let (body, next) = match reply {
                Reply::Script { body, next, .. } => (body, next),
                Reply::LastScript { body, reason, .. } => {
                    card.run(&body);
                    return Ending::LastScript(reason);
                }
                Reply::End { reason } => return Ending::Finished(reason),
                Reply::Unavailable => return Ending::Unavailable,
            };
            self.script_bytes.push(body.len());
            if cut == Some(Break::BeforeRunning(run)) {
                self.suspended = machine.suspend();
                return Ending::Broken { resume_at: asked };
            }
            let answer = card.run(&body);
            if cut == Some(Break::AfterRunning(run)) {
                self.suspended = machine.suspend();
                return Ending::Broken {
                    resume_at: Some(next),
                };
            }
            run += 1;
            request = AgentRequest {
                cursor: Some(next),
                body: Some(answer),
                ..AgentRequest::default()
            };
        }
    }

    /// Descriptions of the commands that were answered.
    fn commands(&self) -> Vec<String> {
        let apdus = self.events.iter().filter_map(|event| match event {
            SessionEvent::Apdu(answered) => Some(answered.description.clone()),
            _ => None,
        });
        apdus.collect()
    }
}

/// What the card of [`World::new`] holds when everything is written.
fn assert_written(card: &Card) {
    for (fid, expected) in [
        (0x2FE2, "98681021436587092143"),
        (0x6F07, "084906003175296408"),
        (0x6F78, "0001"),
        (0x6FAD, "00000002"),
        (0x6F7B, "ffffffffffffffffffffffff"),
        (0x6F62, "64f0004000ffffff0000ffffff0000ffffff0000"),
    ] {
        assert_eq!(hex::encode(card.content(fid)), expected, "file {fid:04X}");
    }
    assert!(hex::encode(card.content(0x6F40)).ends_with("099168410421436587f9ffffffff"));
    assert!(hex::encode(card.content(0x6F42)).ends_with("0891683108100005f0ffffff0000a7"));
    assert!(!card.key_loads.is_empty(), "no key material was loaded");
}

fn refused(status: u16) -> PlatformError {
    PlatformError::Refused {
        status,
        reason: "reason".into(),
        message: String::new(),
    }
}

fn unavailable() -> PlatformError {
    PlatformError::Unavailable("test".into())
}
