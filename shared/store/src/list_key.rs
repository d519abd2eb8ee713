//! Where a page ends in a list that is ordered by time, chip or number, and number of the row.

use super::{DbError, Row, Value};
use domain::{Kind, Malformed, Timestamp, all_digits};

/// The key of a row in a list. Blind indexes order rows of one time, because identifiers are sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListKey {
    /// The time by which the list is ordered.
    pub at: Timestamp,
    /// Bytes of the blind index.
    pub index: Vec<u8>,
    /// Number of the row among those of the chip; 0 where there is only one.
    pub seq: i64,
}

impl ListKey {
    /// A key before every row of this time.
    #[must_use]
    pub fn first(at: Timestamp) -> Self {
        Self {
            at,
            index: Vec::new(),
            seq: 0,
        }
    }

    /// Reads the text of a key.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let number = |text: &str| text.parse().ok().filter(|_| all_digits(text));
        let read = || {
            let mut parts = text.split('-');
            let key = Self {
                at: Timestamp(number(parts.next()?)?),
                index: hex::decode(parts.next()?).ok()?,
                seq: number(parts.next()?)?,
            };
            parts.next().is_none().then_some(key)
        };
        read().ok_or(Malformed::new(
            Kind::Value,
            "应为上一页返回的 next",
            "not the next of a page before",
        ))
    }

    /// The key as text.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}-{}-{}", self.at.millis(), hex::encode(&self.index), self.seq)
    }

    /// The keys between which a page lies: from the one of `from` on, and below the one of `to` and `below`.
    pub(super) fn range(
        below: Option<&Self>,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> (Self, Self) {
        let end = Self::first(to.unwrap_or(Timestamp(i64::MAX)));
        let end = match below {
            Some(below) if below.at < end.at => below.clone(),
            _ => end,
        };
        (end, Self::first(from.unwrap_or(Timestamp(0))))
    }

    /// Time and index, as a statement compares them.
    pub(super) fn pair(self) -> Vec<Value> {
        vec![self.at.into(), self.index.into()]
    }

    /// The same with the number.
    pub(super) fn triple(self) -> Vec<Value> {
        vec![self.at.into(), self.index.into(), self.seq.into()]
    }

    /// Reads the time and the index with which a row begins.
    pub(super) fn read_pair(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            at: row.time(0)?,
            index: row.blob(1)?.to_owned(),
            seq: 0,
        })
    }

    /// The same with the number.
    pub(super) fn read_triple(row: &Row) -> Result<Self, DbError> {
        let pair = Self::read_pair(row)?;
        Ok(Self {
            seq: row.integer(2)?,
            ..pair
        })
    }
}
