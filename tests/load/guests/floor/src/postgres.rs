//! Two reads on a connection of the instance's pool.

use std::cell::RefCell;

use spin_sdk::pg::wit::postgres::{Connection, Error, ParameterValue};
use spin_sdk::variables;

use crate::{CHIP, CLIENT, random_place};

thread_local! {
    static IDLE: RefCell<Vec<Connection>> = const { RefCell::new(Vec::new()) };
}

pub(super) async fn answer() -> Result<(), String> {
    let connection = match IDLE.with_borrow_mut(Vec::pop) {
        Some(connection) => connection,
        None => {
            let address = variables::get("database")
                .await
                .map_err(|error| error.to_string())?;
            Connection::open_async(address).await.map_err(text)?
        }
    };
    for (sql, params) in [
        (CLIENT, vec![]),
        (CHIP, vec![ParameterValue::Binary(random_place())]),
    ] {
        let running = connection.query_async(sql.to_owned(), params);
        let (_, mut rows, outcome) = running.await.map_err(text)?;
        let mut count = 0;
        while rows.next().await.is_some() {
            count += 1;
        }
        outcome.await.map_err(text)?;
        if count == 0 {
            return Err(format!("no row: {sql}"));
        }
    }
    IDLE.with_borrow_mut(|idle| idle.push(connection));
    Ok(())
}

fn text(error: Error) -> String {
    format!("{error:?}")
}
