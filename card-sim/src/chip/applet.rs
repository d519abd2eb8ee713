//! The seed card's applet: when to subscribe, when to open a session, when to try again, when to ask for
//! a REFRESH, when to fall back to the temporary number.
//!
//! It asks for the write allowance — opens a session — once per power-up, and once more after a reset that
//! made an operator number active which has not been reported yet. It must never open a channel for a
//! terminal that did not say it could, nor on a temporary number without allowance.

use std::time::Duration;

use uicc::cat::{
    Command, Envelope, Event as CatEvent, Facility, LocationService, Refresh, RefreshMode, TerminalProfile,
    TerminalResponse, TimerCommand, TimerId, TimerValue,
};
use uicc::ef::FilePath;

use super::core::Core;
use super::factory;
use super::layout::FILES;
use super::nvm::Identity;
use super::session::Session;
use crate::observer::{Event, Reset, SessionEnd};
use crate::personalisation::RefreshPolicy;

/// Timer that waits before another attempt.
const RETRY_TIMER: u8 = 2;
/// UICC reset (TS 102 223 §8.6).
const UICC_RESET: u8 = 0x04;
/// How often a REFRESH is asked for that the terminal cannot do at the moment.
const MAX_REFRESH_ATTEMPTS: u8 = 3;
/// General results `2X`: terminal or network unable at the moment.
const TEMPORARILY_UNABLE: u8 = 0x20;

/// When the next session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// As soon as there is service.
    WhenServed,
    /// At once.
    Now,
    /// After this time: a timer is to be started.
    After(Duration),
    /// When the timer runs out.
    Waiting,
    /// Not in this power-up.
    Never,
}

/// The applet's state; all of it is lost with power.
pub(super) struct Applet {
    able: bool,
    has_timers: bool,
    subscribed: bool,
    served: bool,
    plan: Plan,
    retries_left: u8,
    session: Option<Session>,
    refresh: Option<u8>,
    refresh_attempts: u8,
    ordered_refresh: Option<u8>,
}

impl Applet {
    /// As it stands after a start, before the terminal has said what it can do.
    pub(super) fn started(core: &Core, reset: Reset) -> Self {
        let reports = reset == Reset::PowerUp || core.nvm.identity == Identity::Unverified;
        Self {
            able: false,
            has_timers: false,
            subscribed: false,
            served: false,
            plan: if reports { Plan::WhenServed } else { Plan::Never },
            retries_left: core.card.retry.attempts,
            session: None,
            refresh: None,
            refresh_attempts: 0,
            ordered_refresh: None,
        }
    }

    /// The terminal said what it can do.
    pub(super) fn profile(&mut self, profile: &TerminalProfile) {
        self.able = profile.supports_bip_tcp();
        self.has_timers =
            profile.supports(Facility::TimerStartStop) && profile.supports(Facility::TimerExpiration);
    }

    /// The terminal polled: whatever it says about service, it is worth an attempt.
    pub(super) fn polled(&mut self) {
        self.served = true;
    }

    /// The next proactive command, if the chip wants anything.
    pub(super) fn next(&mut self, core: &mut Core) -> Option<Command> {
        if !self.able {
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
        match self.plan {
            Plan::Now => self.open(core),
            Plan::WhenServed if self.served => self.open(core),
            Plan::After(wait) => {
                let seconds = u32::try_from(wait.as_secs())
                    .unwrap_or(u32::MAX)
                    .min(TimerValue::MAX_SECONDS);
                let (timer, value) = (
                    TimerId::new(RETRY_TIMER).ok()?,
                    TimerValue::from_seconds(seconds).ok()?,
                );
                Some(Command::TimerManagement(TimerCommand::Start(timer, value)))
            }
            Plan::WhenServed | Plan::Waiting | Plan::Never => None,
        }
    }

    fn open(&mut self, core: &mut Core) -> Option<Command> {
        self.plan = Plan::Never;
        let metered = core.on_temporary_number();
        if metered && core.nvm.allowance == 0 {
            core.note(|| Event::AllowanceExhausted);
            return None;
        }
        let session = self.session.insert(Session::new(metered, self.has_timers));
        session.next(&core.card)
    }

    /// What the terminal answered.
    pub(super) fn answered(&mut self, core: &mut Core, command: &Command, response: &TerminalResponse) {
        let performed = response.result.is_performed();
        match command {
            Command::SetUpEventList(_) => {
                self.subscribed = performed;
                self.able &= performed;
            }
            Command::Refresh(_) => self.refreshed(core, performed),
            Command::TimerManagement(TimerCommand::Start(timer, _)) if timer.get() == RETRY_TIMER => {
                self.plan = if performed { Plan::Waiting } else { Plan::Now };
            }
            _ => {
                if let Some(session) = &mut self.session {
                    session.answered(core, command, response);
                }
                self.conclude(core);
            }
        }
    }

    /// What the terminal told.
    pub(super) fn told(&mut self, envelope: &Envelope) {
        match (envelope, &mut self.session) {
            (Envelope::LocationStatus { service, .. }, _) => {
                self.served = *service == LocationService::Normal
            }
            (Envelope::DataAvailable { status, .. }, Some(session)) => session.data_available(status.channel),
            (Envelope::ChannelStatus(status), Some(session)) => {
                session.channel_status(status.channel, status.established);
            }
            (Envelope::TimerExpiration { timer, .. }, _)
                if timer.get() == RETRY_TIMER && self.plan == Plan::Waiting =>
            {
                self.plan = Plan::Now;
            }
            (Envelope::TimerExpiration { timer, .. }, Some(session)) => session.timer_expired(*timer),
            _ => {}
        }
    }

    /// Draws the consequences of a session that is over.
    fn conclude(&mut self, core: &mut Core) {
        if let Some(session) = &self.session
            && let Some(agent) = session.agent()
        {
            self.ordered_refresh = agent.ordered_refresh().or(self.ordered_refresh);
            // The agent goes with its channel, so what it did is noted while it is there.
            let quiet = agent.ran_scripts() && core.changed.is_empty() && !session.is_metered();
            let confirmed = quiet && agent.end() == Some(&SessionEnd::Finished);
            if confirmed && core.nvm.identity == Identity::Unverified {
                core.nvm.identity = Identity::Verified;
            }
        }
        let Some(end) = self.session.as_ref().and_then(Session::end).cloned() else {
            return;
        };
        self.session = None;
        core.note(|| Event::SessionEnded(end.clone()));
        core.sessions.push(end.clone());
        if let SessionEnd::NoChannel(result) = end
            && self.falls_back(core, result)
        {
            return;
        }
        if end.retries() && self.retries_left > 0 {
            self.retries_left -= 1;
            let wait = core.card.retry.wait;
            self.plan = if wait.is_zero() || !self.has_timers {
                Plan::Now
            } else {
                Plan::After(wait)
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

    /// Counts a channel that the network refused on the operator number; puts the temporary identity back
    /// when it was one too many.
    fn falls_back(&mut self, core: &mut Core, result: u8) -> bool {
        if core.on_temporary_number() || result & 0xF0 != TEMPORARILY_UNABLE {
            return false;
        }
        core.nvm.failed_attempts = core.nvm.failed_attempts.saturating_add(1);
        let restores = core
            .card
            .fallback_after
            .is_some_and(|limit| core.nvm.failed_attempts >= limit);
        if restores {
            factory::restore_identity(core);
            core.note(|| Event::IdentityRestored);
            self.refresh = Some(UICC_RESET);
        }
        restores
    }

    /// The terminal did or could not do a REFRESH. After a UICC reset this is never called: the reset
    /// takes the applet's state with it.
    fn refreshed(&mut self, core: &mut Core, performed: bool) {
        self.refresh_attempts += 1;
        if performed || self.refresh_attempts >= MAX_REFRESH_ATTEMPTS {
            self.refresh = None;
            self.ordered_refresh = None;
            self.refresh_attempts = 0;
        }
        if performed {
            core.changed.clear();
            self.served = false;
            if core.nvm.identity == Identity::Unverified {
                self.plan = Plan::WhenServed;
            }
        }
    }
}

/// The command, with the changed files where its mode wants them.
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
