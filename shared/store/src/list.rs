//! How a page of a list is found, whatever its table: by one index, which the first condition names, in the order of the
//! list. The other conditions are tried on each row, so the rows that a page looks at have a limit: a page may then have
//! fewer rows than asked for, or none, although another one follows.

use super::{Database, DbError, Row, Run as _, Value};

/// Most rows of an index that a page looks at when it has further conditions.
pub const MAX_SIFTED: u32 = 2_000;

/// The order of a list, by the time of its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The latest first.
    #[default]
    Descending,
    /// The earliest first.
    Ascending,
}

impl Order {
    /// Stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Descending => "desc",
            Self::Ascending => "asc",
        }
    }
}

/// The statements that list a table by one of its indexes. Parameters of `floor`: the value of the index, where the page
/// begins and ends, an offset. Those of `find`: the same, the other conditions, and the most rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    /// The rows, which begin with their keys.
    pub find: &'static str,
    /// The key of the last row that a page looks at.
    pub floor: &'static str,
}

/// A list by one of its indexes, in both orders.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListedBy {
    /// From the key below which a page begins down to the least that it may have.
    pub descending: Listed,
    /// From the least key of a page up to the one below which it ends.
    pub ascending: Listed,
}

/// The statements of a list by one of its indexes: the key of its rows and further columns, its table and others, the
/// condition of the index with `$1`, one of every row, the key as it is compared, with the parameters of its begin and
/// end, the other conditions, both orders of the keys, and the parameters of offset and limit.
#[rustfmt::skip]
macro_rules! listed_by {
    ($key:literal and $columns:expr, $table:literal $joined:expr, by $by:literal and $always:literal,
        $compared:literal from $begin:literal to $end:literal, $others:expr, $down:literal or $up:literal,
        $offset:literal, $limit:literal) => {
        $crate::list::ListedBy {
            descending: $crate::list::listed!($key, $columns, $table, $joined, $by,
                concat!($always, $compared, " < ", $begin, " AND ", $compared, " >= ", $end),
                $others, $down, $offset, $limit),
            ascending: $crate::list::listed!($key, $columns, $table, $joined, $by,
                concat!($always, $compared, " >= ", $begin, " AND ", $compared, " < ", $end),
                $others, $up, $offset, $limit),
        }
    };
}
pub(super) use listed_by;

/// The statements of one order.
#[rustfmt::skip]
macro_rules! listed {
    ($key:literal, $columns:expr, $table:literal, $joined:expr, $by:literal, $range:expr, $others:expr, $order:literal,
        $offset:literal, $limit:literal) => {
        $crate::list::Listed {
            find: concat!("SELECT ", $key, $columns, " FROM ", $table, $joined, " WHERE ", $by, " AND ", $range, " AND ",
                $others, " ORDER BY ", $order, " LIMIT ", $limit),
            floor: concat!("SELECT ", $key, " FROM ", $table, " WHERE ", $by, " AND ", $range, " ORDER BY ", $order,
                " LIMIT 1 OFFSET ", $offset),
        }
    };
}
pub(super) use listed;

/// A page that is asked for.
pub(super) struct Asked {
    /// The value of the index; null where every row is listed.
    pub by: Value,
    /// Where the page begins and where it ends. Of two keys the lesser one is part of the page, the other is not.
    pub span: [Vec<Value>; 2],
    /// The order of the keys.
    pub order: Order,
    /// The values of the other conditions; null where there is none.
    pub others: Vec<Value>,
    /// Most rows.
    pub limit: u32,
}

/// The rows of a page, and the row or key after which the next page begins, if there may be one.
pub(super) async fn find_page<D: Database>(
    db: &D,
    by: ListedBy,
    asked: Asked,
) -> Result<(Vec<Row>, Option<Row>), DbError> {
    let by = match asked.order {
        Order::Descending => by.descending,
        Order::Ascending => by.ascending,
    };
    let [begin, end] = asked.span;
    let mut params = vec![asked.by];
    params.extend(begin);
    let end_at = params.len();
    params.extend(end);
    let mut floor = None;
    if asked.others.iter().any(|value| *value != Value::Null) {
        let mut range = params.clone();
        range.push(i64::from(MAX_SIFTED - 1).into());
        floor = db.run(by.floor, &range).await?.pop();
    }
    if let Some(Row(key)) = &floor {
        params.truncate(end_at);
        params.extend(match asked.order {
            Order::Descending => key.clone(),
            Order::Ascending => after(key.clone()),
        });
    }
    params.extend(asked.others);
    params.push(i64::from(asked.limit).into());
    let rows = db.run(by.find, &params).await?;
    let is_full = rows.len() == asked.limit as usize;
    let next = if is_full { rows.last().cloned() } else { floor };
    Ok((rows, next))
}

/// The least key above this one.
pub(super) fn after(mut key: Vec<Value>) -> Vec<Value> {
    match key.last_mut() {
        Some(Value::Integer(number)) => *number = number.saturating_add(1),
        Some(Value::Blob(bytes)) => bytes.push(0),
        // Identifiers have no character below this one.
        Some(Value::Text(text)) => text.push('-'),
        _ => {}
    }
    key
}

/// Takes the condition that the index has out of the others.
pub(super) fn take(others: &mut [Value], at: Option<usize>) -> Value {
    let condition = at.and_then(|at| others.get_mut(at));
    condition.map_or(Value::Null, |value| std::mem::replace(value, Value::Null))
}

/// The rows of a page, which were read in descending order, in the order of the list.
pub(super) fn in_order<T>(
    order: Order,
    rows: impl DoubleEndedIterator<Item = Result<T, DbError>>,
) -> Result<Vec<T>, DbError> {
    match order {
        Order::Descending => rows.collect(),
        Order::Ascending => rows.rev().collect(),
    }
}

/// What names rows, in column `at` of each, as a JSON list; blind indexes in hexadecimal.
pub(super) fn names(rows: &[Row], at: usize) -> Result<Value, DbError> {
    let mut names = String::from("[");
    for row in rows {
        if names.len() > 1 {
            names.push(',');
        }
        names.push('"');
        match row.0.get(at) {
            Some(Value::Blob(index)) => names.push_str(&hex::encode(index)),
            _ => names.push_str(row.text(at)?),
        }
        names.push('"');
    }
    names.push(']');
    Ok(names.into())
}
