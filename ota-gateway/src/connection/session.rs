//! Drives one session: requests to the state machine, its questions to the platform, its replies to the
//! chip; and tells observers, logs and metrics what happened.
//!
//! It must never decide what is written: the machine does. It must never reply to a chip what depends on
//! the platform's knowledge before the platform acknowledged it.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use tokio::time::{Instant, sleep, timeout};
use uicc::Eid;
use uicc::scp81::{AdminResponse, AdminStatus, TargetedApplication, Uri};
use uuid::Uuid;

use super::wire::{NoRequest, Wire};
use crate::gateway::Context;
use crate::http::{self, AgentRequest, HttpError, Request};
use crate::metrics::{Kind, Outcome};
use crate::observe::Event;
use crate::platform::{
    ChipKeys, OpenAnswer, OpenRequest, PlatformError, Report, ReportAnswer, ReportRequest, waits,
};
use crate::session::{Answered, Machine, Moment, Output, Reply, SessionLimits};
use crate::stop::Stop;

/// Hexadecimal digits of a session's token in URIs.
const TOKEN_DIGITS: usize = 10;

/// What the platform knows the session by, and what was told so far.
struct Account {
    id: String,
    /// Whether the platform accepted it.
    open: bool,
    reports: u32,
    /// Bytes of the connection that belong to an earlier session of it.
    base_up: u64,
    base_down: u64,
}

/// One session.
pub(super) struct Session<'a> {
    context: &'a Arc<Context>,
    wire: Wire,
    machine: Machine,
    eid: Eid,
    peer: SocketAddr,
    account: Account,
    stopped: Stop,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        context: &'a Arc<Context>,
        wire: Wire,
        keys: ChipKeys,
        max_fragment: Option<usize>,
        peer: SocketAddr,
        stopped: Stop,
    ) -> Self {
        let limits = &context.settings.limits;
        let limits = SessionLimits {
            requests: limits.max_requests,
            scripts: limits.max_scripts,
            max_fragment,
        };
        let eid = keys.eid;
        let id = Uuid::now_v7();
        let random = id.simple().to_string();
        let token = random[random.len() - TOKEN_DIGITS..].to_owned();
        let machine = Machine::new(Arc::clone(&context.shared), keys, limits, token);
        let account = Account {
            id: id.to_string(),
            open: false,
            reports: 0,
            base_up: 0,
            base_down: 0,
        };
        Self {
            context,
            wire,
            machine,
            eid,
            peer,
            account,
            stopped,
        }
    }

    /// Runs the session to its end.
    pub(super) async fn run(mut self) {
        self.observe(|session, eid, wire| Event::Handshake {
            session,
            eid,
            version: wire.ssl().version_str().to_owned(),
            suite: wire
                .ssl()
                .current_cipher()
                .map(|suite| suite.name().to_owned())
                .unwrap_or_default(),
        });
        tracing::info!(session = self.account.id, eid = self.masked(), peer = %self.peer, "session begins");
        let reason = self.converse().await;
        self.park();
        self.wire.close().await;
        self.finish(reason).await;
    }

    /// Request by request, until something ends the session; gives the reason.
    async fn converse(&mut self) -> &'static str {
        // The machine ends after its limit of requests.
        loop {
            let mut stopped = self.stopped.clone();
            let received = tokio::select! {
                received = self.wire.receive() => received,
                () = stopped.ordered() => return "shutdown",
            };
            let request = match received {
                Ok(request) => request,
                Err(NoRequest::Closed) => return "link_lost",
                Err(NoRequest::Idle) => return "idle",
                Err(NoRequest::Overlong) => return "overlong",
                Err(NoRequest::Bad(error)) => return self.refuse(&error).await,
            };
            match self.turn(request).await {
                Ok(None) => {}
                Ok(Some(reason)) => return reason,
                Err(error) => return self.refuse(&error).await,
            }
        }
    }

    /// One request and its reply; a reason if the session ends with it.
    async fn turn(&mut self, request: Request) -> Result<Option<&'static str>, HttpError> {
        let request = AgentRequest::from_http(request, &self.context.settings.admin_path)?;
        let (up, down) = self.spent();
        let mut output = self.machine.on_request(request, up + down)?;
        // A request makes few questions: open, report, open to rewrite.
        let reply = loop {
            self.tell();
            output = match output {
                Output::Open { agent, resumed } => self.open(agent, resumed).await,
                Output::Report(report) => {
                    let (answer, reported) = self.report(report).await;
                    self.machine.on_reported(answer, reported)
                }
                Output::Reply(reply) => break reply,
            };
        };
        self.tell();
        Ok(self.reply(reply).await)
    }

    async fn reply(&mut self, reply: Reply) -> Option<&'static str> {
        let path = &self.context.settings.admin_path;
        let (response, reason) = match reply {
            Reply::Script { target, body, next } => {
                let next = next.uri(path).parse::<Uri>().ok();
                (
                    AdminResponse::rfm_script(TargetedApplication(target), next).encode(&body),
                    None,
                )
            }
            Reply::LastScript { target, body, reason } => (
                AdminResponse::rfm_script(TargetedApplication(target), None).encode(&body),
                Some(reason),
            ),
            Reply::End { reason } => (AdminResponse::finished().encode(&[]), Some(reason)),
            Reply::Unavailable => (
                AdminResponse::error(AdminStatus::Unavailable).encode(&[]),
                Some("platform_unavailable"),
            ),
        };
        if self.wire.send(&response).await {
            reason
        } else {
            Some(reason.unwrap_or("link_lost"))
        }
    }

    async fn refuse(&mut self, error: &HttpError) -> &'static str {
        tracing::info!(session = self.account.id, eid = self.masked(), %error, "request refused");
        self.wire.send(&http::refuse(error)).await;
        "bad_request"
    }

    async fn open(&mut self, agent: Option<String>, resumed: bool) -> Output {
        if self.account.open {
            // Another session over the same connection: what was transferred so far is not its cost.
            let (up, down) = (self.wire.traffic().up(), self.wire.traffic().down());
            self.account = Account {
                id: Uuid::now_v7().to_string(),
                open: false,
                reports: 0,
                base_up: up,
                base_down: down,
            };
        }
        let parked = self.machine.resumes().map(str::to_owned).and_then(|token| {
            let mut places = self.context.resume.lock().unwrap_or_else(PoisonError::into_inner);
            places.take(&(self.eid, token), Instant::now())
        });
        let request = OpenRequest {
            session_id: self.account.id.clone(),
            eid: self.eid,
            peer: self.peer.to_string(),
            agent,
            resumed,
        };
        let answer: Result<OpenAnswer, PlatformError> = self.context.platform.open(&request).await;
        match &answer {
            Ok(_) => self.account.open = true,
            Err(error) => {
                tracing::warn!(session = self.account.id, eid = self.masked(), %error, "session not opened");
                // A refusal can end a writing, and then somebody is to be told.
                if let PlatformError::Refused { .. } = error {
                    self.context.tick.notify_one();
                }
            }
        }
        self.machine.on_opened(answer, parked)
    }

    /// Reports, again and again while the platform cannot be reached; gives the bytes that were told too.
    async fn report(&mut self, event: Report) -> (Result<ReportAnswer, PlatformError>, u64) {
        self.account.reports += 1;
        let (bytes_up, bytes_down) = self.spent();
        let seq = self.account.reports;
        let request = ReportRequest {
            session_id: self.account.id.clone(),
            seq,
            event,
            bytes_up,
            bytes_down,
        };
        let limits = &self.context.settings.limits;
        let mut waits = waits(limits.report_retry());
        let tries = async {
            loop {
                match (self.context.platform.report(&request).await, waits.next()) {
                    (Err(PlatformError::Unavailable(error)), Some(wait)) => {
                        tracing::warn!(
                            session = self.account.id,
                            error,
                            ?wait,
                            "report not acknowledged, trying again"
                        );
                        sleep(wait).await;
                    }
                    (answer, _) => break answer,
                }
            }
        };
        // A platform that takes connections and never answers costs time beyond the waits.
        let answer = timeout(limits.report_retry() + limits.platform_timeout(), tries)
            .await
            .unwrap_or_else(|_| Err(PlatformError::Unavailable("no answer in time".to_owned())));
        match (&answer, &request.event) {
            // A platform that opened the chip's next session already knows that this one is over.
            (Err(error), Report::Closed { .. }) => {
                tracing::info!(session = self.account.id, %error, "end not acknowledged")
            }
            (Err(error), _) => tracing::error!(session = self.account.id, %error, "report not acknowledged"),
            (Ok(_), Report::Verified | Report::Failed { .. }) => self.context.tick.notify_one(),
            (Ok(_), _) => {}
        }
        if let (Ok(_), Report::Failed { failure, .. }) = (&answer, &request.event) {
            self.context
                .metrics
                .failures
                .get_or_create(&Kind { kind: failure })
                .inc();
        }
        (answer, bytes_up + bytes_down)
    }

    /// Remembers where the session stands, should the chip want to resume it.
    fn park(&self) {
        if let Some(parked) = self.machine.park() {
            let mut places = self.context.resume.lock().unwrap_or_else(PoisonError::into_inner);
            places.put((self.eid, parked.session.clone()), parked, Instant::now());
        }
    }

    async fn finish(&mut self, reason: &'static str) {
        if self.account.open {
            let _ = self.report(Report::Closed { reason }).await;
        }
        let (bytes_up, bytes_down) = (self.wire.traffic().up(), self.wire.traffic().down());
        self.context
            .metrics
            .sessions
            .get_or_create(&Kind { kind: reason })
            .inc();
        tracing::info!(
            session = self.account.id,
            eid = self.masked(),
            reason,
            bytes_up,
            bytes_down,
            "session ends"
        );
        self.observe(|session, eid, _| Event::End {
            session,
            eid,
            reason,
            bytes_up,
            bytes_down,
        });
    }

    /// Bytes of this session so far, up and down.
    fn spent(&self) -> (u64, u64) {
        let traffic = self.wire.traffic();
        (
            traffic.up() - self.account.base_up,
            traffic.down() - self.account.base_down,
        )
    }

    /// Hands on what happened in the machine.
    fn tell(&mut self) {
        for moment in self.machine.take_moments() {
            self.log(&moment);
            if let Moment::Script { accepted } = &moment {
                let result = if *accepted { "accepted" } else { "failed" };
                self.context
                    .metrics
                    .scripts
                    .get_or_create(&Outcome { result })
                    .inc();
            }
            if let Some(observer) = &self.context.observer
                && let Some(event) = event(self.account.id.clone(), self.eid, moment)
            {
                observer.event(&event);
            }
        }
    }

    fn log(&self, moment: &Moment) {
        let (session, eid) = (&self.account.id, self.masked());
        match moment {
            Moment::Work { work, resumed } => tracing::info!(session, eid, work, resumed, "work"),
            Moment::Apdu(answered) => {
                tracing::debug!(
                    session,
                    eid,
                    command = answered.meaning,
                    sw = format!("{:04X}", answered.status),
                    "answered"
                );
            }
            Moment::Progress { step, steps } => tracing::info!(session, eid, step, steps, "progress"),
            Moment::State { state, detail } => {
                tracing::info!(session, eid, state, detail, "state acknowledged")
            }
            Moment::Script { .. } => {}
        }
    }

    fn observe(&self, make: impl FnOnce(String, Eid, &Wire) -> Event) {
        if let Some(observer) = &self.context.observer {
            observer.event(&make(self.account.id.clone(), self.eid, &self.wire));
        }
    }

    fn masked(&self) -> String {
        self.eid.masked()
    }
}

/// The event an observer sees; scripts are counted, not told: their commands are.
fn event(session: String, eid: Eid, moment: Moment) -> Option<Event> {
    Some(match moment {
        Moment::Work { work, resumed } => Event::Work {
            session,
            eid,
            work,
            resumed,
        },
        Moment::Apdu(Answered {
            meaning,
            command,
            status,
        }) => Event::Apdu {
            session,
            eid,
            meaning,
            command,
            sw: status,
        },
        Moment::Progress { step, steps } => Event::Progress {
            session,
            eid,
            step,
            steps,
        },
        Moment::State { state, detail } => Event::State {
            session,
            eid,
            state,
            detail,
        },
        Moment::Script { .. } => return None,
    })
}
