//! One power cycle: boot, proactive sessions, attach, envelopes, polling, resets (TS 102 221 §14.5,
//! TS 102 223 §6).
//!
//! It must never send an envelope while a proactive command waits for its terminal response.

use uicc::apdu::build;
use uicc::cat::{
    CatResult, Command, CommandDetails, Envelope, GeneralResult, ProactiveCommand, RefreshMode,
    TerminalResponse,
};

use super::card_interface::{CardInterface, Interruption};
use super::channel::Traffic;
use super::report::Outcome;
use super::settings::ModuleSettings;
use super::terminal::Terminal;
use super::{attach, describe};
use crate::network::VirtualNetwork;
use crate::observer::{Event, Reset};

/// UICC resets that a module grants in one power-up.
const MAX_RESETS: u8 = 4;
/// Most proactive commands of one power-up.
const MAX_PROACTIVE_COMMANDS: u32 = 100_000;

/// A power cycle in progress.
pub(super) struct PowerCycle<'a> {
    pub card: CardInterface<'a>,
    pub settings: &'a ModuleSettings,
    pub network: &'a VirtualNetwork,
    pub traffic: Traffic,
    pub resets: u8,
    pub attached: bool,
    proactive_commands: u32,
    reattach: bool,
}

impl<'a> PowerCycle<'a> {
    /// A power cycle of a chip without power.
    pub(super) fn new(
        card: CardInterface<'a>,
        settings: &'a ModuleSettings,
        network: &'a VirtualNetwork,
    ) -> Self {
        let traffic = Traffic {
            drop_after_up: card.faults.drop_after_up,
            drop_after_down: card.faults.drop_after_down,
            ..Traffic::default()
        };
        Self {
            card,
            settings,
            network,
            traffic,
            resets: 0,
            attached: false,
            proactive_commands: 0,
            reattach: false,
        }
    }

    /// Runs until the chip issues no more proactive commands, or can no longer be reached.
    pub(super) async fn run(&mut self) -> Outcome {
        let delays = self.card.faults.link_delays.clone();
        let limit = self.card.faults.buffer_limit;
        let mut reset = Reset::PowerUp;
        loop {
            self.card.start(reset);
            let mut terminal = Terminal::new(self.settings, limit, &delays);
            let end = self.until_reset(&mut terminal).await;
            self.attached = terminal.registration.is_some();
            match end {
                Err(Interruption::Over(outcome)) => return outcome,
                Err(Interruption::Reset) | Ok(()) if self.resets >= MAX_RESETS => {
                    return Outcome::TooManyResets;
                }
                Err(Interruption::Reset) | Ok(()) => {
                    self.resets += 1;
                    reset = Reset::Refresh;
                }
            }
        }
    }

    /// Boots the chip and serves it until it is reset or the power cycle is over.
    async fn until_reset(&mut self, terminal: &mut Terminal<'_>) -> Result<(), Interruption> {
        let profile = build::terminal_profile(self.settings.profile.clone());
        self.card
            .exchange(&profile.map_err(|_| Interruption::Over(Outcome::Silent))?)?;
        self.proactive_session(terminal).await?;
        attach::attach(&mut self.card, self.network, terminal)?;
        let mut quiet_polls = 0;
        // Every turn sends an envelope, polls, or waits; proactive commands are counted.
        loop {
            self.proactive_session(terminal).await?;
            if std::mem::take(&mut self.reattach) {
                attach::attach(&mut self.card, self.network, terminal)?;
                quiet_polls = 0;
            } else if let Some(envelope) = self.next_envelope(terminal) {
                self.send_envelope(&envelope)?;
                quiet_polls = 0;
            } else if terminal.is_idle() {
                if quiet_polls >= self.settings.closing_polls {
                    return Err(Interruption::Over(Outcome::Settled));
                }
                self.card.exchange(&build::status())?;
                quiet_polls = if self.card.pending().is_some() {
                    0
                } else {
                    quiet_polls + 1
                };
            } else {
                tokio::select! {
                    () = terminal.envelope_due() => {}
                    () = tokio::time::sleep(self.settings.poll_interval) => {
                        self.card.exchange(&build::status())?;
                    }
                }
            }
        }
    }

    fn send_envelope(&mut self, envelope: &Envelope) -> Result<(), Interruption> {
        self.card.emit(&Event::Envelope {
            description: describe::envelope(envelope),
        });
        if let Ok(command) = build::envelope(envelope.encode()) {
            self.card.exchange(&command)?;
        }
        Ok(())
    }

    /// Fetches and carries out proactive commands as long as one is pending.
    async fn proactive_session(&mut self, terminal: &mut Terminal<'_>) -> Result<(), Interruption> {
        while let Some(length) = self.card.pending() {
            self.proactive_commands += 1;
            if self.proactive_commands > MAX_PROACTIVE_COMMANDS {
                return Err(Interruption::Over(Outcome::TimedOut));
            }
            let bytes = self.card.exchange(&build::fetch(length))?.data;
            let command = ProactiveCommand::parse(&bytes);
            let description = command
                .as_ref()
                .map_or_else(|_| "not understood".to_owned(), describe::command);
            let response = match &command {
                Ok(command) => {
                    self.card.emit(&Event::Proactive { description, bytes });
                    self.perform(terminal, command).await?
                }
                Err(_) => {
                    let response = not_understood(&bytes);
                    self.card.emit(&Event::Proactive { description, bytes });
                    response
                }
            };
            self.card.emit(&Event::TerminalResponse {
                description: describe::terminal_response(&response),
            });
            let command = build::terminal_response(response.encode())
                .map_err(|_| Interruption::Over(Outcome::Silent))?;
            self.card.exchange(&command)?;
        }
        Ok(())
    }

    async fn perform(
        &mut self,
        terminal: &mut Terminal<'_>,
        command: &ProactiveCommand,
    ) -> Result<TerminalResponse, Interruption> {
        let response = terminal.perform(command, &mut self.traffic).await;
        self.report_drop();
        if let Command::Refresh(refresh) = &command.command {
            self.card.emit(&Event::Refresh {
                qualifier: refresh.mode.byte(),
            });
            match refresh.mode {
                // The reset takes the place of the terminal response (TS 102 223 §6.4.7).
                RefreshMode::UiccReset => return Err(Interruption::Reset),
                // A modem keeps its registration when files changed and no more.
                RefreshMode::FileChange | RefreshMode::SteeringOfRoaming | RefreshMode::Other(_) => {}
                _ => self.reattach = true,
            }
        }
        Ok(response)
    }

    fn next_envelope(&mut self, terminal: &mut Terminal<'_>) -> Option<Envelope> {
        let envelope = terminal.next_envelope(&mut self.traffic);
        self.report_drop();
        envelope
    }

    /// Removes a planned link drop from the faults once it has occurred, and reports it.
    fn report_drop(&mut self) {
        let left = (self.traffic.drop_after_up, self.traffic.drop_after_down);
        let faults = &mut self.card.faults;
        if (faults.drop_after_up, faults.drop_after_down) != left {
            (faults.drop_after_up, faults.drop_after_down) = left;
            self.card.emit(&Event::Fault("link dropped".to_owned()));
        }
    }
}

/// The response to a command this terminal cannot parse: its command details, if they are where they must be.
fn not_understood(bytes: &[u8]) -> TerminalResponse {
    let details = bytes
        .windows(5)
        .find(|window| window[0] & 0x7F == 0x01 && window[1] == 3);
    let [number, kind, qualifier] = details.map_or([0; 3], |found| [found[2], found[3], found[4]]);
    TerminalResponse::with_details(
        CommandDetails {
            number,
            kind,
            qualifier,
        },
        CatResult::of(GeneralResult::DataNotUnderstood),
    )
}
