//! Adding messages to table `message`.

use super::super::Context;
use domain::error::Error;
use domain::{MessageId, Receiver, TaskId};
use store::{
    Database, Tx,
    message::{self, NewMessageRow},
    receiver,
};
use vault::random_bytes;

/// Whether the receiver has an address.
pub(crate) async fn has_address<D: Database>(tx: &Tx<'_, D>, to: &Receiver) -> Result<bool, Error> {
    let row = receiver::find(tx, to).await?;
    Ok(row.is_some_and(|row| row.url.is_some()))
}

/// Adds a message in the open transaction. `body` is the JSON object of its fields, without signature.
pub(crate) async fn queue<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    to: &Receiver,
    topic: &'static str,
    task: Option<TaskId>,
    body: &[u8],
) -> Result<(), Error> {
    let id = MessageId::new(cx.now, random_bytes(cx.random));
    let body_sealed = cx
        .vault
        .seal(cx.random, message::BODY, id.text().as_bytes(), body)?;
    let message = NewMessageRow {
        id,
        receiver: to,
        topic,
        task,
        body_sealed,
    };
    Ok(message::insert(tx, message, cx.now).await?)
}
