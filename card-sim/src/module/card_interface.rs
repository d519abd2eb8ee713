//! The electrical interface between module and chip: one command APDU at a time, through the planned faults of the
//! interface (TS 102 221 §7).
//!
//! It must never act on a proactive command: it only keeps the length that `91XX` indicated.

use uicc::apdu::{CommandApdu, ResponseApdu, StatusWord, SwClass};

use super::event_sink::EventSink;
use super::report::Outcome;
use crate::chip::Chip;
use crate::faults::{ApduIndex, ChipFault, Faults, Side};
use crate::observer::{Event, Reset};

/// Why the work with a powered chip cannot go on.
pub(super) enum Interruption {
    /// The power cycle is over.
    Over(Outcome),
    /// The chip is to be reset.
    Reset,
}

/// The chip as the module reaches it.
pub(super) struct CardInterface<'a> {
    pub chip: &'a mut Chip,
    pub events: &'a EventSink,
    pub faults: &'a mut Faults,
    /// Number of APDUs since the power-up.
    pub apdus: u64,
    /// Length of the pending proactive command, 0 for 256.
    pending: Option<u8>,
}

impl<'a> CardInterface<'a> {
    /// The interface to a chip without power.
    pub(super) fn new(chip: &'a mut Chip, events: &'a EventSink, faults: &'a mut Faults) -> Self {
        Self {
            chip,
            events,
            faults,
            apdus: 0,
            pending: None,
        }
    }

    /// Powers the chip up, or resets it.
    pub(super) fn start(&mut self, reset: Reset) {
        self.emit(&Event::Started(reset));
        self.chip.start(reset);
        self.pending = None;
    }

    /// Passes an event of the module to the observer.
    pub(super) fn emit(&mut self, event: &Event) {
        self.events.emit(self.chip, event);
    }

    /// Length of the pending proactive command, 0 for 256.
    pub(super) const fn pending(&self) -> Option<u8> {
        self.pending
    }

    /// Sends one command APDU and returns the response.
    ///
    /// # Errors
    /// [`Interruption::Over`] with [`Outcome::Silent`] or [`Outcome::PowerLost`].
    pub(super) fn exchange(&mut self, command: &CommandApdu) -> Result<ResponseApdu, Interruption> {
        let index = self.apdus;
        self.apdus += 1;
        if matches!(self.faults.chip, Some(ChipFault::Silent { from }) if index >= from) {
            self.emit(&Event::Fault("the chip does not answer".to_owned()));
            return Err(Interruption::Over(Outcome::Silent));
        }
        self.cut_power(index, Side::Before)?;
        let answer = self.chip.transmit(&command.encode());
        self.events.emit_recorded(self.chip);
        let Ok(bytes) = answer else {
            return Err(Interruption::Over(Outcome::PowerLost));
        };
        self.cut_power(index, Side::After)?;
        let response = ResponseApdu::parse(&bytes).map_err(|_| Interruption::Over(Outcome::Silent))?;
        self.pending = match response.status.class() {
            SwClass::ProactivePending(length) => Some(length),
            // Only a command that succeeded repeats the indication.
            _ if response.status == StatusWord::OK => None,
            _ => self.pending,
        };
        Ok(response)
    }

    /// Carries out a planned power loss on this side of APDU `index`.
    fn cut_power(&mut self, index: u64, side: Side) -> Result<(), Interruption> {
        let planned = self.faults.power_loss;
        if !planned.is_some_and(|loss| loss.at == ApduIndex::Interface(index) && loss.side == side) {
            return Ok(());
        }
        self.faults.power_loss = None;
        self.chip.stop();
        self.emit(&Event::Fault(format!("power loss at APDU {index}, {side:?}")));
        Err(Interruption::Over(Outcome::PowerLost))
    }
}
