//! The card side of the toolkit: one proactive command at a time, announced by `91XX`, fetched, answered
//! (TS 102 223 §6.2, §6.3).
//!
//! It must never have two commands in the terminal's hands.

use uicc::apdu::StatusWord;
use uicc::cat::{Envelope, MAX_PROACTIVE_BYTES, ProactiveCommand, TerminalProfile, TerminalResponse};

use super::applet::Applet;
use super::core::Core;
use crate::observer::Reset;

/// Where the current proactive command is.
enum Current {
    /// There is none.
    None,
    /// Announced, not yet fetched.
    Announced(ProactiveCommand, Vec<u8>),
    /// Fetched, not yet answered.
    Fetched(ProactiveCommand),
}

/// Toolkit state; all of it is lost with power.
pub(super) struct Toolkit {
    applet: Applet,
    current: Current,
    number: u8,
}

impl Toolkit {
    /// As it stands after a start.
    pub(super) fn started(core: &Core, reset: Reset) -> Self {
        Self {
            applet: Applet::started(core, reset),
            current: Current::None,
            number: 0,
        }
    }

    /// Length of the announced command, `0` for 256, as the second byte of `91XX`.
    pub(super) fn announced(&self) -> Option<u8> {
        match &self.current {
            Current::Announced(_, bytes) => Some((bytes.len() & 0xFF) as u8),
            Current::None | Current::Fetched(_) => None,
        }
    }

    /// TERMINAL PROFILE.
    pub(super) fn profile(&mut self, core: &mut Core, data: &[u8]) -> Result<(), StatusWord> {
        let profile = TerminalProfile::parse(data).map_err(|_| StatusWord::WRONG_LENGTH)?;
        self.applet.profile(&profile);
        self.prepare(core);
        Ok(())
    }

    /// STATUS.
    pub(super) fn polled(&mut self, core: &mut Core) {
        self.applet.polled();
        self.prepare(core);
    }

    /// FETCH of `le` bytes.
    pub(super) fn fetch(&mut self, le: Option<u8>) -> Result<Vec<u8>, StatusWord> {
        let length = self.announced().ok_or(StatusWord::CONDITIONS)?;
        if le != Some(length) {
            return Err(StatusWord(0x6C00 | u16::from(length)));
        }
        match std::mem::replace(&mut self.current, Current::None) {
            Current::Announced(command, bytes) => {
                self.current = Current::Fetched(command);
                Ok(bytes)
            }
            other => {
                self.current = other;
                Err(StatusWord::CONDITIONS)
            }
        }
    }

    /// TERMINAL RESPONSE.
    pub(super) fn answered(&mut self, core: &mut Core, data: &[u8]) -> Result<(), StatusWord> {
        let Current::Fetched(command) = &self.current else {
            return Err(StatusWord::CONDITIONS);
        };
        let response = TerminalResponse::parse(data).map_err(|_| StatusWord::WRONG_DATA)?;
        if response.details.number != command.number || response.details.kind != command.command.kind() {
            return Err(StatusWord::WRONG_DATA);
        }
        if let Current::Fetched(command) = std::mem::replace(&mut self.current, Current::None) {
            self.applet.answered(core, &command.command, &response);
        }
        self.prepare(core);
        Ok(())
    }

    /// ENVELOPE. `9300` while a proactive command is being carried out.
    pub(super) fn told(&mut self, core: &mut Core, data: &[u8]) -> Result<(), StatusWord> {
        if matches!(self.current, Current::Fetched(_)) {
            return Err(StatusWord::BUSY);
        }
        let envelope = Envelope::parse(data).map_err(|_| StatusWord::WRONG_DATA)?;
        self.applet.told(&envelope);
        self.prepare(core);
        Ok(())
    }

    /// Announces the next command, if there is room and need for one.
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
            self.current = Current::Announced(command, bytes);
        }
    }
}
