//! The size of pages.

use serde_json::json;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::identifiers::text;
use super::words::words;
use super::{Kind, Parsed};
use crate::cursor::MAX_CURSOR_CHARS;
use domain::Malformed;
use store::{ListKey, Order};

/// Rows of a page, at most `MOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows<const MOST: u32>(u32);

/// The rows of a page that a caller asks for, at most `MOST`.
pub type PageLimit<const MOST: u32> = Parsed<Rows<MOST>>;

impl<const MOST: u32> Rows<MOST> {
    /// The rows that were asked for; by default the most.
    #[must_use]
    pub fn of(limit: Option<Parsed<Self>>) -> u32 {
        limit.map_or(MOST, |limit| limit.get().0)
    }
}

impl<const MOST: u32> Kind for Rows<MOST> {
    const NAME: &'static str = "PageLimit";

    fn parse(text: &str) -> Result<Self, Malformed> {
        let rows = text.parse().ok().filter(|rows| (1..=MOST).contains(rows));
        rows.map(Self).ok_or(Malformed::new(
            domain::Kind::Value,
            "应为不超过上限的正整数",
            "not a positive number up to the limit",
        ))
    }

    fn object() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some("每页行数，默认为上限 / rows of a page; by default the most"))
            .minimum(Some(1))
            .maximum(Some(MOST))
            .default(Some(json!(MOST)))
            .examples([json!(MOST)])
            .build()
    }
}

/// Where a page ends, as callers see it: `next` of a page, bound to the query that found it.
pub type Cursor = Parsed<PageEnd>;

/// Where a page ends. The request layer takes the key out of it before a parameter is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageEnd(String);

impl Kind for PageEnd {
    const NAME: &'static str = "Cursor";

    fn parse(text: &str) -> Result<Self, Malformed> {
        Ok(Self(text.to_owned()))
    }

    fn object() -> Object {
        let mut object = text(
            "^([0-9a-f]{2})+$",
            "翻页位置，属于取得它的查询；内容不作约定 / where a page ends, for the query that returned it; opaque",
            "0123456789abcdef30313966316132622d336334642d376535662d386136622d376338643965306631613262",
        );
        object.max_length = Some(MAX_CURSOR_CHARS);
        object
    }
}

/// The key of a page in a list that is ordered by time.
pub type RowCursor = Parsed<ListKey>;

impl Kind for ListKey {
    const NAME: &'static str = "RowCursor";

    fn parse(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }

    fn object() -> Object {
        text(
            "^[0-9]+-[0-9a-f]*-[0-9]+$",
            "翻页位置 / where a page ends",
            "1782864000000-00112233445566778899aabbccddeeff-1",
        )
    }
}

words! {
    /// The order of a list.
    pub ListOrder = Order {
        values: [Order::Descending, Order::Ascending],
        about: "次序：desc 最近的在前（默认），asc 最早的在前 / desc: the latest first, as by default; asc: the earliest first",
        wrong: "应为 desc 或 asc", "neither desc nor asc",
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind as _, Parsed, Rows};

    #[test]
    fn a_page_has_at_least_one_row_and_at_most_as_many_as_allowed() {
        for (text, rows) in [("1", Some(1)), ("200", Some(200))] {
            assert_eq!(
                Rows::<200>::parse(text)
                    .ok()
                    .map(|rows| Rows::of(Some(Parsed(rows)))),
                rows
            );
        }
        for text in ["0", "201", "-1", "1.5", "", "x", "99999999999"] {
            assert!(Rows::<200>::parse(text).is_err(), "{text}");
        }
        assert_eq!(Rows::<200>::of(None), 200);
    }
}
