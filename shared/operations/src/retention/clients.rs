//! Clients that were disabled.

use super::settings::CLIENTS;
use super::{Error, MAX_WHOLE, Run};
use store::{Database, client};

/// Destroys clients that were disabled, with their secrets and their address. A chip, number, task or message of the
/// client, and an open incident, keep it.
pub(super) async fn destroy<D: Database>(run: &mut Run<'_, '_, D>) -> Result<(), Error> {
    let before = run.before(&[CLIENTS]);
    run.destroy("clients", MAX_WHOLE, async |tx, most| {
        Ok(client::purge(tx, before, most).await?)
    })
    .await
}
