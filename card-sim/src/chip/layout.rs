//! The files of the chip: identifiers, structure, sizes and access conditions (TS 102 221 §13,
//! TS 31.102 §4 and annex A). Data only.
//!
//! It must never hold file contents: those live in `nvm`.

/// File identifier of the master file.
pub const MF: u16 = 0x3F00;
/// Alias of the current application's directory (TS 102 221 §8.4.2).
pub const CURRENT_ADF: u16 = 0x7FFF;
/// Identifier of ADF.USIM in file lists and STATUS responses.
pub const ADF_USIM: u16 = 0x7FF0;
/// DF.5GS under ADF.USIM (TS 31.102 §4.4.11).
pub const DF_5GS: u16 = 0x5FC0;
/// File identifier of EF_IMSI.
pub const IMSI: u16 = 0x6F07;
/// File identifier of EF_LOCI.
pub const LOCI: u16 = 0x6F7E;
/// File identifier of EF_EPSLOCI.
pub const EPSLOCI: u16 = 0x6FE3;
/// File identifier of EF_AD.
pub const AD: u16 = 0x6FAD;
/// AID of the USIM application: 3GPP RID, application code 1002, issuer part (TS 101 220 annex E).
pub const USIM_AID: [u8; 16] = [
    0xA0, 0x00, 0x00, 0x00, 0x87, 0x10, 0x02, 0xFF, 0x86, 0xFF, 0xFF, 0x89, 0xFF, 0xFF, 0xFF, 0xFF,
];

/// A directory of the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Directory {
    /// The master file, `3F00`.
    Mf,
    /// The USIM application, reached by AID or `7FFF`.
    Usim,
    /// `5FC0` under the USIM.
    FiveG,
}

impl Directory {
    /// File identifier of the directory.
    #[must_use]
    pub const fn fid(self) -> u16 {
        match self {
            Self::Mf => MF,
            Self::Usim => ADF_USIM,
            Self::FiveG => DF_5GS,
        }
    }

    /// The path from the MF, as file lists of REFRESH write it.
    #[must_use]
    pub const fn path(self) -> &'static [u16] {
        match self {
            Self::Mf => &[MF],
            Self::Usim => &[MF, ADF_USIM],
            Self::FiveG => &[MF, ADF_USIM, DF_5GS],
        }
    }

    /// The directory above; the MF is above itself.
    #[must_use]
    pub const fn parent(self) -> Self {
        match self {
            Self::Mf | Self::Usim => Self::Mf,
            Self::FiveG => Self::Usim,
        }
    }
}

/// Structure of an elementary file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// A sequence of bytes.
    Transparent {
        /// Size in bytes.
        size: u16,
    },
    /// Numbered records of one length.
    LinearFixed {
        /// Length of every record in bytes.
        length: u8,
        /// Number of records.
        records: u8,
    },
}

impl Structure {
    /// Bytes of the whole file.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Transparent { size } => size as usize,
            Self::LinearFixed { length, records } => length as usize * records as usize,
        }
    }
}

/// Access condition of a command (TS 102 221 §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// No verification is needed.
    Always,
    /// PIN; it is disabled on this chip, so the condition is always satisfied.
    Pin,
    /// Administrative key: remote management, not the terminal.
    Adm,
    /// The command is always refused.
    Never,
}

/// One elementary file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSpec {
    /// Name without the `EF_`, as the specification writes it.
    pub name: &'static str,
    /// Directory of the file.
    pub directory: Directory,
    /// File identifier.
    pub fid: u16,
    /// Short file identifier, 1–30.
    pub sfi: Option<u8>,
    /// Structure and size.
    pub structure: Structure,
    /// Access condition of READ.
    pub read: Access,
    /// Access condition of UPDATE.
    pub update: Access,
}

const fn transparent(
    name: &'static str,
    (directory, fid, sfi): (Directory, u16, Option<u8>),
    size: u16,
    read: Access,
    update: Access,
) -> FileSpec {
    FileSpec {
        name,
        directory,
        fid,
        sfi,
        structure: Structure::Transparent { size },
        read,
        update,
    }
}

const fn records(
    name: &'static str,
    (directory, fid, sfi): (Directory, u16, Option<u8>),
    (length, records): (u8, u8),
    read: Access,
    update: Access,
) -> FileSpec {
    FileSpec {
        name,
        directory,
        fid,
        sfi,
        structure: Structure::LinearFixed { length, records },
        read,
        update,
    }
}

use Access::{Adm, Always, Never, Pin};
use Directory::{FiveG, Mf, Usim};

/// Bytes of the alpha identifier before the 14 bytes of an EF_MSISDN record (TS 31.102 §4.2.26).
pub const MSISDN_ALPHA: u8 = 14;
/// Bytes of the alpha identifier before the 28 bytes of an EF_SMSP record (TS 31.102 §4.2.27).
pub const SMSP_ALPHA: u8 = 12;

/// Every elementary file of the chip. EF_ICCID has the access condition of the specification (update never);
/// `Personalisation::iccid_writable` lets the issuer update it.
pub const FILES: &[FileSpec] = &[
    records("DIR", (Mf, 0x2F00, Some(30)), (38, 1), Always, Adm),
    transparent("PL", (Mf, 0x2F05, Some(5)), 4, Always, Pin),
    transparent("ICCID", (Mf, 0x2FE2, Some(2)), 10, Always, Never),
    transparent("LI", (Usim, 0x6F05, Some(2)), 4, Always, Pin),
    transparent("IMSI", (Usim, IMSI, Some(7)), 9, Pin, Adm),
    transparent("Keys", (Usim, 0x6F08, Some(8)), 33, Pin, Pin),
    transparent("KeysPS", (Usim, 0x6F09, Some(9)), 33, Pin, Pin),
    transparent("HPPLMN", (Usim, 0x6F31, Some(18)), 1, Pin, Adm),
    transparent("UST", (Usim, 0x6F38, Some(4)), 14, Pin, Adm),
    transparent("GID1", (Usim, 0x6F3E, None), 4, Pin, Adm),
    records("MSISDN", (Usim, 0x6F40, None), (MSISDN_ALPHA + 14, 1), Pin, Pin),
    records("SMSP", (Usim, 0x6F42, None), (SMSP_ALPHA + 28, 1), Pin, Pin),
    transparent("SPN", (Usim, 0x6F46, None), 17, Always, Adm),
    transparent("START-HFN", (Usim, 0x6F5B, Some(15)), 6, Pin, Pin),
    transparent("THRESHOLD", (Usim, 0x6F5C, Some(16)), 3, Pin, Adm),
    transparent("PLMNwAcT", (Usim, 0x6F60, Some(10)), 40, Pin, Pin),
    transparent("OPLMNwAcT", (Usim, 0x6F61, Some(17)), 40, Pin, Adm),
    transparent("HPLMNwAcT", (Usim, 0x6F62, Some(19)), 10, Pin, Adm),
    transparent("PSLOCI", (Usim, 0x6F73, Some(12)), 14, Pin, Pin),
    transparent("ACC", (Usim, 0x6F78, Some(6)), 2, Pin, Adm),
    transparent("FPLMN", (Usim, 0x6F7B, Some(13)), 12, Pin, Pin),
    transparent("LOCI", (Usim, LOCI, Some(11)), 11, Pin, Pin),
    transparent("AD", (Usim, AD, Some(3)), 4, Always, Adm),
    records("ECC", (Usim, 0x6FB7, Some(1)), (4, 2), Always, Adm),
    transparent("EHPLMN", (Usim, 0x6FD9, Some(29)), 12, Pin, Adm),
    transparent("EPSLOCI", (Usim, EPSLOCI, Some(30)), 18, Pin, Pin),
    records("EPSNSC", (Usim, 0x6FE4, Some(24)), (54, 1), Pin, Pin),
    transparent("5GS3GPPLOCI", (FiveG, 0x4F01, Some(1)), 20, Pin, Pin),
];

/// Position in [`FILES`] of the file `fid` directly under `directory`.
#[must_use]
pub fn find(directory: Directory, fid: u16) -> Option<usize> {
    FILES
        .iter()
        .position(|file| file.directory == directory && file.fid == fid)
}

/// Position in [`FILES`] of the file with this short identifier under `directory`.
#[must_use]
pub fn find_sfi(directory: Directory, sfi: u8) -> Option<usize> {
    FILES
        .iter()
        .position(|file| file.directory == directory && file.sfi == Some(sfi))
}

/// Position in [`FILES`] of the file with a path like `3F00/2FE2`, `ADF/6F07` or `ADF/5FC0/4F01`.
/// `7FFF` and `7FF0` stand for ADF too.
#[must_use]
pub fn find_path(path: &str) -> Option<usize> {
    let mut parts: Vec<&str> = path.split('/').collect();
    let fid = u16::from_str_radix(parts.pop()?, 16).ok()?;
    let mut directory = Directory::Mf;
    for part in parts {
        directory = match part.to_ascii_uppercase().as_str() {
            "3F00" => Directory::Mf,
            "ADF" | "7FFF" | "7FF0" => Directory::Usim,
            "5FC0" if directory == Directory::Usim => Directory::FiveG,
            _ => return None,
        };
    }
    find(directory, fid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_files_of_a_directory_share_an_identifier() {
        for (at, file) in FILES.iter().enumerate() {
            assert_eq!(find(file.directory, file.fid), Some(at), "{}", file.name);
            if let Some(sfi) = file.sfi {
                assert_eq!(find_sfi(file.directory, sfi), Some(at), "{}", file.name);
            }
        }
    }

    #[test]
    fn a_path_names_one_file() {
        assert_eq!(find_path("3F00/2FE2").map(|at| FILES[at].name), Some("ICCID"));
        assert_eq!(find_path("ADF/6F07").map(|at| FILES[at].name), Some("IMSI"));
        assert_eq!(
            find_path("7FFF/5fc0/4f01").map(|at| FILES[at].name),
            Some("5GS3GPPLOCI")
        );
        assert_eq!(find_path("3F00/6F07"), None);
        assert_eq!(find_path("5FC0/4F01"), None);
        assert_eq!(find_path(""), None);
    }
}
