//! The file system's commands: SELECT, STATUS, READ and UPDATE BINARY and RECORD (TS 102 221 §11.1).
//!
//! One function serves the terminal and remote management, which differ in [`Authority`] and [`Selection`]. It must
//! never depend on the toolkit or on scripts.

use super::fcp;
use super::layout::{Access, CURRENT_ADF, DF_5GS, Directory, FILES, MF, Structure, USIM_AID};
use super::layout::{find, find_sfi};
use super::nvm::Nvm;
use uicc::apdu::{CommandApdu, StatusWord, ins};
use uicc::ident::RID_BYTES;

/// Sender of a command, which decides the access conditions it satisfies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authority {
    /// The terminal: the holder's PIN is disabled, the issuer's was not verified.
    Terminal,
    /// A remote management application with full access (TS 102 226 §6.2, access domain `00`).
    Remote,
}

impl Authority {
    fn satisfies(self, needed: Access) -> bool {
        match needed {
            Access::Always | Access::Pin => true,
            Access::Adm => self == Self::Remote,
            Access::Never => false,
        }
    }
}

/// Current directory and current file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Selection {
    /// Current directory.
    pub directory: Directory,
    /// Position in the layout of the current EF.
    pub file: Option<usize>,
    usim_active: bool,
}

impl Selection {
    /// Selects `directory` and no file.
    #[must_use]
    pub(super) const fn at(directory: Directory) -> Self {
        Self {
            directory,
            file: None,
            usim_active: !matches!(directory, Directory::Mf),
        }
    }

    fn enter(&mut self, directory: Directory) {
        self.directory = directory;
        self.file = None;
        self.usim_active |= directory != Directory::Mf;
    }
}

/// Response data of a file command, or the status word of its failure.
pub(super) type FileResult = Result<Vec<u8>, StatusWord>;

/// The file system with the selection and authority of one sender.
pub(super) struct FileSystem<'a> {
    /// Memory with the file contents.
    pub nvm: &'a mut Nvm,
    /// Selection that the commands use and change.
    pub selection: &'a mut Selection,
    /// Sender of the commands.
    pub authority: Authority,
    /// Whether the issuer may update EF_ICCID, against its access condition.
    pub iccid_writable: bool,
    /// Files that refuse every update: file identifier and status word.
    pub refusals: &'a [(u16, StatusWord)],
    /// Positions in the layout of the files that were changed; updates add to it.
    pub changed: &'a mut Vec<usize>,
}

/// SELECT's P1: by file identifier.
const BY_FID: u8 = 0x00;
/// SELECT's P1: a directory below the current one.
const CHILD: u8 = 0x01;
/// SELECT's P1: the directory above.
const PARENT: u8 = 0x03;
/// SELECT's P1: an application.
const BY_AID: u8 = 0x04;
/// SELECT's P1: path from the MF.
const PATH_FROM_MF: u8 = 0x08;
/// SELECT's P1: path from the current directory.
const PATH_FROM_CURRENT: u8 = 0x09;
/// Most levels of a path.
const MAX_PATH_LEVELS: usize = 8;
/// Bit of P1 that says the low five bits are a short file identifier.
const SFI_BIT: u8 = 0x80;
/// Record number in P1 is absolute.
const ABSOLUTE: u8 = 0x04;

impl FileSystem<'_> {
    /// Carries out a file command. `6D00` for any other instruction.
    pub(super) fn execute(&mut self, command: &CommandApdu) -> FileResult {
        match command.ins {
            ins::SELECT => self.select(command),
            ins::STATUS => self.status(command),
            ins::READ_BINARY => self.read_binary(command),
            ins::UPDATE_BINARY => self.update_binary(command),
            ins::READ_RECORD => self.read_record(command),
            ins::UPDATE_RECORD => self.update_record(command),
            _ => Err(StatusWord::INS_NOT_SUPPORTED),
        }
    }

    fn select(&mut self, command: &CommandApdu) -> FileResult {
        let want_fcp = match command.p2 & 0x1F {
            0x04 => true,
            0x0C => false,
            // By AID, a plain 00 is common and answers the FCP as well.
            0x00 if command.p1 == BY_AID => true,
            _ => return Err(StatusWord::WRONG_P1_P2),
        };
        let mut selection = *self.selection;
        match command.p1 {
            BY_FID | CHILD => step(&mut selection, fid_of(command.data())?)?,
            PARENT if command.data().is_empty() => selection.enter(selection.directory.parent()),
            BY_AID => select_aid(&mut selection, command.data())?,
            PATH_FROM_MF => {
                selection.enter(Directory::Mf);
                walk(&mut selection, command.data())?;
            }
            PATH_FROM_CURRENT => {
                selection.file = None;
                walk(&mut selection, command.data())?;
            }
            _ => return Err(StatusWord::WRONG_P1_P2),
        }
        *self.selection = selection;
        Ok(if want_fcp { self.parameters() } else { Vec::new() })
    }

    fn parameters(&self) -> Vec<u8> {
        match self.selection.file {
            Some(at) => fcp::file(at, self.update_rule(at)),
            None => fcp::directory(self.selection.directory),
        }
    }

    fn status(&self, command: &CommandApdu) -> FileResult {
        match command.p2 {
            0x00 => Ok(fcp::directory(self.selection.directory)),
            0x01 if self.selection.directory != Directory::Mf => Ok(USIM_AID.to_vec()),
            0x01 | 0x0C => Ok(Vec::new()),
            _ => Err(StatusWord::WRONG_P1_P2),
        }
    }

    /// Returns the file that P1 names, current or by short identifier, and the offset in P1 P2.
    fn binary_target(&mut self, command: &CommandApdu) -> Result<(usize, usize), StatusWord> {
        let (at, offset) = if command.p1 & SFI_BIT == 0 {
            let at = self.selection.file.ok_or(StatusWord::NO_EF_SELECTED)?;
            (at, usize::from(u16::from_be_bytes([command.p1, command.p2])))
        } else if command.p1 & 0x60 == 0 {
            let found = find_sfi(self.selection.directory, command.p1 & 0x1F);
            (found.ok_or(StatusWord::FILE_NOT_FOUND)?, usize::from(command.p2))
        } else {
            return Err(StatusWord::WRONG_P1_P2);
        };
        match FILES[at].structure {
            Structure::Transparent { .. } => Ok((at, offset)),
            Structure::LinearFixed { .. } => Err(StatusWord::INCOMPATIBLE_STRUCTURE),
        }
    }

    fn read_binary(&mut self, command: &CommandApdu) -> FileResult {
        let (at, offset) = self.binary_target(command)?;
        self.require(FILES[at].read)?;
        self.selection.file = Some(at);
        let body = self.nvm.file(at);
        let rest = body
            .get(offset..)
            .filter(|rest| !rest.is_empty())
            .ok_or(StatusWord::WRONG_PARAMETERS)?;
        take(rest, command.le)
    }

    fn update_binary(&mut self, command: &CommandApdu) -> FileResult {
        let (at, offset) = self.binary_target(command)?;
        self.may_update(at)?;
        self.selection.file = Some(at);
        if offset >= self.nvm.file(at).len() {
            return Err(StatusWord::WRONG_PARAMETERS);
        }
        self.write(at, offset, command.data())
    }

    /// Returns file, record offset and record length that a record command names.
    fn record_target(&mut self, command: &CommandApdu) -> Result<(usize, usize, usize), StatusWord> {
        if command.p2 & 0x07 != ABSOLUTE || command.p1 == 0 {
            return Err(StatusWord::WRONG_P1_P2);
        }
        let at = match command.p2 >> 3 {
            0 => self.selection.file.ok_or(StatusWord::NO_EF_SELECTED)?,
            sfi => find_sfi(self.selection.directory, sfi).ok_or(StatusWord::FILE_NOT_FOUND)?,
        };
        match FILES[at].structure {
            Structure::Transparent { .. } => Err(StatusWord::INCOMPATIBLE_STRUCTURE),
            Structure::LinearFixed { records, .. } if command.p1 > records => {
                Err(StatusWord::RECORD_NOT_FOUND)
            }
            Structure::LinearFixed { length, .. } => {
                let length = usize::from(length);
                Ok((at, usize::from(command.p1 - 1) * length, length))
            }
        }
    }

    fn read_record(&mut self, command: &CommandApdu) -> FileResult {
        let (at, offset, length) = self.record_target(command)?;
        self.require(FILES[at].read)?;
        self.selection.file = Some(at);
        take(&self.nvm.file(at)[offset..offset + length], command.le)
    }

    fn update_record(&mut self, command: &CommandApdu) -> FileResult {
        let (at, offset, length) = self.record_target(command)?;
        self.may_update(at)?;
        self.selection.file = Some(at);
        if command.data().len() != length {
            return Err(StatusWord::WRONG_LENGTH);
        }
        self.write(at, offset, command.data())
    }

    fn write(&mut self, at: usize, offset: usize, data: &[u8]) -> FileResult {
        if data.is_empty() {
            return Err(StatusWord::WRONG_LENGTH);
        }
        self.nvm.write(at, offset, data)?;
        if !self.changed.contains(&at) {
            self.changed.push(at);
        }
        Ok(Vec::new())
    }

    fn may_update(&self, at: usize) -> Result<(), StatusWord> {
        if let Some((_, refusal)) = self.refusals.iter().find(|(fid, _)| *fid == FILES[at].fid) {
            return Err(*refusal);
        }
        self.require(self.update_rule(at))
    }

    fn update_rule(&self, at: usize) -> Access {
        match FILES[at].update {
            Access::Never if self.iccid_writable => Access::Adm,
            rule => rule,
        }
    }

    fn require(&self, needed: Access) -> Result<(), StatusWord> {
        if self.authority.satisfies(needed) {
            Ok(())
        } else {
            Err(StatusWord::SECURITY_STATUS)
        }
    }
}

fn fid_of(data: &[u8]) -> Result<u16, StatusWord> {
    match data {
        // TS 102 221 §11.1.1.2: no data means the MF.
        [] => Ok(MF),
        [high, low] => Ok(u16::from_be_bytes([*high, *low])),
        _ => Err(StatusWord::WRONG_LENGTH),
    }
}

/// Selects by file identifier (TS 102 221 §8.4.1): an EF or a directory below the current one, the
/// current directory itself, its parent, a sibling, the MF, or the active application.
fn step(selection: &mut Selection, fid: u16) -> Result<(), StatusWord> {
    if let Some(at) = find(selection.directory, fid) {
        selection.file = Some(at);
        return Ok(());
    }
    let directory = match fid {
        MF => Directory::Mf,
        CURRENT_ADF if selection.usim_active => Directory::Usim,
        DF_5GS if selection.directory != Directory::Mf => Directory::FiveG,
        _ => return Err(StatusWord::FILE_NOT_FOUND),
    };
    selection.enter(directory);
    Ok(())
}

fn walk(selection: &mut Selection, path: &[u8]) -> Result<(), StatusWord> {
    if path.is_empty() || !path.len().is_multiple_of(2) || path.len() / 2 > MAX_PATH_LEVELS {
        return Err(StatusWord::WRONG_LENGTH);
    }
    for fid in path.chunks_exact(2) {
        // An elementary file has no files below it.
        if selection.file.is_some() {
            return Err(StatusWord::FILE_NOT_FOUND);
        }
        step(selection, u16::from_be_bytes([fid[0], fid[1]]))?;
    }
    Ok(())
}

fn select_aid(selection: &mut Selection, aid: &[u8]) -> Result<(), StatusWord> {
    if aid.len() >= RID_BYTES && USIM_AID.starts_with(aid) {
        selection.usim_active = true;
        selection.enter(Directory::Usim);
        Ok(())
    } else {
        Err(StatusWord::FILE_NOT_FOUND)
    }
}

/// Returns the bytes that Le asks for: all of them for 00 (at most 256), else exactly Le bytes, or `6CXX`.
fn take(bytes: &[u8], le: Option<u8>) -> FileResult {
    const MAX_ANSWER_BYTES: usize = 256;
    match le {
        None | Some(0) => Ok(bytes[..bytes.len().min(MAX_ANSWER_BYTES)].to_vec()),
        Some(le) => bytes.get(..usize::from(le)).map(<[u8]>::to_vec).ok_or(
            // The rest is shorter than Le, so it fits one byte.
            StatusWord(0x6C00 | bytes.len() as u16),
        ),
    }
}
