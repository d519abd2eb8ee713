//! The virtual chip: APDUs in, responses out (TS 102 221, TS 102 223).
//!
//! A state machine without a socket, clock or thread. The contents of `nvm` survive power loss; selections,
//! toolkit, TLS and HTTP do not. It must never panic on a command, whatever its bytes.

mod agent;
mod applet;
mod authenticate;
mod core;
mod describe;
mod fcp;
mod fs;
mod initial_files;
mod key_command;
pub mod layout;
mod nvm;
mod rfm;
mod session;
mod toolkit;

use std::sync::Arc;

use uicc::apdu::{CommandApdu, ResponseApdu, StatusWord, ins};

use self::core::Core;
use crate::faults::Faults;
use crate::observer::{Event, Reset, SessionEnd};
use crate::personalisation::{ChipId, Personalisation};
pub use agent::tls::TlsParameters;
use fs::{Authority, FileSystem, Selection};
use layout::Directory;
pub use nvm::{Identity, SubscriptionKeys};
use toolkit::Toolkit;

/// Class byte of ISO commands on the basic channel.
const ISO: u8 = 0x00;
/// Class byte of toolkit commands and STATUS on the basic channel.
const TOOLKIT: u8 = 0x80;

/// The chip has no power and answers no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the chip has no power")]
pub struct NoPower;

/// Volatile state, cleared by a reset.
struct Ram {
    selection: Selection,
    toolkit: Toolkit,
    /// Data of the last command, for GET RESPONSE.
    response_data: Vec<u8>,
}

/// A virtual UICC with a USIM application, toolkit and admin agent.
pub struct Chip {
    core: Core,
    ram: Option<Box<Ram>>,
}

impl Chip {
    /// Makes a chip as it is delivered, without power.
    #[must_use]
    pub fn new(card: Personalisation) -> Self {
        Self {
            core: Core::new(Arc::new(card)),
            ram: None,
        }
    }

    /// Identifier of the chip in logs and events.
    #[must_use]
    pub fn id(&self) -> ChipId {
        self.core.card.id()
    }

    /// Identifiers, keys and settings the chip was made with.
    #[must_use]
    pub fn personalisation(&self) -> &Personalisation {
        &self.core.card
    }

    /// Powers the chip up, or resets it.
    pub fn start(&mut self, reset: Reset) {
        if reset == Reset::PowerUp {
            self.core.script_apdus = 0;
        }
        self.core.power_lost = false;
        self.core.changed.clear();
        let toolkit = Toolkit::started(&self.core, reset);
        self.ram = Some(Box::new(Ram {
            selection: Selection::at(Directory::Mf),
            toolkit,
            response_data: Vec::new(),
        }));
    }

    /// Takes power away. Only volatile state is lost.
    pub fn stop(&mut self) {
        self.ram = None;
    }

    /// Sets the faults that occur inside the chip.
    pub fn set_faults(&mut self, faults: Faults) {
        self.core.faults = faults;
    }

    /// Planned faults that have not occurred yet.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.core.faults
    }

    /// Turns the recording of events on or off; [`Self::take_events`] returns them.
    pub fn record_events(&mut self, on: bool) {
        self.core.records_events = on;
    }

    /// Takes the events recorded since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.core.events)
    }

    /// Returns the contents of the file at a path like `3F00/2FE2` or `ADF/6F07`, regardless of access conditions;
    /// `None` if there is no such file.
    #[must_use]
    pub fn read_file(&self, path: &str) -> Option<Vec<u8>> {
        layout::find_path(path).map(|at| self.core.nvm.file(at).to_vec())
    }

    /// K and OPc, if the key command delivered them.
    #[must_use]
    pub fn keys_loaded(&self) -> Option<([u8; 16], [u8; 16])> {
        self.core.nvm.keys().map(|keys| (keys.k, keys.opc))
    }

    /// Test allowance left, in bytes of channel data.
    #[must_use]
    pub fn allowance_left(&self) -> u64 {
        self.core.nvm.allowance
    }

    /// Which identity the chip holds, and whether it was verified.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.core.nvm.identity
    }

    /// URI at which the next session resumes, if the last one was interrupted.
    #[must_use]
    pub fn resume_uri(&self) -> Option<&str> {
        self.core.nvm.resume_uri.as_deref()
    }

    /// How the sessions ended since [`Self::clear_sessions`], in order.
    #[must_use]
    pub fn sessions(&self) -> &[SessionEnd] {
        &self.core.sessions
    }

    /// Clears the ends of earlier sessions and the last TLS parameters.
    pub fn clear_sessions(&mut self) {
        self.core.sessions.clear();
        self.core.tls = None;
    }

    /// Parameters that the last TLS handshake agreed on.
    #[must_use]
    pub fn last_tls(&self) -> Option<TlsParameters> {
        self.core.tls
    }

    /// Number of C-APDUs that the RFM application ran since the power-up.
    #[must_use]
    pub fn script_apdus(&self) -> u64 {
        self.core.script_apdus
    }

    /// Carries out one command APDU and returns the response APDU.
    ///
    /// # Errors
    /// [`NoPower`] when there is no power, also when it is lost during the command.
    pub fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, NoPower> {
        let ram = self.ram.as_deref_mut().ok_or(NoPower)?;
        let response = match CommandApdu::parse(command) {
            Ok(command) => ram.execute(&mut self.core, &command),
            Err(_) => ResponseApdu::status(StatusWord::WRONG_LENGTH),
        };
        if self.core.power_lost {
            self.ram = None;
            return Err(NoPower);
        }
        Ok(response.encode())
    }
}

impl Ram {
    fn execute(&mut self, core: &mut Core, command: &CommandApdu) -> ResponseApdu {
        let response_data = std::mem::take(&mut self.response_data);
        let answer = match (command.cla, command.ins) {
            (ISO, ins::GET_RESPONSE) => get_response(response_data, command),
            (ISO, ins::SELECT) => self.files(core, command).map(|data| self.respond(data, command)),
            (ISO, ins::READ_BINARY | ins::UPDATE_BINARY | ins::READ_RECORD | ins::UPDATE_RECORD) => {
                self.files(core, command).map(ResponseApdu::ok)
            }
            (ISO, ins::AUTHENTICATE) => {
                authenticate::authenticate(core, command).map(|data| self.respond(data, command))
            }
            (TOOLKIT, ins::STATUS) => self.files(core, command).map(|data| {
                self.toolkit.status(core);
                ResponseApdu::ok(data)
            }),
            (TOOLKIT, ins::TERMINAL_PROFILE) => done(self.toolkit.terminal_profile(core, command.data())),
            (TOOLKIT, ins::FETCH) => self.toolkit.fetch(command.le).map(ResponseApdu::ok),
            (TOOLKIT, ins::TERMINAL_RESPONSE) => done(self.toolkit.terminal_response(core, command.data())),
            (TOOLKIT, ins::ENVELOPE) => done(self.toolkit.envelope(core, command.data())),
            (ISO | TOOLKIT, _) => Err(StatusWord::INS_NOT_SUPPORTED),
            (0x01..=0x03 | 0x40..=0x7F | 0x81..=0x83, _) => Err(NO_SUCH_CHANNEL),
            _ => Err(StatusWord::CLA_NOT_SUPPORTED),
        };
        let mut response = answer.unwrap_or_else(ResponseApdu::status);
        if let (StatusWord::OK, Some(length)) = (response.status, self.toolkit.pending_length()) {
            response.status = StatusWord::proactive(length);
        }
        response
    }

    fn files(&mut self, core: &mut Core, command: &CommandApdu) -> fs::FileResult {
        // Files that the terminal writes need no REFRESH, and planned refusals are for the RFM application alone.
        let mut changed = Vec::new();
        FileSystem {
            nvm: &mut core.nvm,
            selection: &mut self.selection,
            authority: Authority::Terminal,
            iccid_writable: false,
            refusals: &[],
            changed: &mut changed,
        }
        .execute(command)
    }

    /// Responds with data at once if Le asks for it, else keeps it for GET RESPONSE.
    fn respond(&mut self, data: Vec<u8>, command: &CommandApdu) -> ResponseApdu {
        if data.is_empty() {
            return ResponseApdu::status(StatusWord::OK);
        }
        if command.le.is_some() {
            return ResponseApdu::ok(data);
        }
        let length = (data.len() & 0xFF) as u16;
        self.response_data = data;
        ResponseApdu::status(StatusWord(0x6100 | length))
    }
}

/// Logical channel not supported.
const NO_SUCH_CHANNEL: StatusWord = StatusWord(0x6881);

fn done(result: Result<(), StatusWord>) -> Result<ResponseApdu, StatusWord> {
    result.map(|()| ResponseApdu::status(StatusWord::OK))
}

fn get_response(mut data: Vec<u8>, command: &CommandApdu) -> Result<ResponseApdu, StatusWord> {
    if data.is_empty() {
        return Err(StatusWord::CONDITIONS);
    }
    let requested = command.expected_len();
    if requested > data.len() && command.le != Some(0) {
        return Err(StatusWord(0x6C00 | (data.len() & 0xFF) as u16));
    }
    data.truncate(requested);
    Ok(ResponseApdu::ok(data))
}
