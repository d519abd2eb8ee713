//! Several statements in one, for PostgreSQL: there each one is two round trips, and the locks of a transaction are kept
//! for all of them. SQLite runs the same texts one after the other.
//!
//! On PostgreSQL each write is a call of a function, which the migrations make and whose plan the server keeps. It sees
//! what those before it wrote.

use std::cell::RefCell;

use super::{Database, DbError, Engine, Row, Run as _, Statement, Value};

/// How a write begins on PostgreSQL.
const CALL: &str = "SELECT ";

/// A read that gives one row at most. Its first column is never null.
pub(crate) struct Read {
    pub(crate) sql: Statement,
    pub(crate) columns: usize,
    pub(crate) params: Vec<Value>,
}

/// A write that waits in a transaction for others.
pub(crate) struct Write {
    /// The table, or another name of which there is one in a statement.
    pub(crate) name: &'static str,
    /// On PostgreSQL [`CALL`] and a function that returns how many rows it changed.
    pub(crate) sql: Statement,
    pub(crate) params: Vec<Value>,
    /// Whether it has to find a row. Such a text ends in RETURNING.
    pub(crate) is_guarded: bool,
}

/// The row of each read.
pub(crate) async fn read<D: Database>(db: &D, reads: Vec<Read>) -> Result<Vec<Option<Row>>, DbError> {
    if let [one] = &reads[..] {
        return Ok(vec![db.execute(one.sql, &one.params).await?.pop()]);
    }
    let texts = reads.iter().map(|read| (read.sql, read.params.len()));
    let composed = composed(texts.collect(), |parts| {
        let mut text = "SELECT * FROM (SELECT 1 AS n) AS one".to_owned();
        for (n, part) in parts.iter().enumerate() {
            let name = n.to_string();
            text.extend([" LEFT JOIN (", part, ") AS part_", &name, " ON 1 = 1"]);
        }
        text
    });
    let params: Vec<Value> = reads.iter().flat_map(|read| read.params.clone()).collect();
    let mut rows = Vec::with_capacity(reads.len());
    if let Some(row) = db.execute(composed, &params).await?.pop() {
        let mut values = row.0.into_iter().skip(1);
        for read in reads {
            let part: Vec<Value> = values.by_ref().take(read.columns).collect();
            rows.push(Some(Row(part)).filter(|row| row.0.first() != Some(&Value::Null)));
        }
        return Ok(rows);
    }
    for read in reads {
        rows.push(db.run(read.sql.on_sqlite(), &read.params).await?.pop());
    }
    Ok(rows)
}

/// Runs all writes.
///
/// # Errors
/// [`DbError::Missed`] when a guarded one finds no row.
pub(crate) async fn write<D: Database>(db: &D, writes: Vec<Write>) -> Result<(), DbError> {
    let texts = writes.iter().map(|write| (write.sql, write.params.len()));
    let composed = composed(texts.collect(), |parts| {
        let calls: Vec<&str> = parts
            .iter()
            .map(|part| part.strip_prefix(CALL).unwrap_or(part))
            .collect();
        CALL.to_owned() + &calls.join(", ")
    });
    let params: Vec<Value> = writes.iter().flat_map(|write| write.params.clone()).collect();
    let changed = db.execute(composed, &params).await?.pop();
    for (at, write) in writes.iter().enumerate() {
        let is_missed = match &changed {
            Some(counts) => counts.integer(at)? == 0,
            // SQLite, which had nothing to run yet.
            None => db.execute(write.sql.on_sqlite(), &write.params).await?.is_empty(),
        };
        if write.is_guarded && is_missed {
            return Err(DbError::Missed(write.name.to_owned()));
        }
    }
    Ok(())
}

/// Statements with their numbers of parameters.
type Parts = Vec<(Statement, usize)>;

/// The statement that PostgreSQL runs in place of these, each with its number of parameters. There are few combinations;
/// the text of each is made once and stays in memory.
fn composed(parts: Parts, join: impl FnOnce(&[String]) -> String) -> Statement {
    thread_local! {
        static KNOWN: RefCell<Vec<(Parts, Statement)>> = const { RefCell::new(Vec::new()) };
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some((_, statement)) = known.iter().find(|(of, _)| *of == parts) {
            return *statement;
        }
        let mut before = 0;
        let texts: Vec<String> = parts
            .iter()
            .map(|(sql, params)| {
                let text = renumbered(sql.text(Engine::Postgres), before);
                before += params;
                text
            })
            .collect();
        let statement = Statement::of_postgres(Box::leak(join(&texts).into_boxed_str()));
        known.push((parts, statement));
        statement
    })
}

/// The text with its parameters `$1`, `$2`, … after `before` others.
fn renumbered(text: &str, before: usize) -> String {
    let mut parts = text.split('$');
    let mut renumbered = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let (number, rest) = part.split_at(end);
        let number = number.parse::<usize>().unwrap_or_default() + before;
        renumbered.extend(["$", &number.to_string(), rest]);
    }
    renumbered
}

#[cfg(test)]
mod tests {
    use super::renumbered;

    #[test]
    fn parameters_follow_those_of_the_parts_before() {
        assert_eq!(
            renumbered("UPDATE t SET a = $1, b = $12 WHERE c = $1", 3),
            "UPDATE t SET a = $4, b = $15 WHERE c = $4"
        );
        assert_eq!(renumbered("SELECT 1", 3), "SELECT 1");
    }
}
