//! The two ways of writing (§5.4.1 Table 1).

use super::{Kind, Malformed};

/// How the number of a task is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteType {
    /// 指定写卡 (0): the client names a data card that is allotted to it.
    Designated,
    /// 自动分配 (1): the platform takes one from the province's pool.
    Automatic,
}

impl WriteType {
    /// Reads `0` or `1` (§7.2.2.2).
    ///
    /// # Errors
    /// [`Malformed`] for anything else.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        match text {
            "0" => Ok(Self::Designated),
            "1" => Ok(Self::Automatic),
            _ => Err(Malformed::new(
                Kind::WriteType,
                "write_type 应为 0（指定写卡）或 1（自动分配）",
                "write_type is 0 (designated) or 1 (automatic)",
            )),
        }
    }

    /// Number stored in the database: that of the interface.
    #[must_use]
    pub fn code(self) -> i64 {
        match self {
            Self::Designated => 0,
            Self::Automatic => 1,
        }
    }

    /// The way stored under `code`.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        match code {
            0 => Some(Self::Designated),
            1 => Some(Self::Automatic),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::WriteType;

    #[test]
    fn only_zero_and_one_are_ways_of_writing() {
        for (text, code) in [("0", 0), ("1", 1)] {
            assert_eq!(WriteType::from_code(code), Some(WriteType::parse(text).unwrap()));
        }
        for text in ["", "2", "00", "01", " 0", "-1"] {
            assert!(WriteType::parse(text).is_err(), "{text}");
        }
    }
}
