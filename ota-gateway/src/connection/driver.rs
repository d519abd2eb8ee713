//! Drives one session: the chip's requests go to the session machine, the machine's questions to the platform, its
//! replies to the chip. Observers, logs and metrics learn what happened.
//!
//! It must never decide what is written: the session machine does. It must never send a reply that depends on what
//! the platform must know before the platform acknowledged it.

use std::net::SocketAddr;
use std::sync::Arc;

use gateway_protocol::{ReportAnswer, ReportEvent, ReportRequest, SessionRequest};
use tokio::time::{Duration, Instant};
use uicc::Eid;
use uicc::scp81::{AdminResponse, AdminStatus, TargetedApplication, Uri};
use uuid::Uuid;

use super::agent_stream::{AgentStream, NoRequest};
use super::locked;
use super::platform_session::PlatformSession;
use super::watch;
use crate::admission::SessionSlot;
use crate::context::Context;
use crate::http::{self, AgentRequest, HttpError, Request};
use crate::metrics::{Kind, Outcome};
use crate::observe::Event;
use crate::platform::{ChipKeys, PlatformError};
use crate::session::{Output, Reply, SessionEvent, SessionLimits, SessionMachine};
use crate::shutdown::Shutdown;

/// Hexadecimal digits of a session's token in URIs.
const TOKEN_DIGITS: usize = 10;
/// Why a session ends when the platform gave no answer.
const PLATFORM_UNAVAILABLE: &str = "platform_unavailable";

/// One session of one chip over one connection.
pub(super) struct SessionDriver<'a> {
    context: &'a Arc<Context>,
    stream: AgentStream,
    machine: SessionMachine,
    eid: Eid,
    home: Option<u8>,
    peer: SocketAddr,
    session: PlatformSession,
    slot: SessionSlot,
    shutdown: Shutdown,
}

impl<'a> SessionDriver<'a> {
    /// A session whose handshake is done. `max_fragment`: bytes of one TLS record, as the chip asked for.
    pub(super) fn new(
        context: &'a Arc<Context>,
        stream: AgentStream,
        keys: ChipKeys,
        max_fragment: Option<usize>,
        (peer, slot): (SocketAddr, SessionSlot),
        shutdown: Shutdown,
    ) -> Self {
        let limits = &context.settings.limits;
        let limits = SessionLimits {
            requests: limits.max_requests,
            scripts: limits.max_scripts,
            max_fragment,
        };
        let (eid, home) = (keys.eid, keys.home);
        let id = Uuid::now_v7();
        let random = id.simple().to_string();
        let token = random[random.len() - TOKEN_DIGITS..].to_owned();
        let busy = locked(&context.busy).get(&eid, Instant::now());
        let machine = SessionMachine::new(Arc::clone(&context.shared), keys, limits, token).knowing(busy);
        Self {
            context,
            stream,
            machine,
            eid,
            home,
            peer,
            session: PlatformSession::new(id, home),
            slot,
            shutdown,
        }
    }

    /// Runs the session to its end.
    pub(super) async fn run(mut self) {
        self.observe(|session, eid, stream| Event::Handshake {
            session,
            eid,
            version: stream.ssl().version_str().to_owned(),
            suite: stream
                .ssl()
                .current_cipher()
                .map(|suite| suite.name().to_owned())
                .unwrap_or_default(),
        });
        tracing::info!(session = self.session.id(), eid = self.masked(), peer = %self.peer, "session begins");
        let reason = self.serve_requests().await;
        self.suspend();
        self.stream.close().await;
        self.finish(reason).await;
    }

    /// Serves request after request until the session ends; gives the reason.
    async fn serve_requests(&mut self) -> &'static str {
        // The machine ends the session after its limit of requests.
        loop {
            let mut shutdown = self.shutdown.clone();
            let received = tokio::select! {
                received = self.stream.receive() => received,
                reason = self.slot.superseded() => return reason,
                () = shutdown.ordered() => return "shutdown",
            };
            let request = match received {
                Ok(request) => request,
                Err(NoRequest::Closed) => return "link_lost",
                Err(NoRequest::Alert) => return "tls_alert",
                Err(NoRequest::Idle) => return "idle",
                Err(NoRequest::Overlong) => return "overlong",
                Err(NoRequest::Bad(error)) => return self.refuse(&error).await,
            };
            match self.serve_request(request).await {
                Ok(None) => {}
                Ok(Some(reason)) => return reason,
                Err(error) => return self.refuse(&error).await,
            }
        }
    }

    /// One request and its reply; a reason if the session ends with it.
    async fn serve_request(&mut self, request: Request) -> Result<Option<&'static str>, HttpError> {
        let request = AgentRequest::from_http(request, &self.context.settings.admin_path)?;
        let spent = self.session.bytes(self.stream.traffic()).total();
        let mut output = self.machine.on_request(request, spent)?;
        // A request leads to few questions: open, report, open to rewrite.
        let reply = loop {
            self.publish_events();
            output = match output {
                Output::Open { agent, resumed } => self.open(agent, resumed).await,
                Output::Report(event) => {
                    let (answer, reported) = self.report(event).await;
                    self.machine.on_reported(answer, reported)
                }
                Output::Reply(reply) => break reply,
            };
        };
        self.publish_events();
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
                Some(PLATFORM_UNAVAILABLE),
            ),
        };
        if self.stream.send(&response).await {
            reason
        } else {
            Some(reason.unwrap_or("link_lost"))
        }
    }

    async fn refuse(&mut self, error: &HttpError) -> &'static str {
        tracing::info!(session = self.session.id(), eid = self.masked(), %error, "request refused");
        self.stream.send(&http::refuse(error)).await;
        "bad_request"
    }

    async fn open(&mut self, agent: Option<String>, resumed: bool) -> Output {
        if self.session.is_open() {
            self.session = PlatformSession::after(self.stream.traffic(), self.home);
        }
        let suspended = self
            .machine
            .resumes()
            .map(str::to_owned)
            .and_then(|token| locked(&self.context.suspended).take(&(self.eid, token), Instant::now()));
        let request = SessionRequest {
            session_id: self.session.id().to_owned(),
            eid: self.eid.as_str().to_owned(),
            peer: self.peer.to_string(),
            agent,
            resumed,
            gateway: Some(self.context.settings.announced_name()),
        };
        let answer = self.context.platform.open(&request).await;
        match &answer {
            Ok(_) => self.session.set_open(),
            Err(error) => {
                tracing::warn!(session = self.session.id(), eid = self.masked(), %error, "session not opened");
                // A refusal can end a writing, and then a message is due.
                if let PlatformError::Refused { .. } = error {
                    self.context.tick.notify_one();
                }
            }
        }
        self.machine.on_opened(answer, suspended)
    }

    /// Reports an event until the platform answers or the retries end; gives the answer and the reported bytes.
    async fn report(&mut self, event: ReportEvent) -> (Result<ReportAnswer, PlatformError>, u64) {
        let request = self.session.report(event.clone(), self.stream.traffic());
        let platform = &self.context.platform;
        let answer = platform
            .report(&request, self.context.settings.limits.report_retry())
            .await;
        let session = self.session.id();
        match (&answer, &event) {
            // A platform that opened the chip's next session already knows that this one is over.
            (Err(error), ReportEvent::Closed { .. }) => {
                tracing::info!(session, %error, "end not acknowledged")
            }
            (Err(error), _) => tracing::error!(session, %error, "report not acknowledged"),
            (Ok(_), ReportEvent::Verified | ReportEvent::Failed { .. }) => self.context.tick.notify_one(),
            (Ok(_), _) => {}
        }
        if let (Ok(_), ReportEvent::Failed { failure, .. }) = (&answer, &event) {
            let kind = failure.code();
            self.context.metrics.failures.get_or_create(&Kind { kind }).inc();
        }
        (answer, request.bytes_up + request.bytes_down)
    }

    /// Reports once the end of a session that never asked for work, so that an administrator sees why.
    async fn report_unopened(&mut self, event: ReportEvent) {
        let request = ReportRequest {
            eid: Some(self.eid.as_str().to_owned()),
            peer: Some(self.peer.to_string()),
            ..self.session.report(event, self.stream.traffic())
        };
        if let Err(error) = self.context.platform.report(&request, Duration::ZERO).await {
            tracing::info!(session = self.session.id(), %error, "end not acknowledged");
        }
    }

    /// Keeps the session's checkpoint, in case the chip resumes it, and that its card was busy.
    fn suspend(&self) {
        let now = Instant::now();
        if let Some(session) = self.machine.suspend() {
            let key = (self.eid, session.token.clone());
            locked(&self.context.suspended).put(key, session, now);
        }
        if let Some(busy) = self.machine.busy() {
            locked(&self.context.busy).put(self.eid, busy, now);
        }
    }

    async fn finish(&mut self, reason: &'static str) {
        let event = ReportEvent::Closed {
            reason: reason.to_owned(),
        };
        if self.session.is_open() {
            let _ = self.report(event).await;
        } else if reason != PLATFORM_UNAVAILABLE {
            self.report_unopened(event).await;
        }
        let (bytes_up, bytes_down) = (self.stream.traffic().up(), self.stream.traffic().down());
        self.context
            .metrics
            .sessions
            .get_or_create(&Kind { kind: reason })
            .inc();
        tracing::info!(
            session = self.session.id(),
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

    /// Gives the machine's events to log, metrics and observer.
    fn publish_events(&mut self) {
        for event in self.machine.take_events() {
            watch::log(self.session.id(), &self.masked(), &event);
            if let SessionEvent::Script { accepted } = &event {
                let result = if *accepted { "accepted" } else { "failed" };
                self.context
                    .metrics
                    .scripts
                    .get_or_create(&Outcome { result })
                    .inc();
            }
            if let Some(observer) = &self.context.observer
                && let Some(event) = watch::observed(self.session.id().to_owned(), self.eid, event)
            {
                observer.event(&event);
            }
        }
    }

    fn observe(&self, make: impl FnOnce(String, Eid, &AgentStream) -> Event) {
        if let Some(observer) = &self.context.observer {
            observer.event(&make(self.session.id().to_owned(), self.eid, &self.stream));
        }
    }

    fn masked(&self) -> String {
        self.eid.masked()
    }
}
