//! Network codes: PLMN lists with access technologies (TS 31.102 §4.2.5, §4.2.53, §4.2.54) and forbidden
//! PLMNs (§4.2.16). Coding of a PLMN: TS 24.008 §10.5.1.13.
//!
//! It must never drop unused entries: their number is the size of the file.

use core::fmt;
use core::str::FromStr;

use crate::reader::Reader;
use crate::{Error, Result};

/// An entry that is not in use.
const UNUSED: [u8; 3] = [0xFF; 3];

/// Mobile country code and network code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Plmn([u8; 3]);

impl Plmn {
    /// Country code of three digits and network code of two or three.
    pub fn new(country: &str, network: &str) -> Result<Self> {
        format!("{country}{network}").parse()
    }

    /// Parses three bytes: digits swapped, the third network digit in the high half of the second byte.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        const EXPECTED: &str = "a PLMN: six decimal digits, the sixth may be a filler";
        let bytes: [u8; 3] = bytes
            .try_into()
            .map_err(|_| Error::new(bytes.len().min(3), "a PLMN of three bytes"))?;
        for (at, byte) in bytes.iter().enumerate() {
            let (low, high) = (byte & 0xF, byte >> 4);
            let filler = at == 1 && high == 0xF;
            if low > 9 || (high > 9 && !filler) {
                return Err(Error::new(at, EXPECTED));
            }
        }
        Ok(Self(bytes))
    }

    /// The three bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    /// `None` for an entry that is not in use.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Option<Self>> {
        let at = reader.offset();
        match reader.array::<3>("a PLMN of three bytes")? {
            UNUSED => Ok(None),
            bytes => Self::parse(&bytes).map(Some).map_err(|error| error.shifted(at)),
        }
    }

    pub(super) fn put(plmn: Option<Self>, out: &mut Vec<u8>) {
        out.extend(plmn.map_or(UNUSED, |plmn| plmn.0));
    }
}

impl FromStr for Plmn {
    type Err = Error;

    /// From five or six digits, country code first.
    fn from_str(text: &str) -> Result<Self> {
        if let Some(at) = text.bytes().position(|digit| !digit.is_ascii_digit()) {
            return Err(Error::new(at, "a decimal digit"));
        }
        let digit = |at: usize| text.as_bytes().get(at).map_or(0xF, |digit| digit - b'0');
        match text.len() {
            5 | 6 => Ok(Self([
                digit(1) << 4 | digit(0),
                digit(5) << 4 | digit(2),
                digit(4) << 4 | digit(3),
            ])),
            length => Err(Error::new(length.min(6), "five or six digits")),
        }
    }
}

impl fmt::Display for Plmn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        write!(f, "{}{}{}-{}{}", a & 0xF, a >> 4, b & 0xF, c & 0xF, c >> 4)?;
        if b >> 4 <= 9 {
            write!(f, "{}", b >> 4)
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Plmn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plmn({self})")
    }
}

/// Access technologies, one bit each (TS 31.102 §4.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessTechnology(pub u16);

impl AccessTechnology {
    /// UTRAN.
    pub const UTRAN: Self = Self(0x8000);
    /// E-UTRAN in WB-S1 and NB-S1 mode.
    pub const E_UTRAN: Self = Self(0x4000);
    /// NG-RAN.
    pub const NG_RAN: Self = Self(0x0800);
    /// GSM.
    pub const GSM: Self = Self(0x0080);

    /// Union of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One entry of a PLMN selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlmnWithAct {
    /// The network; `None` for an entry not in use.
    pub plmn: Option<Plmn>,
    /// Its access technologies, in order of the network's own choice.
    pub technology: AccessTechnology,
}

/// EF_PLMNwAcT, EF_OPLMNwAcT, EF_HPLMNwAcT: entries by priority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlmnWithActList(pub Vec<PlmnWithAct>);

impl PlmnWithActList {
    /// Bytes of one entry.
    pub const ENTRY_BYTES: usize = 5;
    const NOT_IN_USE: PlmnWithAct = PlmnWithAct {
        plmn: None,
        technology: AccessTechnology(0),
    };

    /// `entries`, followed by unused ones up to `size` bytes. Fails if they do not fit.
    pub fn filling(size: usize, mut entries: Vec<PlmnWithAct>) -> Result<Self> {
        let places = size / Self::ENTRY_BYTES;
        if entries.len() > places {
            return Err(Error::new(size, "no more entries than the file has places"));
        }
        entries.resize(places, Self::NOT_IN_USE);
        Ok(Self(entries))
    }

    /// Parses entries of five bytes each.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let mut entries = Vec::with_capacity(bytes.len() / Self::ENTRY_BYTES);
        while !reader.is_empty() {
            let plmn = Plmn::read(&mut reader)?;
            let technology = AccessTechnology(reader.u16("access technologies of two bytes")?);
            entries.push(PlmnWithAct { plmn, technology });
        }
        Ok(Self(entries))
    }

    /// The content of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() * Self::ENTRY_BYTES);
        for entry in &self.0 {
            Plmn::put(entry.plmn, &mut out);
            out.extend(entry.technology.0.to_be_bytes());
        }
        out
    }
}

/// EF_FPLMN: networks that refused the subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fplmn(pub Vec<Option<Plmn>>);

impl Fplmn {
    /// Bytes of one entry.
    pub const ENTRY_BYTES: usize = 3;

    /// A list of `size` bytes that forbids nothing.
    #[must_use]
    pub fn cleared(size: usize) -> Self {
        Self(vec![None; size / Self::ENTRY_BYTES])
    }

    /// Parses entries of three bytes each.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let mut entries = Vec::with_capacity(bytes.len() / Self::ENTRY_BYTES);
        while !reader.is_empty() {
            entries.push(Plmn::read(&mut reader)?);
        }
        Ok(Self(entries))
    }

    /// The content of the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() * Self::ENTRY_BYTES);
        self.0.iter().for_each(|&entry| Plmn::put(entry, &mut out));
        out
    }
}
