//! What a connection to PostgreSQL must never do. On SQLite there is nothing to see.

use std::cell::Cell;
use std::pin::pin;
use std::task::{Context, Waker};

use domain::error::Error;
use domain::{ClientId, Timestamp};
use store::{DbError, client_secret, transaction};
use test_support::operations::{World, run};
use test_support::postgres_server::is_chosen;
use test_support::test_db::TestDb;

fn world() -> Option<(World, ClientId)> {
    let world = is_chosen().then(World::new)?;
    let client = world.client().client_id;
    Some((world, client))
}

const SECRETS: &str = "SELECT COUNT(*) FROM client_secret";

#[test]
fn a_transaction_whose_user_is_gone_is_rolled_back() {
    let Some((world, client)) = world() else { return };
    let TestDb::Postgres(database) = &world.db.inner else {
        return;
    };
    let other = database.connect().unwrap();
    let is_written = Cell::new(false);
    {
        let mut work = pin!(transaction(&other, async |tx| {
            client_secret::insert(tx, &client, 2, b"hash", Timestamp(1)).await?;
            is_written.set(true);
            std::future::pending::<Result<(), DbError>>().await
        }));
        let mut context = Context::from_waker(Waker::noop());
        while !is_written.get() {
            assert!(work.as_mut().poll(&mut context).is_pending());
            std::thread::yield_now();
        }
    }
    assert!(other.is_in_transaction());
    drop(other);
    assert_eq!(world.count(SECRETS), 1);
    run(transaction(&world.db, async |tx| {
        client_secret::insert(tx, &client, 2, b"hash", Timestamp(1)).await
    }))
    .unwrap();
    assert_eq!(world.count(SECRETS), 2);
}

#[test]
fn a_transaction_of_which_a_statement_failed_is_not_committed() {
    let Some((world, client)) = world() else { return };
    let nobody = ClientId::parse("cl_00000000000000000000").unwrap();
    let result = run(transaction(&world.db, async |tx| {
        client_secret::insert(tx, &client, 2, b"hash", Timestamp(1)).await?;
        // The engine carries nothing out after this, and would answer the commit with a rollback.
        let _ = client_secret::insert(tx, &nobody, 1, b"hash", Timestamp(1)).await;
        Ok::<_, Error>(())
    }));
    assert!(result.is_err());
    assert!(!world.db.inner.is_in_transaction());
    assert_eq!(world.count(SECRETS), 1);
}
