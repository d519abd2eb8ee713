//! Where a page ends in a list that is ordered by time, chip or number, and number of the row.

use super::list::{Order, after};
use super::{DbError, Row, Value};
use domain::{Kind, Malformed, Timestamp, all_digits};

/// The key of a row in a list. Blind indexes order rows of one time, because identifiers are sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListKey {
    /// The time by which the list is ordered.
    pub at: Timestamp,
    /// Bytes of the blind index, or of the identifier.
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

    /// The identifier of a list whose rows have one instead of a blind index.
    pub(crate) fn index_text(&self) -> String {
        String::from_utf8_lossy(&self.index).into_owned()
    }

    /// The key as text.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}-{}-{}", self.at.millis(), hex::encode(&self.index), self.seq)
    }

    /// The keys at which a page begins and ends, as a statement compares them: from the one of `from` on, below the one of
    /// `to`, and behind `cursor`.
    pub(super) fn span(
        order: Order,
        cursor: Option<&Self>,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        values: fn(Self) -> Vec<Value>,
    ) -> [Vec<Value>; 2] {
        let first = Self::first(from.unwrap_or(Timestamp(0)));
        let end = Self::first(to.unwrap_or(Timestamp(i64::MAX)));
        match (order, cursor.cloned()) {
            (Order::Descending, Some(cursor)) if cursor.at < end.at => [values(cursor), values(first)],
            (Order::Descending, _) => [values(end), values(first)],
            (Order::Ascending, Some(cursor)) if cursor.at >= first.at => [after(values(cursor)), values(end)],
            (Order::Ascending, _) => [values(first), values(end)],
        }
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
