//! Chips by their last session: the sessions of table `device_session` in the order of time, of which only the last of
//! each chip counts. Reads only.

use super::chip_list::{ChipQuery, ListedChip, ROWS, read};
use super::list::{Asked, ListedBy, find_page, listed_by, names};
use super::{Database, DbError, ListKey, Row, Run as _, Value};
use domain::{CardStatus, Timestamp};

// The engine numbers parameters as they first occur.
const BY_SESSION: ListedBy = listed_by!(
    "s.opened_at, s.id" and ", s.eid_index",
    "device_session s" " JOIN chip c ON c.eid_index = s.eid_index",
    by "CAST($1 AS TEXT) IS NULL" and "",
    "(s.opened_at, s.id)" from "($2, $3)" to "($4, $5)",
    "c.imported_at >= $6 AND c.imported_at < $7 AND (c.client_id = $8 OR $8 IS NULL) \
     AND (c.chip_model = $9 OR $9 IS NULL) AND (c.status = $10 OR $10 IS NULL) AND (c.import_id = $11 OR $11 IS NULL) \
     AND NOT EXISTS (SELECT 1 FROM device_session l WHERE l.eid_index = s.eid_index AND l.opened_at >= s.opened_at \
     AND (l.opened_at > s.opened_at OR l.id > s.id))",
    "s.opened_at DESC, s.id DESC" or "s.opened_at, s.id",
    "$6",
    "$12"
);

/// A page of chips in the order of their last sessions, and where the next one begins. Chips without a session that is
/// kept are not among them, and an identifier is no condition.
pub async fn page<D: Database>(
    db: &D,
    query: &ChipQuery<'_>,
) -> Result<(Vec<ListedChip>, Option<ListKey>), DbError> {
    let seen = (query.seen_from, query.seen_before);
    let asked = Asked {
        by: Value::Null,
        span: ListKey::span(query.order, query.cursor.as_ref(), seen, session),
        order: query.order,
        others: vec![
            query.from.unwrap_or(Timestamp(0)).into(),
            query.to.unwrap_or(Timestamp(i64::MAX)).into(),
            query.client_id.into(),
            query.model.into(),
            query.status.map(CardStatus::code).into(),
            query.import_id.map(|id| id.text()).into(),
        ],
        limit: query.limit,
    };
    let (found, next) = find_page(db, BY_SESSION, asked).await?;
    let rows = db.run(ROWS, &[names(&found, 2)?]).await?;
    let mut chips: Vec<ListedChip> = rows.iter().map(read).collect::<Result<_, _>>()?;
    let order: Vec<_> = found.iter().map(|row| row.index(2)).collect::<Result<_, _>>()?;
    chips.sort_by_key(|chip| order.iter().position(|index| *index == chip.eid_index));
    Ok((chips, next.as_ref().map(key).transpose()?))
}

/// A key as time and identifier of a session, whose bytes stand in the place of a blind index.
fn session(key: ListKey) -> Vec<Value> {
    let id = String::from_utf8(key.index).unwrap_or_default();
    vec![key.at.into(), id.into()]
}

fn key(row: &Row) -> Result<ListKey, DbError> {
    Ok(ListKey {
        at: row.time(0)?,
        index: row.text(1)?.as_bytes().to_vec(),
        seq: 0,
    })
}
