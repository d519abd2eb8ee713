//! One session of one chip, as a state machine without input or output.
//!
//! An input (a request of the chip, an answer of the platform) makes exactly one output: a question to the platform
//! or a reply to the chip. A reply that depends on what the platform must know therefore cannot exist before the
//! platform acknowledged it. It must never wait, read a clock or draw random numbers.

use std::sync::Arc;

use gateway_protocol::{ALLOWANCE_EXHAUSTED, FailureKind, ReportAnswer, ReportEvent, SessionAnswer, Work};
use uicc::scp81::ScriptStatus;

use super::card_job::{CardJob, Purpose, Verdict};
use super::exchange::{
    BusyCard, Output, Reply, SessionEvent, SessionLimits, Shared, SuspendedSession, Task, acknowledged,
};
use super::failure::Failure;
use super::prepare::prepare;
use super::script::{self, Batch};
use crate::http::{AgentRequest, Cursor, HttpError};
use crate::platform::{ChipKeys, PlatformError};
use crate::profile::{Profile, RefreshHow};

/// Bytes that a script costs besides its own: HTTP head, TLS record, and the chip's answer to it.
const EXCHANGE_OVERHEAD_BYTES: u64 = 1_024;
/// Most bytes of what a card holds that changes with each power-up.
const MAX_MARKER_BYTES: usize = 16;
/// Why a session ends whose card was busy to the end.
const CARD_BUSY: &str = "card_busy";
/// Why a session ends whose work this gateway cannot carry out.
const WORK_NOT_UNDERSTOOD: &str = "work_not_understood";

/// What to do once the platform acknowledged a report.
#[derive(Debug)]
enum AfterReport {
    /// Send the next script.
    GoOn { job: Box<CardJob>, task: Task },
    /// Order the REFRESH, if it must be ordered, and end.
    Restart {
        profile: Arc<Profile>,
        reason: &'static str,
    },
    /// Open a session again to write, if the platform says so.
    Rewrite,
    /// End the session.
    End { reason: &'static str },
}

/// What the session waits for.
#[derive(Debug)]
enum State {
    /// The chip's first request.
    Fresh,
    /// The platform's answer to [`Output::Open`].
    Opening {
        resume: Option<Cursor>,
        resumed: bool,
        rewriting: bool,
    },
    /// The chip's answer to a script.
    Waiting {
        job: Box<CardJob>,
        task: Task,
        batch: Batch,
    },
    /// The platform's answer to [`Output::Report`].
    Reporting { event: ReportEvent, after: AfterReport },
    /// Nothing: the session is over.
    Over,
}

/// The state machine of one session.
#[derive(Debug)]
pub(crate) struct SessionMachine {
    state: State,
    shared: Arc<Shared>,
    keys: ChipKeys,
    limits: SessionLimits,
    token: String,
    agent: Option<String>,
    resumed: bool,
    seq: u32,
    requests: u32,
    scripts: u32,
    /// Bytes of this session so far, in both directions.
    spent: u64,
    /// Bytes that this session may cost; none: no limit.
    budget: Option<u64>,
    /// The platform knows of which power-up this session is, as far as the card says it.
    power_up_reported: bool,
    /// The work for which the card was busy to the end: in an earlier session, then in this one.
    busy: Option<BusyCard>,
    events: Vec<SessionEvent>,
}

impl SessionMachine {
    /// A session before the chip's first request. `token` names it in the URIs given to the chip.
    pub(crate) fn new(shared: Arc<Shared>, keys: ChipKeys, limits: SessionLimits, token: String) -> Self {
        Self {
            state: State::Fresh,
            shared,
            keys,
            limits,
            token,
            agent: None,
            resumed: false,
            seq: 0,
            requests: 0,
            scripts: 0,
            spent: 0,
            budget: None,
            power_up_reported: false,
            busy: None,
            events: Vec::new(),
        }
    }

    /// The same, knowing for which work the card was busy to the end of an earlier session.
    pub(crate) fn knowing(self, busy: Option<BusyCard>) -> Self {
        Self { busy, ..self }
    }

    /// The work for which the card was busy to the end, in this session or before it.
    pub(crate) fn busy(&self) -> Option<BusyCard> {
        self.busy.clone()
    }

    /// The events since the last call.
    pub(crate) fn take_events(&mut self) -> Vec<SessionEvent> {
        std::mem::take(&mut self.events)
    }

    /// The session as it can be resumed after an interruption, if it can.
    pub(crate) fn suspend(&self) -> Option<SuspendedSession> {
        let State::Waiting { job, task, .. } = &self.state else {
            return None;
        };
        Some(SuspendedSession {
            token: self.token.clone(),
            seq: self.seq,
            task: task.clone(),
            checkpoint: job.checkpoint().clone(),
        })
    }

    /// Takes a request of the chip. `spent`: bytes of the session so far, in both directions.
    ///
    /// # Errors
    /// [`HttpError::UnknownUri`] and [`HttpError::UnexpectedBody`] for a request that does not fit the session.
    pub(crate) fn on_request(&mut self, request: AgentRequest, spent: u64) -> Result<Output, HttpError> {
        self.spent = spent;
        self.requests += 1;
        if self.requests > self.limits.requests {
            return Ok(self.end("too_many_requests"));
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::Fresh => self.first_request(request),
            State::Waiting { job, task, batch } => self.answer(job, task, &batch, request),
            _ => Err(HttpError::UnknownUri),
        }
    }

    fn first_request(&mut self, request: AgentRequest) -> Result<Output, HttpError> {
        if request.body.is_some() {
            return Err(HttpError::UnexpectedBody);
        }
        self.agent = request.agent;
        self.resumed = request.resume;
        Ok(self.open(request.cursor.filter(|_| request.resume), false))
    }

    fn open(&mut self, resume: Option<Cursor>, rewriting: bool) -> Output {
        let resumed = self.resumed && !rewriting;
        self.state = State::Opening {
            resume,
            resumed,
            rewriting,
        };
        Output::Open {
            agent: self.agent.clone(),
            resumed,
        }
    }

    /// The session token that the chip asks to resume, while the platform is being asked.
    pub(crate) fn resumes(&self) -> Option<&str> {
        match &self.state {
            State::Opening {
                resume: Some(cursor), ..
            } => Some(&cursor.session),
            _ => None,
        }
    }

    /// Takes the platform's answer to [`Output::Open`]. `suspended` is the session that [`Self::resumes`] names, if
    /// the gateway still has it.
    pub(crate) fn on_opened(
        &mut self,
        answer: Result<SessionAnswer, PlatformError>,
        suspended: Option<SuspendedSession>,
    ) -> Output {
        let State::Opening {
            resume,
            resumed,
            rewriting,
        } = std::mem::replace(&mut self.state, State::Over)
        else {
            return self.end("internal");
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(PlatformError::Refused { .. }) => return self.end("refused"),
            Err(PlatformError::Unavailable(_)) => return Output::Reply(Reply::Unavailable),
        };
        self.events.push(SessionEvent::Work {
            work: answer.work.code(),
            resumed,
        });
        if rewriting {
            // The new session counts its bytes from zero.
            self.spent = 0;
        }
        self.budget = answer.allowance_bytes;
        let purpose = match answer.work {
            Work::Write => Purpose::Write,
            Work::Verify if !rewriting => Purpose::Verify,
            _ => return self.end("nothing_to_do"),
        };
        let prepared = prepare(&self.shared, &self.keys, &self.limits, purpose, &answer);
        let (mut job, task) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => {
                tracing::error!(
                    detail = failure.detail,
                    "this session's work cannot be carried out"
                );
                return self.report_failure(&failure, WORK_NOT_UNDERSTOOD);
            }
        };
        // The chip names either the URI of the script whose answer is missing, or the one before it: the
        // missing script is sent again. With any other URI or none, reading decides what is left.
        if let (Some(cursor), Some(suspended)) = (resume, suspended)
            && suspended.task == task
            && (cursor.seq == suspended.seq || cursor.seq.checked_add(1) == Some(suspended.seq))
        {
            job.resume_at(suspended.checkpoint);
        }
        self.next(job, task)
    }

    /// Takes the chip's answer to the script that was sent last.
    fn answer(
        &mut self,
        mut job: Box<CardJob>,
        task: Task,
        batch: &Batch,
        request: AgentRequest,
    ) -> Result<Output, HttpError> {
        if request.cursor
            != Some(Cursor {
                session: self.token.clone(),
                seq: self.seq,
            })
        {
            self.state = State::Waiting {
                job,
                task,
                batch: batch.clone(),
            };
            return Err(HttpError::UnknownUri);
        }
        let refused = match request.status {
            None | Some(ScriptStatus::Ok) => None,
            Some(status @ (ScriptStatus::UnknownApplication | ScriptStatus::NotASecurityDomain)) => {
                Some((FailureKind::RfmApplicationMissing, status))
            }
            Some(status @ ScriptStatus::SecurityError) => Some((FailureKind::ScriptSecurityError, status)),
        };
        let result = match (refused, request.body) {
            (Some((kind, status)), _) => {
                Err(Failure::new(kind, format!("script status {}", status.as_str())))
            }
            (None, Some(body)) => {
                let (answered, result) = job.on_answer(batch, &body);
                self.events.extend(answered.into_iter().map(SessionEvent::Apdu));
                result
            }
            (None, None) => {
                self.state = State::Waiting {
                    job,
                    task,
                    batch: batch.clone(),
                };
                return Err(HttpError::UnexpectedBody);
            }
        };
        self.events.push(SessionEvent::Script {
            accepted: result.is_ok(),
        });
        if let Err(failure) = result {
            return Ok(self.fail(&job, task, &failure));
        }
        if let Some(marker) = job.power_up().filter(|_| self.reports_power_up(&job)) {
            let marker = hex::encode(marker.get(..MAX_MARKER_BYTES).unwrap_or(marker));
            self.power_up_reported = true;
            return Ok(self.report(ReportEvent::PoweredUp { marker }, AfterReport::GoOn { job, task }));
        }
        // A verification has no progress of its own, and what completes the work is reported as such.
        match job.next_batch() {
            Ok(Some(_)) if job.purpose == Purpose::Write => {
                let (step, steps) = (job.step(), job.steps());
                Ok(self.report(
                    ReportEvent::Progress { step, steps },
                    AfterReport::GoOn { job, task },
                ))
            }
            _ => Ok(self.next(job, task)),
        }
    }

    /// Whether the platform has to learn of which power-up this session is: it is one that writes.
    fn reports_power_up(&self, job: &CardJob) -> bool {
        !self.power_up_reported && job.purpose == Purpose::Write
    }

    /// The next script, or the end of the work.
    fn next(&mut self, mut job: Box<CardJob>, task: Task) -> Output {
        match job.next_batch() {
            Ok(Some(batch)) => self.send(job, task, batch),
            Ok(None) if job.purpose == Purpose::Write => {
                let profile = Arc::clone(&job.profile);
                self.report(
                    ReportEvent::Written,
                    AfterReport::Restart {
                        profile,
                        reason: "written",
                    },
                )
            }
            Ok(None) => self.finish_verification(&job),
            Err(failure) => self.fail(&job, task, &failure),
        }
    }

    fn send(&mut self, job: Box<CardJob>, task: Task, batch: Batch) -> Output {
        let body = batch.encode();
        self.scripts += 1;
        if self.scripts > self.limits.scripts {
            return self.end("too_many_scripts");
        }
        if !self.affords(body.len()) {
            return self.end(ALLOWANCE_EXHAUSTED);
        }
        self.seq += 1;
        let next = Cursor {
            session: self.token.clone(),
            seq: self.seq,
        };
        let target = job.profile.rfm_aid.clone();
        self.state = State::Waiting { job, task, batch };
        Output::Reply(Reply::Script { target, body, next })
    }

    /// Whether the budget covers a script of so many bytes and its answer.
    fn affords(&self, body_bytes: usize) -> bool {
        let cost = EXCHANGE_OVERHEAD_BYTES + 2 * body_bytes as u64;
        self.budget
            .is_none_or(|budget| self.spent.saturating_add(cost) <= budget)
    }

    fn finish_verification(&mut self, job: &CardJob) -> Output {
        match job.verdict() {
            Verdict::Verified => self.report(ReportEvent::Verified, AfterReport::End { reason: "verified" }),
            Verdict::Differs { other_imsi, detail } => self.report(
                ReportEvent::NotVerified {
                    detail,
                    rewrite: true,
                    other_imsi,
                },
                AfterReport::Rewrite,
            ),
            Verdict::NotRegistered(detail) => {
                // A resumed session: the script that ordered the REFRESH may have been lost with the link.
                let after = if self.resumed {
                    AfterReport::Restart {
                        profile: Arc::clone(&job.profile),
                        reason: "not_registered",
                    }
                } else {
                    AfterReport::End {
                        reason: "not_registered",
                    }
                };
                self.report(
                    ReportEvent::NotVerified {
                        detail,
                        rewrite: false,
                        other_imsi: false,
                    },
                    after,
                )
            }
        }
    }

    fn fail(&mut self, job: &CardJob, task: Task, failure: &Failure) -> Output {
        if job.purpose == Purpose::Verify {
            // Nothing is known about the number: the next session looks again.
            if failure.passing {
                return self.end(CARD_BUSY);
            }
            // No writing failed: the platform has the card written again, which shows what is wrong.
            let event = ReportEvent::NotVerified {
                detail: failure.detail.clone(),
                rewrite: true,
                other_imsi: false,
            };
            return self.report(event, AfterReport::Rewrite);
        }
        let busy = BusyCard(task);
        if failure.passing && self.busy.as_ref() != Some(&busy) {
            // The next session tries again; only then does the writing fail.
            self.busy = Some(busy);
            return self.end(CARD_BUSY);
        }
        self.report_failure(failure, "failed")
    }

    /// Reports that the writing failed; the session ends for `reason`.
    fn report_failure(&mut self, failure: &Failure, reason: &'static str) -> Output {
        let event = ReportEvent::Failed {
            failure: failure.kind,
            detail: failure.detail.clone(),
            chip_fault: failure.kind.suspects_chip(),
            status_word: failure.status.map(|status| format!("{:04X}", status.0)),
        };
        self.report(event, AfterReport::End { reason })
    }

    fn report(&mut self, event: ReportEvent, after: AfterReport) -> Output {
        self.state = State::Reporting {
            event: event.clone(),
            after,
        };
        Output::Report(event)
    }

    /// Takes the platform's answer to [`Output::Report`]. `reported`: bytes of the session in the report.
    pub(crate) fn on_reported(
        &mut self,
        answer: Result<ReportAnswer, PlatformError>,
        reported: u64,
    ) -> Output {
        let State::Reporting { event, after } = std::mem::replace(&mut self.state, State::Over) else {
            return self.end("internal");
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(PlatformError::Refused { .. }) => return self.end("report_refused"),
            Err(PlatformError::Unavailable(_)) => return Output::Reply(Reply::Unavailable),
        };
        self.events.push(acknowledged(&event));
        if let Some(left) = answer.allowance_bytes {
            self.budget = Some(reported.saturating_add(left));
        }
        match after {
            AfterReport::End { reason } => self.end(reason),
            AfterReport::Restart { profile, reason } => self.restart(&profile, reason),
            AfterReport::Rewrite if answer.go_on => self.open(None, true),
            AfterReport::Rewrite => self.end("not_verified"),
            AfterReport::GoOn { job, task } if answer.go_on => self.next(job, task),
            AfterReport::GoOn { .. } => self.end("stopped_by_platform"),
        }
    }

    /// Ends the session with the script that orders the REFRESH, if the card does not do that by itself.
    fn restart(&mut self, profile: &Profile, reason: &'static str) -> Output {
        if profile.refresh.how == RefreshHow::Automatic {
            return self.end(reason);
        }
        let body = script::refresh(profile.refresh.qualifier);
        self.state = State::Over;
        Output::Reply(Reply::LastScript {
            target: profile.rfm_aid.clone(),
            body,
            reason,
        })
    }

    fn end(&mut self, reason: &'static str) -> Output {
        self.state = State::Over;
        Output::Reply(Reply::End { reason })
    }
}
