//! One administration session as the toolkit sees it: a channel, the agent on it, and the next proactive
//! command that moves it on (TS 102 223 §6.4.27 to §6.4.30).
//!
//! It must never send more than one command's worth of bytes, nor ask for data after the link is gone.

use uicc::cat::{
    Apn, ChannelId, Command, MAX_RECEIVE_DATA_BYTES, OpenChannel, SendData, TerminalResponse, TimerCommand,
    TimerId, TimerValue,
};

use super::agent::Agent;
use super::core::Core;
use crate::observer::SessionEnd;
use crate::personalisation::Personalisation;

/// Identifier of the inactivity timer.
const INACTIVITY_TIMER: u8 = 1;
/// Bytes of one SEND DATA and of one RECEIVE DATA: what a terminal response can hold.
const MAX_DATA_BYTES: u8 = MAX_RECEIVE_DATA_BYTES as u8;

/// State of the inactivity timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InactivityTimer {
    /// The timer has yet to be started.
    Due,
    /// The timer runs.
    Running,
    /// The terminal has no timers, or refused to start this one.
    Unavailable,
}

/// A session from OPEN CHANNEL to CLOSE CHANNEL.
pub(super) struct Session {
    channel: Option<(ChannelId, Agent)>,
    /// Whether channel bytes are deducted from the test allowance.
    metered: bool,
    data_waiting: bool,
    link_up: bool,
    active: bool,
    inactivity: InactivityTimer,
    end: Option<SessionEnd>,
}

impl Session {
    /// Makes a session that has yet to open its channel.
    pub(super) const fn new(metered: bool, has_timers: bool) -> Self {
        let inactivity = if has_timers {
            InactivityTimer::Due
        } else {
            InactivityTimer::Unavailable
        };
        Self {
            channel: None,
            metered,
            data_waiting: false,
            link_up: false,
            active: false,
            inactivity,
            end: None,
        }
    }

    /// How it ended, once its channel is closed or could not be opened.
    pub(super) const fn end(&self) -> Option<&SessionEnd> {
        self.end.as_ref()
    }

    /// Tells whether channel bytes are deducted from the test allowance.
    pub(super) const fn is_metered(&self) -> bool {
        self.metered
    }

    /// The agent, while there is a channel.
    pub(super) fn agent(&self) -> Option<&Agent> {
        self.channel.as_ref().map(|(_, agent)| agent)
    }

    /// Returns the next proactive command; `None` while the session waits for the terminal.
    pub(super) fn next(&mut self, card: &Personalisation) -> Option<Command> {
        let Some((channel, agent)) = &mut self.channel else {
            return self
                .end
                .is_none()
                .then(|| Command::OpenChannel(open_channel(card)));
        };
        let channel = *channel;
        let over = agent.end().is_some();
        if self.inactivity == InactivityTimer::Due && !over {
            let seconds = u32::try_from(card.inactivity.as_secs()).unwrap_or(u32::MAX);
            let value = TimerValue::from_seconds(seconds.min(TimerValue::MAX_SECONDS)).ok()?;
            return Some(Command::TimerManagement(TimerCommand::Start(timer()?, value)));
        }
        if self.data_waiting && self.link_up && !over {
            return Some(Command::ReceiveData {
                channel,
                requested: MAX_DATA_BYTES,
            });
        }
        if self.link_up && agent.has_outgoing() {
            let data = agent.take_outgoing(usize::from(MAX_DATA_BYTES));
            return Some(Command::SendData(SendData {
                channel,
                immediate: true,
                data,
            }));
        }
        if !over {
            return None;
        }
        if self.inactivity == InactivityTimer::Running {
            return Some(Command::TimerManagement(TimerCommand::Deactivate(timer()?)));
        }
        Some(Command::CloseChannel {
            channel,
            qualifier: 0,
        })
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
            Command::OpenChannel(_) => self.opened(core, response),
            Command::TimerManagement(TimerCommand::Start(..)) if performed => {
                self.inactivity = InactivityTimer::Running
            }
            Command::TimerManagement(_) => self.inactivity = InactivityTimer::Unavailable,
            Command::SendData(sent) if performed => self.count_bytes(core, sent.data.len()),
            Command::ReceiveData { .. } if performed => {
                let data = response.channel_data.as_deref().unwrap_or_default();
                self.data_waiting = response.channel_data_length.unwrap_or(0) > 0 && !data.is_empty();
                self.count_bytes(core, data.len());
                if let Some((_, agent)) = &mut self.channel {
                    agent.receive(core, data);
                }
            }
            Command::SendData(_) | Command::ReceiveData { .. } => self.link_lost(),
            Command::CloseChannel { .. } => {
                self.end = self
                    .channel
                    .take()
                    .map(|(_, agent)| agent.end().cloned().unwrap_or(SessionEnd::LinkLost));
            }
            _ => {}
        }
    }

    fn opened(&mut self, core: &mut Core, response: &TerminalResponse) {
        let status = response.channel_status.first();
        let channel = status
            .filter(|_| response.result.is_performed())
            .and_then(|status| status.channel);
        let Some(channel) = channel else {
            self.end = Some(SessionEnd::NoChannel(response.result.general.byte()));
            return;
        };
        self.link_up = true;
        match Agent::start(core) {
            Ok(agent) => self.channel = Some((channel, agent)),
            Err(error) => self.end = Some(SessionEnd::Security(error.to_string())),
        }
    }

    fn count_bytes(&mut self, core: &mut Core, bytes: usize) {
        self.active = true;
        if self.metered {
            core.nvm.spend(bytes);
        }
    }

    fn link_lost(&mut self) {
        self.link_up = false;
        if let Some((_, agent)) = &mut self.channel {
            agent.stop(SessionEnd::LinkLost);
        }
    }

    /// Handles the event data available.
    pub(super) fn data_available(&mut self, on: Option<ChannelId>) {
        self.data_waiting |= self.is_own_channel(on);
    }

    /// Handles the event channel status.
    pub(super) fn channel_status(&mut self, on: Option<ChannelId>, established: bool) {
        if self.is_own_channel(on) && !established {
            self.link_lost();
        }
    }

    fn is_own_channel(&self, on: Option<ChannelId>) -> bool {
        self.channel
            .as_ref()
            .is_some_and(|(channel, _)| Some(*channel) == on)
    }

    /// Handles the expiry of the inactivity timer: the session ends if no bytes passed since it was started.
    pub(super) fn timer_expired(&mut self, which: TimerId) {
        if which.get() != INACTIVITY_TIMER || self.inactivity != InactivityTimer::Running {
            return;
        }
        self.inactivity = InactivityTimer::Due;
        if !std::mem::take(&mut self.active)
            && let Some((_, agent)) = &mut self.channel
        {
            agent.stop(SessionEnd::Inactive);
        }
    }
}

fn timer() -> Option<TimerId> {
    TimerId::new(INACTIVITY_TIMER).ok()
}

fn open_channel(card: &Personalisation) -> OpenChannel {
    let apn: Option<Apn> = card.apn.parse().ok();
    // An empty alpha identifier: the terminal shows the user nothing (TS 102 223 §6.4.27.1).
    OpenChannel {
        alpha: Some(Vec::new()),
        apn,
        ..OpenChannel::tcp(card.gateway.ip(), card.gateway.port(), card.buffer_bytes)
    }
}
