//! How many rows a table has, and a digest of all of them: the same of every copy of the same rows, whatever the pages of
//! the file look like, and whatever engine has them.
//!
//! A row is hashed column by column in the order of their names, and the rows in the order of the key, so that the order
//! in which an engine stores either does not matter.

use sha2::{Digest as _, Sha256};

use super::{Database, DbError, Row, Run as _, Statement, Value};

// On PostgreSQL the tables of the schema that the statements use: partitions, and not the tables that they are parts of.
const TABLES: Statement = Statement::new(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite^_%' ESCAPE '^' ORDER BY name",
    "SELECT relname AS name FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(current_schema())) \
     AND relkind = 'r' ORDER BY relname",
);
const COLUMNS: Statement = Statement::new(
    "SELECT name, pk FROM pragma_table_info($1) ORDER BY name",
    "SELECT a.attname AS name, COALESCE(array_position(CAST(i.indkey AS smallint[]), a.attnum) + 1, 0) AS pk \
     FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
     WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attname",
);

/// A database whose tables can be read as a whole.
pub trait Scan: Database {
    /// Reads the rows of a query one by one, however many there are.
    ///
    /// # Errors
    /// [`DbError`] when a row cannot be read; those of `read`.
    #[expect(async_fn_in_trait, reason = "as of `Database`: no Send bound is wanted")]
    async fn each_row(&self, sql: &str, read: impl FnMut(Row) -> Result<(), DbError>) -> Result<(), DbError>;
}

/// The rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDigest {
    /// Name of the table.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 of them in hexadecimal.
    pub sha256: String,
}

/// The digest of every table, by name.
///
/// # Errors
/// [`DbError`] when a page cannot be read.
pub async fn table_digests<D: Scan>(db: &D) -> Result<Vec<TableDigest>, DbError> {
    let mut found = Vec::new();
    for row in db.run(TABLES, &[]).await? {
        found.push(digest(db, row.text(0)?.to_owned()).await?);
    }
    Ok(found)
}

async fn digest<D: Scan>(db: &D, table: String) -> Result<TableDigest, DbError> {
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    for row in db.run(COLUMNS, &[table.as_str().into()]).await? {
        let name = quoted(row.text(0)?);
        if row.integer(1)? > 0 {
            key.push((row.integer(1)?, name.clone()));
        }
        columns.push(name);
    }
    key.sort();
    let key: Vec<String> = key.into_iter().map(|(_, name)| name).collect();
    // Rows without a key are in the order of all their values.
    let order = if key.is_empty() { &columns } else { &key };
    let (columns, order, from) = (columns.join(", "), order.join(", "), quoted(&table));
    let (mut hash, mut rows) = (RowHash::default(), 0);
    let sql = format!("SELECT {columns} FROM {from} ORDER BY {order}");
    db.each_row(&sql, |row| {
        hash.add(&row);
        rows += 1;
        Ok(())
    })
    .await?;
    let sha256 = hash.finish();
    Ok(TableDigest { table, rows, sha256 })
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Hashes rows. Kind and length of every value are in front of it, so that no two lists of rows look the same.
#[derive(Default)]
struct RowHash(Sha256);

impl RowHash {
    fn add(&mut self, row: &Row) {
        for value in &row.0 {
            match value {
                Value::Null => self.0.update(b"n"),
                Value::Integer(value) => self.put(b"i", &value.to_be_bytes()),
                Value::Real(value) => self.put(b"r", &value.to_bits().to_be_bytes()),
                Value::Text(value) => self.put(b"t", value.as_bytes()),
                Value::Blob(value) => self.put(b"b", value),
            }
        }
        self.0.update(b".");
    }

    fn put(&mut self, kind: &[u8], bytes: &[u8]) {
        self.0.update(kind);
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn finish(self) -> String {
        hex::encode(self.0.finalize())
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::table_digests;
    use crate::Sqlite;

    fn digests(sql: &str) -> Vec<(String, u64, String)> {
        let db = Sqlite::in_memory().unwrap();
        db.connection().execute_batch(sql).unwrap();
        let digests = block_on(table_digests(&db)).unwrap().into_iter();
        digests
            .map(|found| (found.table, found.rows, found.sha256))
            .collect()
    }

    #[test]
    fn the_order_of_columns_and_rows_does_not_matter_and_every_value_does() {
        let one = digests(
            "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB); INSERT INTO t VALUES (1, 'x', x'00'), (2, 'y', NULL)",
        );
        let other = digests(
            "CREATE TABLE t (c BLOB, b TEXT, a INTEGER PRIMARY KEY); INSERT INTO t VALUES (NULL, 'y', 2), (x'00', 'x', 1)",
        );
        assert_eq!(one, other);
        assert_eq!((one[0].0.as_str(), one[0].1), ("t", 2));
        for changed in [
            "(1, 'x', x'00'), (2, 'x', NULL)",
            "(1, 'x', x'01'), (2, 'y', NULL)",
            "(1, 'y', x'00'), (2, 'x', NULL)",
            "(1, 'x', x'00'), (2, 'y', x'')",
            "(1, 'x', x'00'), (3, 'y', NULL)",
            "(1, 'x', x'00')",
        ] {
            let sql = format!(
                "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB); INSERT INTO t VALUES {changed}"
            );
            assert_ne!(digests(&sql), one, "{changed}");
        }
    }

    // Computed with Python: hashlib.sha256(b"i"+(8).to_bytes(8,"big")+(1).to_bytes(8,"big")+b"t"+(1).to_bytes(8,"big")+b"x"+b".")
    #[test]
    fn the_digest_is_that_of_kinds_lengths_and_values() {
        let found = digests("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t VALUES (1, 'x')");
        assert_eq!(
            found[0].2,
            "8926c96d258674de81f449a5fbc2b1be0cb4ab6485311d97328b6abffb38ebd6"
        );
    }

    #[test]
    fn rows_without_a_key_are_compared_too() {
        let one = digests("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1), (2)");
        assert_eq!(
            one,
            digests("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (2), (1)")
        );
    }
}
