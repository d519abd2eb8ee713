//! How a page of a list is found, whatever its table: by one index, which the first condition names, in the order of the
//! list. The other conditions are tried on each row, so the rows that a page looks at have a limit: a page may then have
//! fewer rows than asked for, or none, although another one follows.

use super::{Database, DbError, Row, Run as _, Value};

/// Most rows of an index that a page looks at when it has further conditions.
pub const MAX_SIFTED: u32 = 10_000;

/// The statements that list a table by one of its indexes. Parameters of `floor`: the value of the index, where the page
/// begins and ends, an offset. Those of `find`: the same, the other conditions, and the most rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListedBy {
    /// The rows, which begin with their keys.
    pub find: &'static str,
    /// The key of the last row that a page looks at.
    pub floor: &'static str,
}

/// Both statements of a list by one of its indexes: the key of its rows and further columns, its table and others, the
/// condition of the index with `$1`, the range of keys, the other conditions, the order of the keys, and the parameters of
/// offset and limit.
#[rustfmt::skip]
macro_rules! listed_by {
    ($key:literal and $columns:literal, $table:literal $joined:literal by $by:literal, $range:literal,
        $others:literal, $order:literal, $offset:literal, $limit:literal) => {
        $crate::list::ListedBy {
            find: concat!("SELECT ", $key, $columns, " FROM ", $table, $joined, " WHERE ", $by, " AND ", $range, " AND ",
                $others, " ORDER BY ", $order, " LIMIT ", $limit),
            floor: concat!("SELECT ", $key, " FROM ", $table, " WHERE ", $by, " AND ", $range, " ORDER BY ", $order,
                " LIMIT 1 OFFSET ", $offset),
        }
    };
}
pub(super) use listed_by;

/// A page that is asked for.
pub(super) struct Asked {
    /// The value of the index; null where every row is listed.
    pub by: Value,
    /// The key before which the page begins.
    pub below: Vec<Value>,
    /// The least key that it may have.
    pub from: Vec<Value>,
    /// The values of the other conditions; null where there is none.
    pub others: Vec<Value>,
    /// Most rows.
    pub limit: u32,
}

/// The rows of a page, and the row or key before which the next page begins, if there may be one.
pub(super) async fn find_page<D: Database>(
    db: &D,
    by: ListedBy,
    asked: Asked,
) -> Result<(Vec<Row>, Option<Row>), DbError> {
    let mut params = vec![asked.by];
    params.extend(asked.below);
    let range_from = params.len();
    params.extend(asked.from);
    let mut floor = None;
    if asked.others.iter().any(|value| *value != Value::Null) {
        let mut range = params.clone();
        range.push(i64::from(MAX_SIFTED - 1).into());
        floor = db.run(by.floor, &range).await?.pop();
    }
    if let Some(Row(key)) = &floor {
        params.truncate(range_from);
        params.extend_from_slice(key);
    }
    params.extend(asked.others);
    params.push(i64::from(asked.limit).into());
    let rows = db.run(by.find, &params).await?;
    let is_full = rows.len() == asked.limit as usize;
    let next = if is_full { rows.last().cloned() } else { floor };
    Ok((rows, next))
}

/// Takes the condition that the index has out of the others.
pub(super) fn take(others: &mut [Value], at: Option<usize>) -> Value {
    let condition = at.and_then(|at| others.get_mut(at));
    condition.map_or(Value::Null, |value| std::mem::replace(value, Value::Null))
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
