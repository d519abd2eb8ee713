//! One power cycle: boot, proactive sessions, attach, events, polling, resets (TS 102 221 §14.5,
//! TS 102 223 §6).
//!
//! It must never send an envelope while a proactive command waits for its answer.

use uicc::apdu::{CommandApdu, ResponseApdu, StatusWord, SwClass, build};
use uicc::cat::{
    CatResult, Command, CommandDetails, Envelope, GeneralResult, ProactiveCommand, RefreshMode,
    TerminalResponse,
};

use super::link::Traffic;
use super::report::Outcome;
use super::settings::ModuleSettings;
use super::terminal::Terminal;
use super::{Watch, attach, meaning};
use crate::chip::Chip;
use crate::faults::{ApduIndex, ChipFault, Faults, Side};
use crate::network::VirtualNetwork;
use crate::observer::{Event, Reset};

/// UICC resets that a module grants in one power-up.
const MAX_RESETS: u8 = 4;
/// Proactive commands of one power-up; a chip that never stops is left.
const MAX_PROACTIVE_COMMANDS: u32 = 100_000;

/// What ends a cycle, or the time since the last reset.
pub(super) enum Stop {
    /// The cycle is over.
    Over(Outcome),
    /// The chip is to be reset.
    Reset,
}

/// A cycle that is going on.
pub(super) struct Cycle<'a> {
    pub chip: &'a mut Chip,
    pub settings: &'a ModuleSettings,
    pub network: &'a VirtualNetwork,
    pub watch: &'a Watch,
    pub faults: &'a mut Faults,
    pub traffic: Traffic,
    pub apdus: u64,
    pub resets: u8,
    pub attached: bool,
    commands: u32,
    /// Length of the proactive command that waits, 0 for 256.
    announced: Option<u8>,
    reattach: bool,
}

impl<'a> Cycle<'a> {
    pub(super) fn new(
        chip: &'a mut Chip,
        (settings, network): (&'a ModuleSettings, &'a VirtualNetwork),
        watch: &'a Watch,
        faults: &'a mut Faults,
    ) -> Self {
        let traffic = Traffic {
            drop_after_up: faults.drop_after_up,
            drop_after_down: faults.drop_after_down,
            ..Traffic::default()
        };
        Self {
            chip,
            settings,
            network,
            watch,
            faults,
            traffic,
            apdus: 0,
            resets: 0,
            attached: false,
            commands: 0,
            announced: None,
            reattach: false,
        }
    }

    /// Runs until the chip is settled or lost.
    pub(super) async fn run(&mut self) -> Outcome {
        let delays = self.faults.link_delays.clone();
        let limit = self.faults.buffer_limit;
        let mut reset = Reset::PowerUp;
        loop {
            self.watch.tell(self.chip, &Event::Started(reset));
            self.chip.start(reset);
            self.announced = None;
            let mut terminal = Terminal::new(self.settings, limit, &delays);
            let stop = self.between_resets(&mut terminal).await;
            self.attached = terminal.registration.is_some();
            match stop {
                Err(Stop::Over(outcome)) => return outcome,
                Err(Stop::Reset) | Ok(()) if self.resets >= MAX_RESETS => return Outcome::TooManyResets,
                Err(Stop::Reset) | Ok(()) => {
                    self.resets += 1;
                    reset = Reset::Refresh;
                }
            }
        }
    }

    async fn between_resets(&mut self, terminal: &mut Terminal<'_>) -> Result<(), Stop> {
        let profile = build::terminal_profile(self.settings.profile.clone());
        self.exchange(&profile.map_err(|_| Stop::Over(Outcome::Silent))?)?;
        self.proactive_session(terminal).await?;
        attach::attach(self, terminal)?;
        let mut quiet_polls = 0;
        // Every turn tells the chip something, polls it, or waits; proactive commands are counted.
        loop {
            self.proactive_session(terminal).await?;
            if std::mem::take(&mut self.reattach) {
                attach::attach(self, terminal)?;
                quiet_polls = 0;
            } else if let Some(envelope) = self.next_envelope(terminal) {
                self.watch.tell(
                    self.chip,
                    &Event::Envelope {
                        meaning: meaning::of_envelope(&envelope),
                    },
                );
                if let Ok(command) = build::envelope(envelope.encode()) {
                    self.exchange(&command)?;
                }
                quiet_polls = 0;
            } else if terminal.is_quiet() {
                if quiet_polls >= self.settings.closing_polls {
                    return Err(Stop::Over(Outcome::Settled));
                }
                self.exchange(&build::status())?;
                quiet_polls = if self.announced.is_some() {
                    0
                } else {
                    quiet_polls + 1
                };
            } else {
                tokio::select! {
                    () = terminal.something_to_tell() => {}
                    () = tokio::time::sleep(self.settings.poll_interval) => {
                        self.exchange(&build::status())?;
                    }
                }
            }
        }
    }

    /// Fetches and carries out commands as long as the chip announces any.
    async fn proactive_session(&mut self, terminal: &mut Terminal<'_>) -> Result<(), Stop> {
        while let Some(length) = self.announced {
            self.commands += 1;
            if self.commands > MAX_PROACTIVE_COMMANDS {
                return Err(Stop::Over(Outcome::TimedOut));
            }
            let fetched = self.exchange(&build::fetch(length))?;
            let bytes = fetched.data;
            let answer = match ProactiveCommand::parse(&bytes) {
                Ok(command) => {
                    let meaning = meaning::of_command(&command);
                    self.watch.tell(self.chip, &Event::Proactive { meaning, bytes });
                    self.perform(terminal, &command).await?
                }
                Err(_) => {
                    self.watch.tell(
                        self.chip,
                        &Event::Proactive {
                            meaning: "not understood".to_owned(),
                            bytes: bytes.clone(),
                        },
                    );
                    not_understood(&bytes)
                }
            };
            self.watch.tell(
                self.chip,
                &Event::TerminalResponse {
                    meaning: meaning::of_response(&answer),
                },
            );
            let command =
                build::terminal_response(answer.encode()).map_err(|_| Stop::Over(Outcome::Silent))?;
            self.exchange(&command)?;
        }
        Ok(())
    }

    async fn perform(
        &mut self,
        terminal: &mut Terminal<'_>,
        command: &ProactiveCommand,
    ) -> Result<TerminalResponse, Stop> {
        let answer = terminal.perform(command, &mut self.traffic).await;
        self.report_drop();
        if let Command::Refresh(refresh) = &command.command {
            self.watch.tell(
                self.chip,
                &Event::Refresh {
                    qualifier: refresh.mode.byte(),
                },
            );
            match refresh.mode {
                // The reset takes the place of the terminal response (TS 102 223 §6.4.7).
                RefreshMode::UiccReset => return Err(Stop::Reset),
                // Told that files changed, and no more, a modem keeps its registration.
                RefreshMode::FileChange | RefreshMode::SteeringOfRoaming | RefreshMode::Other(_) => {}
                _ => self.reattach = true,
            }
        }
        Ok(answer)
    }

    fn next_envelope(&mut self, terminal: &mut Terminal<'_>) -> Option<Envelope> {
        let envelope = terminal.next_envelope(&mut self.traffic);
        self.report_drop();
        envelope
    }

    /// Tells of a planned break of the link once it has come true.
    fn report_drop(&mut self) {
        let left = (self.traffic.drop_after_up, self.traffic.drop_after_down);
        if (self.faults.drop_after_up, self.faults.drop_after_down) != left {
            (self.faults.drop_after_up, self.faults.drop_after_down) = left;
            self.watch
                .tell(self.chip, &Event::Fault("link dropped".to_owned()));
        }
    }

    /// One APDU to the chip and back, through the planned faults.
    pub(super) fn exchange(&mut self, command: &CommandApdu) -> Result<ResponseApdu, Stop> {
        let index = self.apdus;
        self.apdus += 1;
        if matches!(self.faults.chip, Some(ChipFault::Silent { from }) if index >= from) {
            self.watch
                .tell(self.chip, &Event::Fault("the chip does not answer".to_owned()));
            return Err(Stop::Over(Outcome::Silent));
        }
        self.cut_power(index, Side::Before)?;
        let answer = self.chip.transmit(&command.encode());
        self.watch.pass_on(self.chip);
        let Ok(bytes) = answer else {
            return Err(Stop::Over(Outcome::PowerLost));
        };
        self.cut_power(index, Side::After)?;
        let response = ResponseApdu::parse(&bytes).map_err(|_| Stop::Over(Outcome::Silent))?;
        self.announced = match response.status.class() {
            SwClass::ProactivePending(length) => Some(length),
            // Only a command that succeeded repeats the announcement.
            _ if response.status == StatusWord::OK => None,
            _ => self.announced,
        };
        Ok(response)
    }

    fn cut_power(&mut self, index: u64, side: Side) -> Result<(), Stop> {
        let planned = self.faults.power_loss;
        if !planned.is_some_and(|loss| loss.at == ApduIndex::Interface(index) && loss.side == side) {
            return Ok(());
        }
        self.faults.power_loss = None;
        self.chip.stop();
        self.watch.tell(
            self.chip,
            &Event::Fault(format!("power loss at APDU {index}, {side:?}")),
        );
        Err(Stop::Over(Outcome::PowerLost))
    }
}

/// The answer to a command this terminal cannot read: its details, as far as they are where they must be.
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
