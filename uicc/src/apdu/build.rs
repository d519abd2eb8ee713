//! The commands that card writing and the toolkit need, ready made (TS 102 221 §11, TS 102 226 §7.1).
//!
//! They must never split data: a command that does not fit is an error of the caller's.

use super::{CommandApdu, ins};
use crate::ef::FilePath;
use crate::ident::Aid;
use crate::{Error, Result};

/// Class byte of ISO commands on the basic channel.
const ISO: u8 = 0x00;
/// Class byte of toolkit and status commands on the basic channel.
const TOOLKIT: u8 = 0x80;
/// Highest offset that READ and UPDATE BINARY can address; above, P1 would mean a short file id.
pub const MAX_BINARY_OFFSET: u16 = 0x7FFF;
/// P2 of record commands: the record number in P1 is absolute.
const ABSOLUTE: u8 = 0x04;

/// What SELECT gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fcp {
    /// The file control parameters (P2 `04`).
    Returned,
    /// Nothing (P2 `0C`).
    None,
}

impl Fcp {
    const fn p2(self) -> u8 {
        match self {
            Self::Returned => 0x04,
            Self::None => 0x0C,
        }
    }
}

/// SELECT by file identifier: `00 A4 00 P2 02 FID`.
pub fn select_fid(fid: u16, fcp: Fcp) -> CommandApdu {
    select(0x00, fcp, fid.to_be_bytes().to_vec())
}

/// SELECT by path from the MF, the MF's own identifier left out: `00 A4 08 P2 Lc FID…`.
pub fn select_path(path: &FilePath, fcp: Fcp) -> CommandApdu {
    select(
        0x08,
        fcp,
        path.levels().iter().flat_map(|fid| fid.to_be_bytes()).collect(),
    )
}

/// SELECT an application by its AID: `00 A4 04 P2 Lc AID`.
pub fn select_aid(aid: &Aid, fcp: Fcp) -> CommandApdu {
    select(0x04, fcp, aid.encode())
}

fn select(p1: u8, fcp: Fcp, target: Vec<u8>) -> CommandApdu {
    fitting(CommandApdu::new(ISO, ins::SELECT, p1, fcp.p2()), target)
}

/// Adds data of at most 16 bytes.
fn fitting(command: CommandApdu, data: Vec<u8>) -> CommandApdu {
    command
        .with_data(data)
        .expect("an identifier or a path is shorter than a data field")
}

/// READ BINARY of `le` bytes (0 for 256) from `offset`.
pub fn read_binary(offset: u16, le: u8) -> Result<CommandApdu> {
    binary(ins::READ_BINARY, offset).map(|command| command.with_le(le))
}

/// UPDATE BINARY from `offset`.
pub fn update_binary(offset: u16, data: impl Into<Vec<u8>>) -> Result<CommandApdu> {
    binary(ins::UPDATE_BINARY, offset)?.with_data(data)
}

fn binary(ins: u8, offset: u16) -> Result<CommandApdu> {
    if offset > MAX_BINARY_OFFSET {
        return Err(Error::new(0, "an offset of at most 7FFF"));
    }
    let [p1, p2] = offset.to_be_bytes();
    Ok(CommandApdu::new(ISO, ins, p1, p2))
}

/// READ RECORD number `record` (from 1), of `le` bytes (0 for 256).
#[must_use]
pub const fn read_record(record: u8, le: u8) -> CommandApdu {
    CommandApdu::new(ISO, ins::READ_RECORD, record, ABSOLUTE).with_le(le)
}

/// UPDATE RECORD number `record` (from 1). `data` must be as long as the file's records.
pub fn update_record(record: u8, data: impl Into<Vec<u8>>) -> Result<CommandApdu> {
    CommandApdu::new(ISO, ins::UPDATE_RECORD, record, ABSOLUTE).with_data(data)
}

/// STATUS without data, as a terminal polls.
#[must_use]
pub const fn status() -> CommandApdu {
    CommandApdu::new(TOOLKIT, ins::STATUS, 0x00, 0x0C)
}

/// TERMINAL PROFILE (TS 102 223 §5.2).
pub fn terminal_profile(profile: impl Into<Vec<u8>>) -> Result<CommandApdu> {
    CommandApdu::new(TOOLKIT, ins::TERMINAL_PROFILE, 0, 0).with_data(profile)
}

/// FETCH of a proactive command of `length` bytes (0 for 256), as `91XX` announced it.
#[must_use]
pub const fn fetch(length: u8) -> CommandApdu {
    CommandApdu::new(TOOLKIT, ins::FETCH, 0, 0).with_le(length)
}

/// TERMINAL RESPONSE with the bytes of a [`crate::cat::TerminalResponse`].
pub fn terminal_response(response: impl Into<Vec<u8>>) -> Result<CommandApdu> {
    CommandApdu::new(TOOLKIT, ins::TERMINAL_RESPONSE, 0, 0).with_data(response)
}

/// ENVELOPE with the bytes of a [`crate::cat::Envelope`].
pub fn envelope(envelope: impl Into<Vec<u8>>) -> Result<CommandApdu> {
    CommandApdu::new(TOOLKIT, ins::ENVELOPE, 0, 0).with_data(envelope)
}
