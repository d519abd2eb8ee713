//! The virtual chip: APDUs in, responses out (TS 102 221, TS 102 223).
//!
//! A state machine without a socket, clock or thread. What is in [`nvm`] survives power loss; selections,
//! toolkit, TLS and HTTP do not. It must never panic on a command, whatever its bytes.

mod agent;
mod applet;
mod core;
mod factory;
mod fcp;
mod fs;
mod key_command;
pub mod layout;
mod meaning;
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
pub use agent::tls::Agreed;
use fs::{Authority, FileSystem, Selection};
use layout::Directory;
pub use nvm::{Identity, SubscriptionKeys};
use toolkit::Toolkit;

/// Class byte of ISO commands on the basic channel.
const ISO: u8 = 0x00;
/// Class byte of toolkit commands and STATUS on the basic channel.
const TOOLKIT: u8 = 0x80;

/// The chip does not answer: it has no power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the chip has no power")]
pub struct NoPower;

/// What a reset clears.
struct Ram {
    selection: Selection,
    toolkit: Toolkit,
    /// Data of the last command, for GET RESPONSE.
    waiting: Vec<u8>,
}

/// One chip.
pub struct Chip {
    core: Core,
    ram: Option<Box<Ram>>,
}

impl Chip {
    /// A chip as it leaves the factory, without power.
    #[must_use]
    pub fn new(card: Personalisation) -> Self {
        let core = Core::new(Arc::new(card), factory::memory);
        Self { core, ram: None }
    }

    /// What the chip is called in logs and events.
    #[must_use]
    pub fn id(&self) -> ChipId {
        self.core.card.id()
    }

    /// What the chip was made with.
    #[must_use]
    pub fn personalisation(&self) -> &Personalisation {
        &self.core.card
    }

    /// Gives power, or resets a chip that has it.
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
            waiting: Vec::new(),
        }));
    }

    /// Takes power away. Nothing is lost but what a reset clears.
    pub fn stop(&mut self) {
        self.ram = None;
    }

    /// The faults that come true inside the chip.
    pub fn set_faults(&mut self, faults: Faults) {
        self.core.faults = faults;
    }

    /// What is left of the planned faults.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.core.faults
    }

    /// Keeps a journal from now on, to be taken with [`Self::take_events`].
    pub fn watch(&mut self, watched: bool) {
        self.core.watched = watched;
    }

    /// The events since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.core.journal)
    }

    /// Contents of the file at a path like `3F00/2FE2` or `ADF/6F07`, regardless of access conditions;
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

    /// How far the chip is with its operator identity.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.core.nvm.identity
    }

    /// Where the next session will resume, if the last one broke.
    #[must_use]
    pub fn resume_uri(&self) -> Option<&str> {
        self.core.nvm.resume_uri.as_deref()
    }

    /// How the sessions ended since [`Self::forget_sessions`], in order.
    #[must_use]
    pub fn sessions(&self) -> &[SessionEnd] {
        &self.core.sessions
    }

    /// Forgets how earlier sessions ended.
    pub fn forget_sessions(&mut self) {
        self.core.sessions.clear();
        self.core.tls = None;
    }

    /// What the last TLS handshake agreed on.
    #[must_use]
    pub fn last_tls(&self) -> Option<Agreed> {
        self.core.tls
    }

    /// C-APDUs that the RFM application ran since the power-up.
    #[must_use]
    pub fn script_apdus(&self) -> u64 {
        self.core.script_apdus
    }

    /// One command APDU and its response. Fails when there is no power, also when it is lost on the way.
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
        let waiting = std::mem::take(&mut self.waiting);
        let answer = match (command.cla, command.ins) {
            (ISO, ins::GET_RESPONSE) => get_response(waiting, command),
            (ISO, ins::SELECT) => self
                .files(core, command)
                .map(|data| self.hand_over(data, command)),
            (ISO, ins::READ_BINARY | ins::UPDATE_BINARY | ins::READ_RECORD | ins::UPDATE_RECORD) => {
                self.files(core, command).map(ResponseApdu::ok)
            }
            (TOOLKIT, ins::STATUS) => self.files(core, command).map(|data| {
                self.toolkit.polled(core);
                ResponseApdu::ok(data)
            }),
            (TOOLKIT, ins::TERMINAL_PROFILE) => done(self.toolkit.profile(core, command.data())),
            (TOOLKIT, ins::FETCH) => self.toolkit.fetch(command.le).map(ResponseApdu::ok),
            (TOOLKIT, ins::TERMINAL_RESPONSE) => done(self.toolkit.answered(core, command.data())),
            (TOOLKIT, ins::ENVELOPE) => done(self.toolkit.told(core, command.data())),
            (ISO | TOOLKIT, _) => Err(StatusWord::INS_NOT_SUPPORTED),
            (0x01..=0x03 | 0x40..=0x7F | 0x81..=0x83, _) => Err(NO_SUCH_CHANNEL),
            _ => Err(StatusWord::CLA_NOT_SUPPORTED),
        };
        let mut response = answer.unwrap_or_else(ResponseApdu::status);
        if let (StatusWord::OK, Some(length)) = (response.status, self.toolkit.announced()) {
            response.status = StatusWord::proactive(length);
        }
        response
    }

    fn files(&mut self, core: &mut Core, command: &CommandApdu) -> fs::Answer {
        // What the terminal writes for itself is no reason for a REFRESH, and is never refused by plan.
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

    /// Answers data at once if Le asks for it, else keeps it for GET RESPONSE.
    fn hand_over(&mut self, data: Vec<u8>, command: &CommandApdu) -> ResponseApdu {
        if data.is_empty() {
            return ResponseApdu::status(StatusWord::OK);
        }
        if command.le.is_some() {
            return ResponseApdu::ok(data);
        }
        let length = (data.len() & 0xFF) as u16;
        self.waiting = data;
        ResponseApdu::status(StatusWord(0x6100 | length))
    }
}

/// Logical channel not supported.
const NO_SUCH_CHANNEL: StatusWord = StatusWord(0x6881);

fn done(result: Result<(), StatusWord>) -> Result<ResponseApdu, StatusWord> {
    result.map(|()| ResponseApdu::status(StatusWord::OK))
}

fn get_response(mut waiting: Vec<u8>, command: &CommandApdu) -> Result<ResponseApdu, StatusWord> {
    if waiting.is_empty() {
        return Err(StatusWord::CONDITIONS);
    }
    let wanted = command.expected_len();
    if wanted > waiting.len() && command.le != Some(0) {
        return Err(StatusWord(0x6C00 | (waiting.len() & 0xFF) as u16));
    }
    waiting.truncate(wanted);
    Ok(ResponseApdu::ok(waiting))
}
