//! §8.2.2: the register of faulty chips, for quality control.

use super::super::Context;
use super::super::unreadable::RowOpener;
use domain::error::Error;
use domain::{Kind, Malformed, Timestamp, all_digits};
use store::{
    Database,
    chip::{self, FaultyRow},
};

/// Most chips of one page.
pub const MAX_FAULTY_PER_PAGE: u32 = 1_000;

/// A faulty chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultyChip {
    /// Its EID; none if it cannot be opened.
    pub eid: Option<String>,
    /// The client it belongs to.
    pub client_id: String,
    /// Model of the chip.
    pub chip_model: String,
    /// Since when it is in the register.
    pub since: Timestamp,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// Where a page of the register ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultyCursor {
    at: Timestamp,
    above: Vec<u8>,
}

impl FaultyCursor {
    /// Reads the text of a cursor.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let read = || {
            let (at, above) = text.split_once('-')?;
            let at = at.parse().ok().filter(|_| all_digits(at)).map(Timestamp)?;
            let above = hex::decode(above).ok()?;
            Some(Self { at, above })
        };
        read().ok_or(Malformed::new(
            Kind::Value,
            "应为上一页返回的 next",
            "not the next of a page before",
        ))
    }

    /// The cursor as text.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}-{}", self.at.millis(), hex::encode(&self.above))
    }
}

/// A page of faulty chips, the latest entry first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultyPage {
    /// The chips.
    pub chips: Vec<FaultyChip>,
    /// Where the next page begins, if there may be one.
    pub next: Option<FaultyCursor>,
}

/// Returns a page of the register of faulty chips. An EID that cannot be opened hides no other chip.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn faulty_chips<D: Database>(
    cx: &Context<'_, D>,
    cursor: Option<FaultyCursor>,
    limit: u32,
) -> Result<FaultyPage, Error> {
    let limit = limit.clamp(1, MAX_FAULTY_PER_PAGE);
    let (at, above) = cursor.map_or((Timestamp(i64::MAX), Vec::new()), |cursor| {
        (cursor.at, cursor.above)
    });
    let rows = chip::faulty(cx.db, at, above, limit).await?;
    let last = rows.last().filter(|_| rows.len() == limit as usize);
    let next = last.map(|row| FaultyCursor {
        at: row.since,
        above: row.eid_index.as_bytes().to_vec(),
    });
    Ok(FaultyPage {
        chips: rows.into_iter().map(|row| view(cx, row)).collect(),
        next,
    })
}

fn view<D>(cx: &Context<'_, D>, row: FaultyRow) -> FaultyChip {
    let mut opener = RowOpener::new(cx, row.eid_index.as_bytes());
    FaultyChip {
        eid: opener.text("eid", chip::EID, Some(&row.eid_sealed)),
        client_id: row.client_id.as_str().to_owned(),
        chip_model: row.chip_model,
        since: row.since,
        unreadable: opener.unreadable,
    }
}
