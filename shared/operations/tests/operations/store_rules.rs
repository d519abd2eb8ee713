//! Rules every statement keeps.

use domain::error::Reason;
use store::{Sqlite, Value};

use super::harness::{World, parameters, run};

#[test]
fn a_transaction_that_fails_leaves_none_open() {
    let world = World::new();
    let result = run(store::transaction(&world.db, async |_| {
        Err::<(), domain::error::Error>(Reason::Conflict.into())
    }));
    assert_eq!(result.unwrap_err().reason(), Reason::Conflict);
    assert!(world.db.inner.connection().is_autocommit());
}

#[test]
fn every_kind_of_value_comes_back_as_it_went_in() {
    let db = Sqlite::in_memory().unwrap();
    let values = [
        Value::Null,
        Value::Integer(i64::MIN),
        Value::Text("写卡".to_owned()),
        Value::Blob(vec![0, 0xff]),
        Value::Real(-0.5),
    ];
    let rows = run(store::Database::run(&db, "SELECT $1, $2, $3, $4, $5", &values)).unwrap();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].0.iter().zip(&values).all(|(out, value)| out == value));
}

#[test]
fn a_wrong_statement_is_an_error_and_not_a_panic() {
    let db = Sqlite::in_memory().unwrap();
    for sql in ["SELECT", "SELECT * FROM nothing", ""] {
        let _ = run(store::Database::run(&db, sql, &[]));
    }
    assert!(run(store::Database::run(&db, "SELECT $1", &[])).is_err());
}

#[test]
#[should_panic(expected = "appears too early")]
fn parameters_out_of_order_are_noticed() {
    parameters("SELECT $2, $1");
}
