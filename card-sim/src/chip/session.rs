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

/// Timer that watches for inactivity.
const INACTIVITY_TIMER: u8 = 1;
/// Bytes of one SEND DATA and of one RECEIVE DATA: what a terminal response holds.
const MAX_DATA_BYTES: u8 = MAX_RECEIVE_DATA_BYTES as u8;

/// How a terminal answers the closing of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watch {
    /// The timer is to be started.
    Due,
    /// It runs.
    Running,
    /// The terminal has no timers.
    Impossible,
}

/// A session from OPEN CHANNEL to CLOSE CHANNEL.
pub(super) struct Session {
    channel: Option<(ChannelId, Agent)>,
    /// The bytes are paid from the test allowance.
    metered: bool,
    data_waiting: bool,
    link_up: bool,
    active: bool,
    watch: Watch,
    end: Option<SessionEnd>,
}

impl Session {
    /// A session that has yet to open its channel.
    pub(super) const fn new(metered: bool, has_timers: bool) -> Self {
        let watch = if has_timers { Watch::Due } else { Watch::Impossible };
        Self {
            channel: None,
            metered,
            data_waiting: false,
            link_up: false,
            active: false,
            watch,
            end: None,
        }
    }

    /// How it ended, once its channel is closed or could not be opened.
    pub(super) const fn end(&self) -> Option<&SessionEnd> {
        self.end.as_ref()
    }

    /// The bytes were paid from the test allowance.
    pub(super) const fn is_metered(&self) -> bool {
        self.metered
    }

    /// The agent, while there is a channel.
    pub(super) fn agent(&self) -> Option<&Agent> {
        self.channel.as_ref().map(|(_, agent)| agent)
    }

    /// What the terminal shall do next; `None` while there is something to wait for.
    pub(super) fn next(&mut self, card: &Personalisation) -> Option<Command> {
        let Some((channel, agent)) = &mut self.channel else {
            return self
                .end
                .is_none()
                .then(|| Command::OpenChannel(open_channel(card)));
        };
        let channel = *channel;
        let over = agent.end().is_some();
        if self.watch == Watch::Due && !over {
            let seconds = u32::try_from(card.inactivity.as_secs()).unwrap_or(u32::MAX);
            let value = TimerValue::from_seconds(seconds.min(TimerValue::MAX_SECONDS)).ok()?;
            return Some(Command::TimerManagement(TimerCommand::Start(timer()?, value)));
        }
        if self.data_waiting && self.link_up && !over {
            return Some(Command::ReceiveData {
                channel,
                wanted: MAX_DATA_BYTES,
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
        if self.watch == Watch::Running {
            return Some(Command::TimerManagement(TimerCommand::Deactivate(timer()?)));
        }
        Some(Command::CloseChannel {
            channel,
            qualifier: 0,
        })
    }

    /// What the terminal answered to `command`.
    pub(super) fn answered(&mut self, core: &mut Core, command: &Command, response: &TerminalResponse) {
        let performed = response.result.is_performed();
        match command {
            Command::OpenChannel(_) => self.opened(core, response),
            Command::TimerManagement(TimerCommand::Start(..)) if performed => self.watch = Watch::Running,
            Command::TimerManagement(_) => self.watch = Watch::Impossible,
            Command::SendData(sent) if performed => self.carried(core, sent.data.len()),
            Command::ReceiveData { .. } if performed => {
                let data = response.channel_data.as_deref().unwrap_or_default();
                self.data_waiting = response.channel_data_length.unwrap_or(0) > 0 && !data.is_empty();
                self.carried(core, data.len());
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

    fn carried(&mut self, core: &mut Core, bytes: usize) {
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

    /// Event: the channel has data.
    pub(super) fn data_available(&mut self, on: Option<ChannelId>) {
        self.data_waiting |= self.is_mine(on);
    }

    /// Event: the channel's link went up or down.
    pub(super) fn channel_status(&mut self, on: Option<ChannelId>, established: bool) {
        if self.is_mine(on) && !established {
            self.link_lost();
        }
    }

    fn is_mine(&self, on: Option<ChannelId>) -> bool {
        self.channel
            .as_ref()
            .is_some_and(|(channel, _)| Some(*channel) == on)
    }

    /// The inactivity timer ran out: either something happened since, or the session is given up.
    pub(super) fn timer_expired(&mut self, which: TimerId) {
        if which.get() != INACTIVITY_TIMER || self.watch != Watch::Running {
            return;
        }
        self.watch = Watch::Due;
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
    // An empty alpha identifier: the user is not to be told (TS 102 223 §6.4.27.1).
    OpenChannel {
        alpha: Some(Vec::new()),
        apn,
        ..OpenChannel::tcp(card.gateway.ip(), card.gateway.port(), card.buffer_bytes)
    }
}
