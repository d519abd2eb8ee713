//! Identifiers, structures and usual sizes of files (TS 102 221 §13, TS 31.102 §4.2 and annex E).
//!
//! It must never be taken for the truth about one card: an issuer may choose other sizes.

use super::FilePath;

/// Directory of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// The master file.
    Mf,
    /// The USIM application.
    AdfUsim,
}

/// Structure of a file, with its usual size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// A run of bytes.
    Transparent {
        /// Size in bytes.
        size: u16,
    },
    /// Records of one length.
    LinearFixed {
        /// Bytes of one record.
        record_size: u8,
        /// Number of records.
        records: u8,
    },
}

/// Identifiers, structure and size of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSpec {
    /// Short name as in card profiles: `iccid`, `imsi`, …
    pub name: &'static str,
    /// File identifier.
    pub fid: u16,
    /// Directory of the file.
    pub parent: Parent,
    /// Organisation and usual size.
    pub structure: Structure,
}

impl FileSpec {
    /// The path from the MF, through the current application for files of the USIM.
    #[must_use]
    pub fn path(&self) -> FilePath {
        let levels = match self.parent {
            Parent::Mf => vec![self.fid],
            Parent::AdfUsim => vec![FilePath::CURRENT_ADF, self.fid],
        };
        FilePath::new(levels).expect("one or two levels, none of them the MF")
    }

    /// The file with this short name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|file| file.name == name)
    }

    /// The file with this identifier under this parent.
    #[must_use]
    pub fn by_fid(parent: Parent, fid: u16) -> Option<&'static Self> {
        ALL.iter().find(|file| file.parent == parent && file.fid == fid)
    }
}

const fn usim(name: &'static str, fid: u16, size: u16) -> FileSpec {
    FileSpec {
        name,
        fid,
        parent: Parent::AdfUsim,
        structure: Structure::Transparent { size },
    }
}

const fn usim_records(name: &'static str, fid: u16, record_size: u8, records: u8) -> FileSpec {
    let structure = Structure::LinearFixed { record_size, records };
    FileSpec {
        name,
        fid,
        parent: Parent::AdfUsim,
        structure,
    }
}

/// Card identification, TS 102 221 §13.2.
pub const ICCID: FileSpec = FileSpec {
    name: "iccid",
    fid: 0x2FE2,
    parent: Parent::Mf,
    structure: Structure::Transparent { size: 10 },
};
/// Subscriber identity, TS 31.102 §4.2.2.
pub const IMSI: FileSpec = usim("imsi", 0x6F07, 9);
/// Ciphering and integrity keys, §4.2.3.
pub const KEYS: FileSpec = usim("keys", 0x6F08, 33);
/// The same for the packet domain, §4.2.4.
pub const KEYS_PS: FileSpec = usim("keysps", 0x6F09, 33);
/// Own numbers, §4.2.26: 14 bytes of alpha, 14 of number.
pub const MSISDN: FileSpec = usim_records("msisdn", 0x6F40, 28, 1);
/// Short message parameters, §4.2.27: 12 bytes of alpha, 28 of parameters.
pub const SMSP: FileSpec = usim_records("smsp", 0x6F42, 40, 1);
/// Service provider name, §4.2.12.
pub const SPN: FileSpec = usim("spn", 0x6F46, 17);
/// User controlled PLMN selector with access technology, §4.2.5.
pub const PLMN_WACT: FileSpec = usim("plmnwact", 0x6F60, 40);
/// Operator controlled PLMN selector with access technology, §4.2.53.
pub const OPLMN_WACT: FileSpec = usim("oplmnwact", 0x6F61, 40);
/// Home PLMN selector with access technology, §4.2.54.
pub const HPLMN_WACT: FileSpec = usim("hplmnwact", 0x6F62, 10);
/// Packet switched location information, §4.2.23.
pub const PSLOCI: FileSpec = usim("psloci", 0x6F73, 14);
/// Access control class, §4.2.15.
pub const ACC: FileSpec = usim("acc", 0x6F78, 2);
/// Forbidden PLMNs, §4.2.16.
pub const FPLMN: FileSpec = usim("fplmn", 0x6F7B, 12);
/// Location information, §4.2.17.
pub const LOCI: FileSpec = usim("loci", 0x6F7E, 11);
/// Administrative data, §4.2.18.
pub const AD: FileSpec = usim("ad", 0x6FAD, 4);
/// EPS location information, §4.2.91.
pub const EPSLOCI: FileSpec = usim("epsloci", 0x6FE3, 18);

/// Every file above.
pub const ALL: &[FileSpec] = &[
    ICCID, IMSI, KEYS, KEYS_PS, MSISDN, SMSP, SPN, PLMN_WACT, OPLMN_WACT, HPLMN_WACT, PSLOCI, ACC, FPLMN,
    LOCI, AD, EPSLOCI,
];
