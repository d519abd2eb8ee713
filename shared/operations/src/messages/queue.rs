//! Adding messages to table `message`.

use super::super::Context;
use domain::error::Error;
use domain::{MessageId, Receiver, TaskId};
use store::{
    Database, Tx,
    chip::ChipRow,
    message::{self, NewMessageRow},
    receiver,
};
use vault::random_bytes;

/// Whether the receiver has an address.
pub(crate) async fn has_address<D: Database>(tx: &Tx<'_, D>, to: &Receiver) -> Result<bool, Error> {
    let row = receiver::find(tx, to).await?;
    Ok(row.is_some_and(|row| row.url.is_some()))
}

/// A message to add.
pub(crate) struct NewMessage<'a> {
    /// Whom it goes to.
    pub(crate) to: &'a Receiver,
    /// What it is about.
    pub(crate) topic: &'static str,
    /// The task it is about.
    pub(crate) task: Option<TaskId>,
    /// The chip whose latest step it is about.
    pub(crate) chip: Option<&'a ChipRow>,
    /// Whether the receiver has an address; without one the message waits until somebody asks for it.
    pub(crate) is_addressed: bool,
    /// The JSON object of its fields, without signature.
    pub(crate) body: &'a [u8],
}

/// Adds a message in the open transaction.
pub(crate) async fn queue<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    new: &NewMessage<'_>,
) -> Result<(), Error> {
    let home = new.chip.map_or(Ok(0), |chip| cx.home(chip))?;
    let id = MessageId::at_home(cx.now, random_bytes(cx.random), home);
    let body_sealed = cx
        .vault
        .seal(cx.random, message::BODY, id.text().as_bytes(), new.body)?;
    let message = NewMessageRow {
        id,
        receiver: new.to,
        topic: new.topic,
        task: new.task,
        chip: new.chip.map(|chip| &chip.eid_index),
        is_addressed: new.is_addressed,
        body_sealed,
    };
    Ok(message::insert(tx, message, cx.now).await?)
}
