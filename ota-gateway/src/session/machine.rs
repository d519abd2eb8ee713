//! One session of one chip, as a state machine without input or output.
//!
//! Something goes in — a request of the chip, an answer of the platform — and exactly one thing comes out:
//! a question to the platform or a reply to the chip. A reply that depends on what the platform must know
//! therefore cannot exist before the platform acknowledged it. It must never wait, read a clock or draw
//! random numbers.

use std::sync::Arc;

use uicc::scp81::ScriptStatus;

use super::content::Values;
use super::exchange::{Moment, Output, Parked, Reply, SessionLimits, Shared, Task, acknowledged};
use super::failure::{Failure, FailureKind};
use super::job::{Job, Purpose, Verdict};
use super::key_command;
use super::script::{self, Batch};
use crate::http::{AgentRequest, Cursor, HttpError};
use crate::platform::{ChipKeys, OpenAnswer, PlatformError, Report, ReportAnswer, WorkKind};
use crate::profile::{Profile, RefreshHow};

/// Bytes that a script costs besides its own: HTTP head, TLS record, and the chip's answer to it.
const EXCHANGE_OVERHEAD_BYTES: u64 = 1_024;
/// Room for the HTTP head of a response within one TLS record.
const RESPONSE_HEAD_BYTES: usize = 320;
/// Fewest bytes of script that are sent at once, however small the record.
const MIN_SCRIPT_BYTES: usize = 128;

/// What to do once the platform acknowledged a report.
#[derive(Debug)]
enum Then {
    /// Send the next script.
    GoOn {
        job: Box<Job>,
        task: Task,
    },
    /// Order the REFRESH, if it must be ordered, and end.
    Restart {
        profile: Arc<Profile>,
        reason: &'static str,
    },
    /// Open again to write, if the platform says so.
    Rewrite,
    End {
        reason: &'static str,
    },
}

#[derive(Debug)]
enum State {
    Fresh,
    Opening {
        resume: Option<Cursor>,
        resumed: bool,
        rewriting: bool,
    },
    Waiting {
        job: Box<Job>,
        task: Task,
        batch: Batch,
    },
    Reporting {
        report: Report,
        then: Then,
    },
    Over,
}

/// The machine.
#[derive(Debug)]
pub(crate) struct Machine {
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
    /// Bytes of this session so far, and how many there may be in all.
    spent: u64,
    budget: Option<u64>,
    moments: Vec<Moment>,
}

impl Machine {
    /// A session that has just begun. `token` names it in the URIs given to the chip.
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
            moments: Vec::new(),
        }
    }

    /// What happened since this was asked last.
    pub(crate) fn take_moments(&mut self) -> Vec<Moment> {
        std::mem::take(&mut self.moments)
    }

    /// Where the session stands, if an interruption now could be resumed.
    pub(crate) fn park(&self) -> Option<Parked> {
        let State::Waiting { job, task, .. } = &self.state else {
            return None;
        };
        Some(Parked {
            session: self.token.clone(),
            seq: self.seq,
            task: task.clone(),
            place: job.place().clone(),
        })
    }

    /// A request of the chip. `spent`: bytes of the session so far, in both directions.
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

    /// The platform's answer to [`Output::Open`]. `parked` is where the session stood that
    /// [`Self::resumes`] names, if that is still known.
    pub(crate) fn on_opened(
        &mut self,
        answer: Result<OpenAnswer, PlatformError>,
        parked: Option<Parked>,
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
        self.moments.push(Moment::Work {
            work: answer.work.name(),
            resumed,
        });
        if rewriting {
            // Bytes are counted anew for the new session.
            self.spent = 0;
        }
        self.budget = answer.allowance_bytes;
        let purpose = match answer.work {
            WorkKind::Write => Purpose::Write,
            WorkKind::Verify if !rewriting => Purpose::Verify,
            _ => return self.end("nothing_to_do"),
        };
        let (mut job, task) = match self.prepare(purpose, &answer) {
            Ok(prepared) => prepared,
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), "this session's work cannot be done");
                return self.end("work_not_understood");
            }
        };
        // The chip names either the URI of the script whose answer is missing, or the one before it: the
        // missing script is sent again. Any other URI, or none, and reading decides what is left.
        if let (Some(cursor), Some(parked)) = (resume, parked)
            && parked.task == task
            && (cursor.seq == parked.seq || cursor.seq.checked_add(1) == Some(parked.seq))
        {
            job.resume_at(parked.place);
        }
        self.next(job, task)
    }

    fn prepare(&self, purpose: Purpose, answer: &OpenAnswer) -> anyhow::Result<(Box<Job>, Task)> {
        use anyhow::Context as _;
        let name = answer
            .profile
            .as_deref()
            .context("the platform named no card profile")?;
        let profile = self
            .shared
            .catalogue
            .get(name)
            .with_context(|| format!("no card profile {name:?}"))?;
        let data = answer.data.as_ref().context("the platform sent no data")?;
        let values = Values::parse(data, &profile)?;
        let key_command = match (purpose, &profile.key_material) {
            (Purpose::Write, Some(layout)) => Some(key_command::build(
                layout,
                data,
                &self.shared.link_key,
                &self.keys,
            )?),
            _ => None,
        };
        let in_record = self
            .limits
            .max_fragment
            .unwrap_or(usize::MAX)
            .saturating_sub(RESPONSE_HEAD_BYTES);
        let room = profile.max_script_bytes.min(in_record.max(MIN_SCRIPT_BYTES));
        let task = Task {
            id: answer.task_id.clone(),
            attempt: answer.attempt,
            purpose,
            profile: name.to_owned(),
        };
        Ok((
            Box::new(Job::new(
                purpose,
                profile,
                values,
                key_command,
                answer.resume_step,
                room,
            )),
            task,
        ))
    }

    /// The chip's answer to the script that is out.
    fn answer(
        &mut self,
        mut job: Box<Job>,
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
                let (answered, result) = job.digest(batch, &body);
                self.moments.extend(answered.into_iter().map(Moment::Apdu));
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
        self.moments.push(Moment::Script {
            accepted: result.is_ok(),
        });
        if let Err(failure) = result {
            return Ok(self.fail(&job, &failure));
        }
        // A verification has no progress of its own, and what completes the work is reported as such.
        match job.next_batch() {
            Ok(Some(_)) if job.purpose == Purpose::Write => {
                let (step, steps) = (job.step(), job.steps());
                Ok(self.report(Report::Progress { step, steps }, Then::GoOn { job, task }))
            }
            _ => Ok(self.next(job, task)),
        }
    }

    /// The next script, or the end of the work.
    fn next(&mut self, mut job: Box<Job>, task: Task) -> Output {
        match job.next_batch() {
            Ok(Some(batch)) => self.send(job, task, batch),
            Ok(None) if job.purpose == Purpose::Write => {
                let profile = Arc::clone(&job.profile);
                self.report(
                    Report::Written,
                    Then::Restart {
                        profile,
                        reason: "written",
                    },
                )
            }
            Ok(None) => self.conclude(&job),
            Err(failure) => self.fail(&job, &failure),
        }
    }

    fn send(&mut self, job: Box<Job>, task: Task, batch: Batch) -> Output {
        let body = batch.encode();
        self.scripts += 1;
        if self.scripts > self.limits.scripts {
            return self.end("too_many_scripts");
        }
        if !self.affords(body.len()) {
            return self.end("allowance_exhausted");
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

    fn affords(&self, body_bytes: usize) -> bool {
        let cost = EXCHANGE_OVERHEAD_BYTES + 2 * body_bytes as u64;
        self.budget
            .is_none_or(|budget| self.spent.saturating_add(cost) <= budget)
    }

    fn conclude(&mut self, job: &Job) -> Output {
        match job.verdict() {
            Verdict::Verified => self.report(Report::Verified, Then::End { reason: "verified" }),
            Verdict::Differs(detail) => self.report(
                Report::NotVerified {
                    detail,
                    rewrite: true,
                },
                Then::Rewrite,
            ),
            Verdict::NotRegistered(detail) => {
                // A resumed session: the script that ordered the REFRESH may have been lost with the link.
                let then = if self.resumed {
                    Then::Restart {
                        profile: Arc::clone(&job.profile),
                        reason: "not_registered",
                    }
                } else {
                    Then::End {
                        reason: "not_registered",
                    }
                };
                self.report(
                    Report::NotVerified {
                        detail,
                        rewrite: false,
                    },
                    then,
                )
            }
        }
    }

    fn fail(&mut self, job: &Job, failure: &Failure) -> Output {
        if job.purpose == Purpose::Verify {
            // Nothing failed to be written: let the platform have it written again, which tells more.
            let report = Report::NotVerified {
                detail: failure.detail.clone(),
                rewrite: true,
            };
            return self.report(report, Then::Rewrite);
        }
        let row = failure.kind.row();
        let report = Report::Failed {
            failure: row.name,
            detail: failure.detail.clone(),
            chip_fault: row.chip_fault,
        };
        self.report(report, Then::End { reason: "failed" })
    }

    fn report(&mut self, report: Report, then: Then) -> Output {
        self.state = State::Reporting {
            report: report.clone(),
            then,
        };
        Output::Report(report)
    }

    /// The platform's answer to [`Output::Report`]. `reported`: bytes that the report told of.
    pub(crate) fn on_reported(
        &mut self,
        answer: Result<ReportAnswer, PlatformError>,
        reported: u64,
    ) -> Output {
        let State::Reporting { report, then } = std::mem::replace(&mut self.state, State::Over) else {
            return self.end("internal");
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(PlatformError::Refused { .. }) => return self.end("report_refused"),
            Err(PlatformError::Unavailable(_)) => return Output::Reply(Reply::Unavailable),
        };
        self.moments.push(acknowledged(&report));
        if let Some(left) = answer.allowance_bytes {
            self.budget = Some(reported.saturating_add(left));
        }
        match then {
            Then::End { reason } => self.end(reason),
            Then::Restart { profile, reason } => self.restart(&profile, reason),
            Then::Rewrite if answer.go_on => self.open(None, true),
            Then::Rewrite => self.end("not_verified"),
            Then::GoOn { job, task } if answer.go_on => self.next(job, task),
            Then::GoOn { .. } => self.end("stopped_by_platform"),
        }
    }

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
