//! Who acts on a chip by hand, and why.

use super::Context;
use domain::Actor;
use domain::error::Error;
use store::{
    Database, Tx,
    card_history::{self, Step},
    chip::ChipRow,
};
use vault::Column;

/// Who acts on a chip by hand, and why. Both are kept in the card's history, sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActNote<'a> {
    /// Name of the person.
    pub person: &'a str,
    /// Why.
    pub text: &'a str,
}

impl ActNote<'_> {
    /// Person and words, sealed for the history of `chip`.
    pub(super) fn sealed<D>(&self, cx: &Context<'_, D>, chip: &ChipRow) -> Result<[Vec<u8>; 2], Error> {
        let columns = [card_history::PERSON, card_history::NOTE];
        self.sealed_for(cx, columns, chip.eid_index.as_bytes())
    }

    /// Person and words, sealed for these columns of a row.
    pub(super) fn sealed_for<D>(
        &self,
        cx: &Context<'_, D>,
        [person, note]: [Column; 2],
        row: &[u8],
    ) -> Result<[Vec<u8>; 2], Error> {
        let seal = |column, text: &str| cx.vault.seal(cx.random, column, row, text.as_bytes());
        Ok([seal(person, self.person)?, seal(note, self.text)?])
    }

    /// Enters an act that leaves the state of the card as it is in the card's history. `reason` is its stable name.
    pub(super) async fn record<D: Database>(
        &self,
        cx: &Context<'_, D>,
        tx: &Tx<'_, D>,
        chip: &ChipRow,
        reason: &str,
    ) -> Result<(), Error> {
        let step = Step {
            eid_index: &chip.eid_index,
            from: Some(chip.status),
            to: chip.status,
            actor: &Actor::Admin,
            reason,
            task: None,
            sealed_note: Some(self.sealed(cx, chip)?),
        };
        Ok(card_history::insert(tx, &step, cx.now).await?)
    }
}
