//! The seed card's applet: decides when to subscribe to events, open a session, retry, issue a REFRESH, and
//! fall back to the temporary number.
//!
//! It opens a session once per power-up, and once more after a reset that made an operator number active which has
//! not been reported yet. It must never open a channel on a terminal whose profile lacks BIP over TCP, nor on a
//! temporary number without test allowance.

use std::time::Duration;

use uicc::cat::{
    Command, Envelope, Event as CatEvent, Facility, LocationService, Refresh, RefreshMode, TerminalProfile,
    TerminalResponse, TimerCommand, TimerId, TimerValue,
};
use uicc::ef::FilePath;

use super::core::Core;
use super::initial_files;
use super::layout::FILES;
use super::nvm::Identity;
use super::session::Session;
use crate::observer::{Event, Reset, SessionEnd};
use crate::personalisation::RefreshPolicy;

/// Identifier of the timer that runs before a retry.
const RETRY_TIMER: u8 = 2;
/// UICC reset (TS 102 223 §8.6).
const UICC_RESET: u8 = 0x04;
/// How many times the applet issues a REFRESH that the terminal cannot carry out.
const MAX_REFRESH_ATTEMPTS: u8 = 3;
/// High half of the general results `2X`: terminal or network temporarily unable.
const TEMPORARILY_UNABLE: u8 = 0x20;

/// When the next session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NextSession {
    /// As soon as the terminal has network service.
    OnService,
    /// At once.
    Now,
    /// After this time; the retry timer has yet to be started.
    After(Duration),
    /// When the retry timer expires.
    OnTimer,
    /// Not in this power-up.
    Never,
}

/// State of the applet; a reset clears all of it.
pub(super) struct Applet {
    /// The terminal can open TCP channels and sends the events asked for.
    terminal_capable: bool,
    has_timers: bool,
    subscribed: bool,
    has_service: bool,
    next_session: NextSession,
    retries_left: u8,
    session: Option<Session>,
    refresh: Option<u8>,
    refresh_attempts: u8,
    ordered_refresh: Option<u8>,
}

impl Applet {
    /// State of the applet after a power-up or reset, before TERMINAL PROFILE.
    pub(super) fn started(core: &Core, reset: Reset) -> Self {
        let reports = reset == Reset::PowerUp || core.nvm.identity == Identity::Unverified;
        Self {
            terminal_capable: false,
            has_timers: false,
            subscribed: false,
            has_service: false,
            next_session: if reports {
                NextSession::OnService
            } else {
                NextSession::Never
            },
            retries_left: core.card.retry.attempts,
            session: None,
            refresh: None,
            refresh_attempts: 0,
            ordered_refresh: None,
        }
    }

    /// Handles the TERMINAL PROFILE.
    pub(super) fn terminal_profile(&mut self, profile: &TerminalProfile) {
        self.terminal_capable = profile.supports_bip_tcp();
        self.has_timers =
            profile.supports(Facility::TimerStartStop) && profile.supports(Facility::TimerExpiration);
    }

    /// Handles STATUS: a terminal that polls is taken to have service, whatever its location status said.
    pub(super) fn status(&mut self) {
        self.has_service = true;
    }

    /// Returns the next proactive command, if there is one to issue.
    pub(super) fn next(&mut self, core: &mut Core) -> Option<Command> {
        if !self.terminal_capable {
            return None;
        }
        if !self.subscribed {
            return Some(Command::SetUpEventList(vec![
                CatEvent::LocationStatus,
                CatEvent::DataAvailable,
                CatEvent::ChannelStatus,
            ]));
        }
        if let Some(session) = &mut self.session {
            return session.next(&core.card);
        }
        if let Some(qualifier) = self.refresh {
            return Some(Command::Refresh(refresh(core, qualifier)));
        }
        match self.next_session {
            NextSession::Now => self.open(core),
            NextSession::OnService if self.has_service => self.open(core),
            NextSession::After(wait) => {
                let seconds = u32::try_from(wait.as_secs())
                    .unwrap_or(u32::MAX)
                    .min(TimerValue::MAX_SECONDS);
                let (timer, value) = (
                    TimerId::new(RETRY_TIMER).ok()?,
                    TimerValue::from_seconds(seconds).ok()?,
                );
                Some(Command::TimerManagement(TimerCommand::Start(timer, value)))
            }
            NextSession::OnService | NextSession::OnTimer | NextSession::Never => None,
        }
    }

    fn open(&mut self, core: &mut Core) -> Option<Command> {
        self.next_session = NextSession::Never;
        let metered = core.on_temporary_number();
        if metered && core.nvm.allowance == 0 {
            core.record(|| Event::AllowanceExhausted);
            return None;
        }
        let session = self.session.insert(Session::new(metered, self.has_timers));
        session.next(&core.card)
    }

    /// Handles the TERMINAL RESPONSE to `command`.
    pub(super) fn terminal_response(
        &mut self,
        core: &mut Core,
        command: &Command,
        response: &TerminalResponse,
    ) {
        let performed = response.result.is_performed();
        match command {
            Command::SetUpEventList(_) => {
                self.subscribed = performed;
                self.terminal_capable &= performed;
            }
            Command::Refresh(_) => self.refreshed(core, performed),
            Command::TimerManagement(TimerCommand::Start(timer, _)) if timer.get() == RETRY_TIMER => {
                self.next_session = if performed {
                    NextSession::OnTimer
                } else {
                    NextSession::Now
                };
            }
            _ => {
                if let Some(session) = &mut self.session {
                    session.terminal_response(core, command, response);
                }
                self.after_session(core);
            }
        }
    }

    /// Handles an ENVELOPE.
    pub(super) fn envelope(&mut self, envelope: &Envelope) {
        match (envelope, &mut self.session) {
            (Envelope::LocationStatus { service, .. }, _) => {
                self.has_service = *service == LocationService::Normal
            }
            (Envelope::DataAvailable { status, .. }, Some(session)) => session.data_available(status.channel),
            (Envelope::ChannelStatus(status), Some(session)) => {
                session.channel_status(status.channel, status.established);
            }
            (Envelope::TimerExpiration { timer, .. }, _)
                if timer.get() == RETRY_TIMER && self.next_session == NextSession::OnTimer =>
            {
                self.next_session = NextSession::Now;
            }
            (Envelope::TimerExpiration { timer, .. }, Some(session)) => session.timer_expired(*timer),
            _ => {}
        }
    }

    /// Decides on retry, fallback and REFRESH once a session is over.
    fn after_session(&mut self, core: &mut Core) {
        if let Some(session) = &self.session
            && let Some(agent) = session.agent()
        {
            self.ordered_refresh = agent.ordered_refresh().or(self.ordered_refresh);
            // The agent is dropped with its channel, so its results are read before.
            let unchanged = agent.ran_scripts() && core.changed.is_empty() && !session.is_metered();
            let confirmed = unchanged && agent.end() == Some(&SessionEnd::Finished);
            if confirmed && core.nvm.identity == Identity::Unverified {
                core.nvm.identity = Identity::Verified;
            }
        }
        let Some(end) = self.session.as_ref().and_then(Session::end).cloned() else {
            return;
        };
        self.session = None;
        core.record(|| Event::SessionEnded(end.clone()));
        core.sessions.push(end.clone());
        if let SessionEnd::NoChannel(result) = end
            && self.falls_back(core, result)
        {
            return;
        }
        if end.retries() && self.retries_left > 0 {
            self.retries_left -= 1;
            let wait = core.card.retry.wait;
            self.next_session = if wait.is_zero() || !self.has_timers {
                NextSession::Now
            } else {
                NextSession::After(wait)
            };
            return;
        }
        let orderly = matches!(end, SessionEnd::Finished | SessionEnd::NoResultWanted);
        self.refresh = match core.card.refresh {
            RefreshPolicy::Automatic(qualifier) if orderly && !core.changed.is_empty() => {
                self.ordered_refresh.or(Some(qualifier))
            }
            _ => self.ordered_refresh,
        };
    }

    /// Counts a channel that the network refused on the operator number or its keys; at the limit, restores the
    /// temporary identity and returns `true`.
    fn falls_back(&mut self, core: &mut Core, result: u8) -> bool {
        let as_delivered = core.on_temporary_number() && core.nvm.keys().is_none();
        if as_delivered || result & 0xF0 != TEMPORARILY_UNABLE {
            return false;
        }
        core.nvm.failed_attempts = core.nvm.failed_attempts.saturating_add(1);
        let restores = core
            .card
            .fallback_after
            .is_some_and(|limit| core.nvm.failed_attempts >= limit);
        if restores {
            initial_files::restore_identity(&core.card, &mut core.nvm);
            core.record(|| Event::IdentityRestored);
            self.refresh = Some(UICC_RESET);
        }
        restores
    }

    /// Handles the response to a REFRESH. A UICC reset never gets here: it clears the state of the applet.
    fn refreshed(&mut self, core: &mut Core, performed: bool) {
        self.refresh_attempts += 1;
        if performed || self.refresh_attempts >= MAX_REFRESH_ATTEMPTS {
            self.refresh = None;
            self.ordered_refresh = None;
            self.refresh_attempts = 0;
        }
        if performed {
            core.changed.clear();
            self.has_service = false;
            if core.nvm.identity == Identity::Unverified {
                self.next_session = NextSession::OnService;
            }
        }
    }
}

/// Builds the REFRESH command, with the list of changed files if the mode has one.
fn refresh(core: &Core, qualifier: u8) -> Refresh {
    let mode = RefreshMode::from_byte(qualifier);
    let plain = Refresh::of(mode);
    if !matches!(mode, RefreshMode::FileChange | RefreshMode::InitAndFileChange) {
        return plain;
    }
    let files: Vec<FilePath> = core.changed.iter().filter_map(|&at| path_of(at)).collect();
    plain.with_files(files).unwrap_or_else(|_| Refresh::of(mode))
}

fn path_of(at: usize) -> Option<FilePath> {
    let file = FILES.get(at)?;
    let fids = file.directory.path().iter().chain(std::iter::once(&file.fid));
    let bytes: Vec<u8> = fids.flat_map(|fid| fid.to_be_bytes()).collect();
    FilePath::parse(&bytes).ok()
}
