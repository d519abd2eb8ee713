//! §7.2.3.2, §7.2.3.3, §7.2.3.5: a number as a client sees it, its data of this month, and its city.
//!
//! A client sees numbers that are allotted to it, or reserved for or written to one of its chips. What the operator
//! has not reported is unknown; it is never guessed.

use super::{Caller, Context};
use domain::error::{Error, Reason};
use domain::{Iccid, Msisdn, NumberStatus, Province, Timestamp, Volume};
use store::{
    Database, chip, number,
    operator_report::Topic,
    views::{self, NumberFacts},
};
use vault::{BlindIndex, IndexKind};

/// Which number a call is about: at least one of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberRef {
    /// The number.
    Msisdn(Msisdn),
    /// Its card.
    Iccid(Iccid),
    /// Both, which must belong together.
    Both(Msisdn, Iccid),
}

/// A number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberView {
    /// The number.
    pub msisdn: String,
    /// ICCID of its card.
    pub iccid: String,
    /// EID of the chip it is reserved for or written to.
    pub eid: Option<String>,
    /// Province it belongs to.
    pub province: Province,
    /// State of the number.
    pub status: NumberStatus,
    /// When the operator opened it.
    pub open_time: Option<Timestamp>,
    /// The data it used this month.
    pub usage: Option<Usage>,
    /// City in which it was last online, and when.
    pub location: Option<(String, Timestamp)>,
    /// Blind index of the ICCID.
    pub iccid_index: BlindIndex,
    reported_at: [Option<Timestamp>; 4],
}

impl NumberView {
    /// When the operator last reported on a topic.
    #[must_use]
    pub fn reported_at(&self, topic: Topic) -> Option<Timestamp> {
        self.reported_at[topic as usize]
    }
}

/// Data of the current month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The total of the month.
    pub total: Volume,
    /// What is used of the total.
    pub used: Volume,
    /// When the operator counted the data.
    pub as_of: Timestamp,
}

impl Usage {
    /// The total minus what is used.
    #[must_use]
    pub fn remaining(&self) -> Volume {
        self.total.less(self.used)
    }
}

/// Shows a number.
///
/// # Errors
/// [`Reason::UnknownNumber`], also for a number that the caller may not see; [`Reason::ParameterNotApplicable`] when
/// MSISDN and ICCID do not belong together.
pub async fn number_view<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    what: &NumberRef,
) -> Result<NumberView, Error> {
    let facts = visible_number(cx, caller, what).await?;
    view(cx, facts)
}

pub(super) fn view<D>(cx: &Context<'_, D>, facts: NumberFacts) -> Result<NumberView, Error> {
    let row = facts.iccid_index.as_bytes();
    let eid = match &facts.chip {
        None => None,
        Some((index, sealed, _)) => Some(cx.vault.open_identifier(chip::EID, index.as_bytes(), sealed)?),
    };
    let reported_at = [
        facts.usage.map(|(_, _, as_of)| as_of),
        facts.location.as_ref().map(|(_, as_of)| *as_of),
        facts.status_as_of,
        facts.open_time_as_of,
    ];
    let usage = facts
        .usage
        .map(|(total, used, as_of)| Usage { total, used, as_of });
    Ok(NumberView {
        msisdn: cx
            .vault
            .open_identifier(number::MSISDN, row, &facts.msisdn_sealed)?,
        iccid: cx
            .vault
            .open_identifier(number::ICCID, row, &facts.iccid_sealed)?,
        eid,
        province: facts.province,
        status: facts.status,
        open_time: facts.open_time,
        // Data of an earlier month are not data of this month.
        usage: usage.filter(|usage| is_this_month(cx, usage.as_of)),
        location: facts.location,
        iccid_index: facts.iccid_index,
        reported_at,
    })
}

fn is_this_month<D>(cx: &Context<'_, D>, as_of: Timestamp) -> bool {
    let month = |at: Timestamp| {
        let day = at.date_in(cx.zone);
        (day.year(), day.month())
    };
    month(as_of) == month(cx.now)
}

/// A number that the caller may see; otherwise [`Reason::UnknownNumber`].
pub(super) async fn visible_number<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    what: &NumberRef,
) -> Result<NumberFacts, Error> {
    let msisdn_index = |msisdn: &Msisdn| {
        cx.vault
            .blind_index(IndexKind::Msisdn, msisdn.as_str().as_bytes())
    };
    let iccid_index = |iccid: &Iccid| cx.vault.blind_index(IndexKind::Iccid, iccid.as_str().as_bytes());
    let found = match what {
        NumberRef::Msisdn(msisdn) => views::number_by_msisdn(cx.db, &msisdn_index(msisdn)).await?,
        NumberRef::Iccid(iccid) | NumberRef::Both(_, iccid) => {
            views::number_by_iccid(cx.db, &iccid_index(iccid)).await?
        }
    };
    let number = found
        .filter(|number| is_visible(number, caller))
        .ok_or(Reason::UnknownNumber)?;
    match what {
        NumberRef::Both(msisdn, _) if number.msisdn_index != msisdn_index(msisdn) => {
            Err(Error::new(Reason::ParameterNotApplicable).with_detail(
                "msisdn 与 iccid 不对应",
                "msisdn and iccid do not belong together",
            ))
        }
        _ => Ok(number),
    }
}

fn is_visible(number: &NumberFacts, caller: &Caller) -> bool {
    let holder = number.chip.as_ref().map(|(_, _, client)| client);
    holder == Some(&caller.id) || number.client_id.as_ref() == Some(&caller.id)
}
