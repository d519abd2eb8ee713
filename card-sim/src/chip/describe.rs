//! Describes the commands of a script in text, for events.
//!
//! The text must never contain data of a command or of a file.

use super::fs::Selection;
use super::key_command;
use super::layout::{Directory, FILES};
use uicc::apdu::{CommandApdu, ins};

/// Describes a C-APDU of a script, which moved the selection from `before` to `after`.
#[must_use]
pub(super) fn command(apdu: &CommandApdu, before: Selection, after: Selection) -> String {
    let length = apdu.data().len();
    match (apdu.cla, apdu.ins) {
        (key_command::CLA, key_command::INS) => format!("load K and OPc, key version {:02X}", apdu.p2),
        (_, ins::SELECT) if before == after && !matches!(apdu.data(), [_, _]) => "SELECT".to_owned(),
        (_, ins::SELECT) => format!("SELECT {}", selected(apdu, after)),
        (_, ins::READ_BINARY) => format!("READ BINARY {}", current(after)),
        (_, ins::UPDATE_BINARY) => format!("UPDATE BINARY {}, {length} bytes", current(after)),
        (_, ins::READ_RECORD) => format!("READ RECORD {} of {}", apdu.p1, current(after)),
        (_, ins::UPDATE_RECORD) => format!("UPDATE RECORD {} of {}, {length} bytes", apdu.p1, current(after)),
        (_, ins::STATUS) => "STATUS".to_owned(),
        (cla, ins) => format!("command {cla:02X} {ins:02X}"),
    }
}

/// Describes what was selected; if the command failed, what it asked for.
fn selected(apdu: &CommandApdu, after: Selection) -> String {
    match apdu.data() {
        [high, low] if apdu.p1 == 0 => {
            let fid = u16::from_be_bytes([*high, *low]);
            match FILES.iter().find(|file| file.fid == fid) {
                Some(file) => format!("EF_{}", file.name),
                None => directory_or_fid(fid, after),
            }
        }
        _ => current(after),
    }
}

fn directory_or_fid(fid: u16, after: Selection) -> String {
    match fid {
        super::layout::MF => "MF".to_owned(),
        super::layout::CURRENT_ADF => "ADF.USIM".to_owned(),
        _ if after.directory.fid() == fid => directory(after.directory).to_owned(),
        _ => format!("file {fid:04X}"),
    }
}

fn current(selection: Selection) -> String {
    match selection.file {
        Some(at) => format!("EF_{}", FILES[at].name),
        None => directory(selection.directory).to_owned(),
    }
}

const fn directory(directory: Directory) -> &'static str {
    match directory {
        Directory::Mf => "MF",
        Directory::Usim => "ADF.USIM",
        Directory::FiveG => "DF.5GS",
    }
}
