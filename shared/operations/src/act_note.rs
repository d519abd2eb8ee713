//! Who acts on a chip by hand, and why.

use super::Context;
use domain::error::Error;
use store::{card_history, chip::ChipRow};

/// Who acts on a chip by hand, and why. Both are kept in the card's history, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActNote<'a> {
    /// Name of the person.
    pub person: &'a str,
    /// Why.
    pub text: &'a str,
}

impl ActNote<'_> {
    /// Person and words, sealed for the history of `chip`.
    pub(super) fn sealed<D>(&self, cx: &Context<'_, D>, chip: &ChipRow) -> Result<[Vec<u8>; 2], Error> {
        let row = chip.eid_index.as_bytes();
        let seal = |column, text: &str| cx.vault.seal(cx.random, column, row, text.as_bytes());
        Ok([
            seal(card_history::PERSON, self.person)?,
            seal(card_history::NOTE, self.text)?,
        ])
    }
}
