//! Commands to a card and the scripts they are packed into.
//!
//! Each command knows what it is for, so that its answer can be assigned and named. It must never show the bytes of a
//! command that carries key material.

use gateway_protocol::FailureKind;
use uicc::apdu::build::{self, Fcp};
use uicc::apdu::{CommandApdu, ins};
use uicc::cat::{Command as ToTerminal, ProactiveCommand, Refresh, RefreshMode};
use uicc::ef::FilePath;
use uicc::script::{CommandScript, Form, ImmediateAction, ScriptCommand};

use super::failure::Failure;
use crate::profile::{File, IdentitySwitch, Profile, Root, SelectStyle};

/// Le of a command that reads: as many bytes as there are, 256 at most.
const ALL: u8 = 0x00;
/// Tag and length around a C-APDU of up to 260 bytes: 22 82 xx xx.
const COMMAND_OVERHEAD_BYTES: usize = 4;
/// AE 80 … 00 00 around a script.
const SCRIPT_OVERHEAD_BYTES: usize = 4;

/// Number of the REFRESH command in the immediate action.
const REFRESH_NUMBER: u8 = 1;

/// What a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Select,
    Read,
    Update,
    LoadKeys,
}

/// A command and the unit of work it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Command {
    pub(super) apdu: CommandApdu,
    pub(super) role: Role,
    /// Name of the file, directory or key material it concerns.
    pub(super) name: String,
    /// Number of the unit within the phase.
    pub(super) unit: usize,
}

impl Command {
    /// What the command does, such as `UPDATE BINARY EF_IMSI`.
    pub(super) fn describe(&self) -> String {
        let verb = match (self.role, self.apdu.ins) {
            (Role::LoadKeys, _) => return format!("load {}", self.name),
            (_, ins::SELECT) => "SELECT",
            (_, ins::READ_BINARY) => "READ BINARY",
            (_, ins::READ_RECORD) => "READ RECORD",
            (_, ins::UPDATE_BINARY) => "UPDATE BINARY",
            (_, ins::UPDATE_RECORD) => "UPDATE RECORD",
            _ => "command for",
        };
        format!("{verb} {}", self.name)
    }

    /// The bytes in hexadecimal; none for key material.
    pub(super) fn hex(&self) -> Option<String> {
        (self.role != Role::LoadKeys).then(|| hex::encode(self.apdu.encode()))
    }

    fn bytes(&self) -> usize {
        self.apdu.encode().len() + COMMAND_OVERHEAD_BYTES
    }
}

/// Commands that go to the card together.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    pub(super) commands: Vec<Command>,
    /// Number of the first unit that is not in this batch.
    pub(super) end: usize,
}

impl Batch {
    /// The script in the expanded format with an indefinite length.
    pub(super) fn encode(&self) -> Vec<u8> {
        CommandScript::of_apdus(
            Form::Indefinite,
            self.commands.iter().map(|command| command.apdu.clone()),
        )
        .encode()
    }
}

/// Packs units into one script, as many as fit.
pub(super) struct Packer<'a> {
    profile: &'a Profile,
    room: usize,
    batch: Batch,
    /// Root and directories of the file that is selected.
    selected: Option<(Root, Vec<u16>)>,
}

impl<'a> Packer<'a> {
    /// An empty script of at most `max_bytes`, whose first unit is `first_unit`.
    pub(super) fn new(profile: &'a Profile, max_bytes: usize, first_unit: usize) -> Self {
        let batch = Batch {
            commands: Vec::new(),
            end: first_unit,
        };
        Self {
            profile,
            room: max_bytes.saturating_sub(SCRIPT_OVERHEAD_BYTES),
            batch,
            selected: None,
        }
    }

    /// Adds the commands on one file, with the SELECTs in front of them. False when the script is full; an empty
    /// script takes any commands.
    pub(super) fn add_file(&mut self, unit: usize, file: &File, access: &Access) -> Result<bool, Failure> {
        let mut commands = self.selects(unit, file)?;
        commands.push(access.command(unit, file)?);
        let fits = self.push(unit, commands);
        if fits {
            self.selected = Some((file.path.root(), file.path.directories().to_vec()));
        }
        Ok(fits)
    }

    /// Adds the key command together with the file that must be written in the same script.
    pub(super) fn add_keys(
        &mut self,
        unit: usize,
        apdu: CommandApdu,
        next: Option<(&File, &Access)>,
    ) -> Result<bool, Failure> {
        let keys = Command {
            apdu,
            role: Role::LoadKeys,
            name: if self.profile.identity_switch == IdentitySwitch::OneCommand {
                "key material and EF_IMSI".to_owned()
            } else {
                "key material".to_owned()
            },
            unit,
        };
        let mut commands = vec![keys];
        if let Some((file, access)) = next {
            commands.extend(self.selects(unit + 1, file)?);
            commands.push(access.command(unit + 1, file)?);
        }
        let last = unit + usize::from(next.is_some());
        let fits = self.push(last, commands);
        if let Some((file, _)) = next.filter(|_| fits) {
            self.selected = Some((file.path.root(), file.path.directories().to_vec()));
        }
        Ok(fits)
    }

    /// Whether nothing was added so far.
    pub(super) const fn is_empty(&self) -> bool {
        self.batch.commands.is_empty()
    }

    /// Skips a unit that needs no command.
    pub(super) fn skip(&mut self, unit: usize) {
        self.batch.end = unit + 1;
    }

    /// The packed commands.
    pub(super) fn finish(self) -> Batch {
        self.batch
    }

    fn push(&mut self, last_unit: usize, commands: Vec<Command>) -> bool {
        let bytes: usize = commands.iter().map(Command::bytes).sum();
        if bytes > self.room && !self.batch.commands.is_empty() {
            return false;
        }
        self.room = self.room.saturating_sub(bytes);
        self.batch.commands.extend(commands);
        self.batch.end = last_unit + 1;
        true
    }

    /// The SELECTs that lead from the selected file to `file`.
    fn selects(&self, unit: usize, file: &File) -> Result<Vec<Command>, Failure> {
        let select = |apdu, name: String| Command {
            apdu,
            role: Role::Select,
            name,
            unit,
        };
        let (root, directories) = (file.path.root(), file.path.directories());
        let here = self
            .selected
            .as_ref()
            .is_some_and(|(r, d)| *r == root && d == directories);
        let application = self
            .profile
            .select
            .usim_aid
            .as_ref()
            .filter(|_| root == Root::Adf);
        let same_root = self.selected.as_ref().is_some_and(|(r, _)| *r == root);
        let mut commands = Vec::new();
        if let (Some(aid), false) = (
            application,
            here || (same_root && self.profile.select.style == SelectStyle::Path),
        ) {
            commands.push(select(build::select_aid(aid, Fcp::None), "ADF.USIM".to_owned()));
        }
        if self.profile.select.style == SelectStyle::Path {
            let alias = (root == Root::Adf).then_some(FilePath::CURRENT_ADF);
            let path: Vec<u16> = alias
                .into_iter()
                .chain(file.path.below().iter().copied())
                .collect();
            let path = FilePath::new(path).map_err(|error| {
                Failure::new(FailureKind::FileNotFound, format!("{}: {error}", file.path))
            })?;
            commands.push(select(build::select_path(&path, Fcp::None), file.name()));
            return Ok(commands);
        }
        if !here {
            match root {
                Root::Mf => commands.push(select(
                    build::select_fid(FilePath::MF, Fcp::None),
                    "MF".to_owned(),
                )),
                Root::Adf if application.is_none() => {
                    commands.push(select(
                        build::select_fid(FilePath::CURRENT_ADF, Fcp::None),
                        "ADF.USIM".to_owned(),
                    ));
                }
                Root::Adf => {}
            }
            for directory in directories {
                commands.push(select(
                    build::select_fid(*directory, Fcp::None),
                    format!("DF {directory:04X}"),
                ));
            }
        }
        commands.push(select(build::select_fid(file.path.fid(), Fcp::None), file.name()));
        Ok(commands)
    }
}

/// The script that has the card order a REFRESH with this qualifier: an immediate action and nothing else.
pub(super) fn refresh(qualifier: u8) -> Vec<u8> {
    let command = ToTerminal::Refresh(Refresh::of(RefreshMode::from_byte(qualifier)));
    let action = ImmediateAction::Proactive(ProactiveCommand {
        number: REFRESH_NUMBER,
        command,
    });
    CommandScript {
        form: Form::Indefinite,
        commands: vec![ScriptCommand::ImmediateAction(action)],
    }
    .encode()
}

/// What is done to a selected file.
#[derive(Debug, Clone)]
pub(super) enum Access {
    Read,
    Update(Vec<u8>),
}

impl Access {
    fn command(&self, unit: usize, file: &File) -> Result<Command, Failure> {
        let fits = |apdu: uicc::Result<CommandApdu>| {
            apdu.map_err(|error| Failure::new(FailureKind::WrongLength, format!("{}: {error}", file.name())))
        };
        let (apdu, role) = match (self, file.record) {
            (Self::Read, None) => (fits(build::read_binary(0, ALL))?, Role::Read),
            (Self::Read, Some(record)) => (build::read_record(record, ALL), Role::Read),
            (Self::Update(data), None) => (fits(build::update_binary(0, data.clone()))?, Role::Update),
            (Self::Update(data), Some(record)) => {
                (fits(build::update_record(record, data.clone()))?, Role::Update)
            }
        };
        Ok(Command {
            apdu,
            role,
            name: file.name(),
            unit,
        })
    }
}
