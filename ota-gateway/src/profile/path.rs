//! Texts of a profile that encode bytes: paths of files, AIDs, file identifiers, contents.
//!
//! A text that is not whole and well-formed must never be accepted in part: it is an error that says what is wrong.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use uicc::ident::Aid;

/// Most levels below the root of a path.
const MAX_LEVELS: usize = 4;
/// The master file.
const MF: u16 = 0x3F00;

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Root {
    /// The master file, `3F00`.
    Mf,
    /// The directory of the USIM.
    Adf,
}

/// A path such as `3F00/2FE2` or `ADF/6F07`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FilePath {
    root: Root,
    below: Vec<u16>,
}

impl FilePath {
    fn parse(text: &str) -> Result<Self, String> {
        let (root, below) = text
            .split_once('/')
            .ok_or_else(|| format!("path {text:?}: expected 3F00/… or ADF/…"))?;
        let root = match root {
            "3F00" => Root::Mf,
            "ADF" => Root::Adf,
            other => {
                return Err(format!(
                    "path {text:?}: begins with {other:?}, expected 3F00 or ADF"
                ));
            }
        };
        let below = below
            .split('/')
            .map(|level| fid(level).map_err(|error| format!("path {text:?}: {error}")));
        let below = below.collect::<Result<Vec<_>, _>>()?;
        if below.len() > MAX_LEVELS {
            return Err(format!("path {text:?}: more than {MAX_LEVELS} levels"));
        }
        Ok(Self { root, below })
    }

    /// Where the path begins.
    #[must_use]
    pub const fn root(&self) -> Root {
        self.root
    }

    /// The directories between root and file.
    #[must_use]
    pub fn directories(&self) -> &[u16] {
        self.below
            .split_last()
            .map_or(&[], |(_, directories)| directories)
    }

    /// All identifiers below the root; the last is the file's.
    #[must_use]
    pub fn below(&self) -> &[u16] {
        &self.below
    }

    /// The identifier of the file itself.
    #[must_use]
    pub fn fid(&self) -> u16 {
        self.below.last().copied().unwrap_or(MF)
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.root == Root::Mf { "3F00" } else { "ADF" })?;
        self.below.iter().try_for_each(|fid| write!(f, "/{fid:04X}"))
    }
}

impl<'de> Deserialize<'de> for FilePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A file identifier, four hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fid(pub u16);

impl<'de> Deserialize<'de> for Fid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fid(&String::deserialize(deserializer)?)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

fn fid(text: &str) -> Result<u16, String> {
    match u16::from_str_radix(text, 16) {
        Ok(fid) if text.len() == 4 && text.bytes().all(|digit| digit.is_ascii_hexdigit()) => Ok(fid),
        _ => Err(format!(
            "{text:?} is no file identifier of four hexadecimal digits"
        )),
    }
}

/// Bytes as hexadecimal text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HexBytes(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(&text)
            .map(Self)
            .map_err(|_| D::Error::custom(format!("{text:?} is not hexadecimal")))
    }
}

/// Reads an AID.
pub(super) fn aid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Aid, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map_err(|error| D::Error::custom(format!("AID {text:?}: {error}")))
}

/// Reads an AID that is given; serde's default stands in for one that is not.
pub(super) fn optional_aid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Aid>, D::Error> {
    aid(deserializer).map(Some)
}
