//! Where a file is: the identifiers from the MF down (TS 102 221 §8.4.3).
//!
//! It must never name the MF twice.

use core::fmt;
use core::str::FromStr;

use crate::reader::Reader;
use crate::{Error, Result};

/// A path from the MF, 1 to 7 levels, the MF itself left out. Shown and parsed as `3F00/7FFF/6F07`; `ADF`
/// may stand for `3F00/7FFF`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(Vec<u16>);

impl FilePath {
    /// The master file.
    pub const MF: u16 = 0x3F00;
    /// The application that is active, whichever it is.
    pub const CURRENT_ADF: u16 = 0x7FFF;
    /// Most levels below the MF.
    pub const MAX_LEVELS: usize = 7;

    /// The path through these identifiers, without the MF.
    pub fn new(levels: impl Into<Vec<u16>>) -> Result<Self> {
        let levels = levels.into();
        if !(1..=Self::MAX_LEVELS).contains(&levels.len()) {
            return Err(Error::new(
                levels.len() * 2,
                "a path of 1 to 7 levels below the MF",
            ));
        }
        match levels.iter().position(|&fid| fid == Self::MF) {
            Some(at) => Err(Error::new(at * 2, "the MF nowhere but at the head of a path")),
            None => Ok(Self(levels)),
        }
    }

    /// Parses identifiers of two bytes each, the MF first.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u16("3F00 at the head of a path")? != Self::MF {
            return Err(Error::new(0, "3F00 at the head of a path"));
        }
        let mut levels = Vec::new();
        while !reader.is_empty() {
            levels.push(reader.u16("a file identifier of two bytes")?);
        }
        Self::new(levels).map_err(|error| error.shifted(2))
    }

    /// Identifiers of two bytes each, the MF first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [Self::MF]
            .iter()
            .chain(&self.0)
            .flat_map(|fid| fid.to_be_bytes())
            .collect()
    }

    /// The identifiers below the MF.
    #[must_use]
    pub fn levels(&self) -> &[u16] {
        &self.0
    }

    /// The file at the end.
    #[must_use]
    pub fn fid(&self) -> u16 {
        self.0.last().copied().unwrap_or(Self::MF)
    }
}

impl FromStr for FilePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut at = 0;
        let mut levels = Vec::new();
        for (index, level) in text.split('/').enumerate() {
            match (index, level) {
                (0, "ADF") => levels.push(Self::CURRENT_ADF),
                (0, "3F00") => {}
                _ if level.len() != 4 || !level.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                    return Err(Error::new(
                        at,
                        "a file identifier of four hexadecimal digits, or ADF first",
                    ));
                }
                _ => levels.extend(u16::from_str_radix(level, 16).ok()),
            }
            at += level.len() + 1;
        }
        Self::new(levels)
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", Self::MF)?;
        self.0.iter().try_for_each(|fid| write!(f, "/{fid:04X}"))
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilePath({self})")
    }
}
