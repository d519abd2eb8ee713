//! The card side of the toolkit: one proactive command at a time, indicated by `91XX`, fetched, completed by a
//! TERMINAL RESPONSE (TS 102 223 §6.2, §6.3).
//!
//! It must never have two proactive commands outstanding.

use uicc::apdu::StatusWord;
use uicc::cat::{Envelope, MAX_PROACTIVE_BYTES, ProactiveCommand, TerminalProfile, TerminalResponse};

use super::applet::Applet;
use super::core::Core;
use crate::observer::Reset;

/// The proactive command in progress.
enum Current {
    /// No command is in progress.
    None,
    /// Indicated by `91XX`, not yet fetched; with its encoding.
    Pending(ProactiveCommand, Vec<u8>),
    /// Fetched; the TERMINAL RESPONSE is outstanding.
    Fetched(ProactiveCommand),
}

/// Toolkit state; a reset clears all of it.
pub(super) struct Toolkit {
    applet: Applet,
    current: Current,
    number: u8,
}

impl Toolkit {
    /// Toolkit state after a power-up or reset.
    pub(super) fn started(core: &Core, reset: Reset) -> Self {
        Self {
            applet: Applet::started(core, reset),
            current: Current::None,
            number: 0,
        }
    }

    /// Length of the pending command, `0` for 256, as the second byte of `91XX`.
    pub(super) fn pending_length(&self) -> Option<u8> {
        match &self.current {
            Current::Pending(_, bytes) => Some((bytes.len() & 0xFF) as u8),
            Current::None | Current::Fetched(_) => None,
        }
    }

    /// Handles TERMINAL PROFILE. `6700` if the profile cannot be parsed.
    pub(super) fn terminal_profile(&mut self, core: &mut Core, data: &[u8]) -> Result<(), StatusWord> {
        let profile = TerminalProfile::parse(data).map_err(|_| StatusWord::WRONG_LENGTH)?;
        self.applet.terminal_profile(&profile);
        self.prepare(core);
        Ok(())
    }

    /// Handles STATUS.
    pub(super) fn status(&mut self, core: &mut Core) {
        self.applet.status();
        self.prepare(core);
    }

    /// Handles FETCH of `le` bytes. `6985` if no command is pending, `6CXX` for another length.
    pub(super) fn fetch(&mut self, le: Option<u8>) -> Result<Vec<u8>, StatusWord> {
        let length = self.pending_length().ok_or(StatusWord::CONDITIONS)?;
        if le != Some(length) {
            return Err(StatusWord(0x6C00 | u16::from(length)));
        }
        match std::mem::replace(&mut self.current, Current::None) {
            Current::Pending(command, bytes) => {
                self.current = Current::Fetched(command);
                Ok(bytes)
            }
            other => {
                self.current = other;
                Err(StatusWord::CONDITIONS)
            }
        }
    }

    /// Handles TERMINAL RESPONSE. `6985` if no command was fetched, `6A80` if the response is not for that command.
    pub(super) fn terminal_response(&mut self, core: &mut Core, data: &[u8]) -> Result<(), StatusWord> {
        let Current::Fetched(command) = &self.current else {
            return Err(StatusWord::CONDITIONS);
        };
        let response = TerminalResponse::parse(data).map_err(|_| StatusWord::WRONG_DATA)?;
        if response.details.number != command.number || response.details.kind != command.command.kind() {
            return Err(StatusWord::WRONG_DATA);
        }
        if let Current::Fetched(command) = std::mem::replace(&mut self.current, Current::None) {
            self.applet.terminal_response(core, &command.command, &response);
        }
        self.prepare(core);
        Ok(())
    }

    /// Handles ENVELOPE. `9300` while a proactive command is being carried out.
    pub(super) fn envelope(&mut self, core: &mut Core, data: &[u8]) -> Result<(), StatusWord> {
        if matches!(self.current, Current::Fetched(_)) {
            return Err(StatusWord::BUSY);
        }
        let envelope = Envelope::parse(data).map_err(|_| StatusWord::WRONG_DATA)?;
        self.applet.envelope(&envelope);
        self.prepare(core);
        Ok(())
    }

    /// Makes the applet's next command pending, if none is in progress.
    fn prepare(&mut self, core: &mut Core) {
        if core.power_lost || !matches!(self.current, Current::None) {
            return;
        }
        let Some(command) = self.applet.next(core) else {
            return;
        };
        self.number = if self.number == 0xFE { 1 } else { self.number + 1 };
        let command = ProactiveCommand {
            number: self.number,
            command,
        };
        let bytes = command.encode();
        if bytes.len() <= MAX_PROACTIVE_BYTES {
            self.current = Current::Pending(command, bytes);
        }
    }
}
