//! §8.2.2: the register of faulty chips, for quality control.

use super::super::Context;
use super::super::list_page::ListPage;
use super::super::unreadable::RowOpener;
use domain::Timestamp;
use domain::error::Error;
use store::{
    Database, ListKey, chip,
    chip_fault::{self, FaultRow},
};

/// Most entries of one page.
pub const MAX_FAULTY_PER_PAGE: u32 = 1_000;

/// An entry of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultyChip {
    /// Its EID; none if it cannot be opened.
    pub eid: Option<String>,
    /// The client it belongs to.
    pub client_id: String,
    /// Model of the chip when it was entered.
    pub chip_model: String,
    /// Firmware of the chip when it was entered, if it was named.
    pub firmware: Option<String>,
    /// Stable name of the fault, or of why the chip was entered.
    pub fault: String,
    /// Status word with which it failed, if a command did.
    pub status_word: Option<String>,
    /// When it was entered.
    pub since: Timestamp,
    /// When it was taken out, if it was.
    pub until: Option<Timestamp>,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// Returns a page of the register of faulty chips; with `removed_too` also the entries of chips that were taken out. An
/// EID that cannot be opened hides no other chip.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn faulty_chips<D: Database>(
    cx: &Context<'_, D>,
    removed_too: bool,
    cursor: Option<ListKey>,
    limit: u32,
) -> Result<ListPage<FaultyChip>, Error> {
    let limit = limit.clamp(1, MAX_FAULTY_PER_PAGE);
    let from = cursor.unwrap_or_else(|| ListKey::first(Timestamp(i64::MAX)));
    let rows = chip_fault::page(cx.db, from, removed_too, limit).await?;
    let last = rows.last().filter(|_| rows.len() == limit as usize);
    let next = last.map(|row| ListKey {
        at: row.entered_at,
        index: row.eid_index.as_bytes().to_vec(),
        seq: row.seq,
    });
    Ok(ListPage {
        rows: rows.into_iter().map(|row| view(cx, row)).collect(),
        next,
    })
}

fn view<D>(cx: &Context<'_, D>, row: FaultRow) -> FaultyChip {
    let mut opener = RowOpener::new(cx, row.eid_index.as_bytes());
    FaultyChip {
        eid: opener.identifier("eid", chip::EID, Some(&row.eid_sealed)),
        client_id: row.client_id.as_str().to_owned(),
        chip_model: row.chip_model,
        firmware: row.firmware,
        fault: row.fault,
        status_word: row.status_word,
        since: row.entered_at,
        until: row.removed_at,
        unreadable: opener.unreadable,
    }
}
