//! §7.2.3.4: when the number of a card was opened, and its state.
//!
//! A card that holds an operator number shows that one. Before that it uses its temporary number, whose day of opening
//! and time of expiry are known.

use super::chip_view::own_chip;
use super::number_view::{NumberRef, view, visible_number};
use super::{Caller, Context};
use domain::error::{Error, Reason};
use domain::{Eid, Msisdn, NumberStatus, Timestamp, parse_date};
use store::{
    Database, chip,
    views::{self, ChipFacts},
};
use vault::IndexKind;

/// Which card or number a call is about: at least one of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenTimeRef {
    /// The number that a chip uses.
    Eid(Eid),
    /// This number, an operator's or a temporary one.
    Msisdn(Msisdn),
    /// Both, which must belong together.
    Both(Eid, Msisdn),
}

/// State of an operator number, or of a temporary one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineStatus {
    /// An operator number.
    Operator(NumberStatus),
    /// A temporary number in its test period.
    Testing,
    /// A temporary number whose test period is over.
    Expired,
}

impl LineStatus {
    /// Every state.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let operator = NumberStatus::ALL.into_iter().map(Self::Operator);
        operator.chain([Self::Testing, Self::Expired]).collect()
    }

    /// Code, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Operator(status) => status.code(),
            Self::Testing => "testing",
            Self::Expired => "expired",
        }
    }

    /// Name in Chinese.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Operator(status) => status.zh(),
            Self::Testing => "测试期",
            Self::Expired => "已到期",
        }
    }
}

/// When a number was opened, and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTimeView {
    /// The chip that uses it, if any.
    pub eid: Option<String>,
    /// The number.
    pub msisdn: String,
    /// When it was opened, if known.
    pub open_time: Option<Timestamp>,
    /// State of the number.
    pub status: LineStatus,
    /// When it expires; temporary numbers only.
    pub expire_time: Option<Timestamp>,
}

/// Returns when a number was opened.
///
/// # Errors
/// [`Reason::UnknownChip`] and [`Reason::UnknownNumber`], also for those of another client;
/// [`Reason::ParameterNotApplicable`] when EID and number do not belong together.
pub async fn open_time<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    what: &OpenTimeRef,
) -> Result<OpenTimeView, Error> {
    match what {
        OpenTimeRef::Eid(eid) => of_chip(cx, &own_chip(cx, caller, eid).await?).await,
        OpenTimeRef::Msisdn(msisdn) => of_number(cx, caller, msisdn).await,
        OpenTimeRef::Both(eid, msisdn) => {
            own_chip(cx, caller, eid).await?;
            let view = of_number(cx, caller, msisdn).await?;
            if view.eid.as_deref() == Some(eid.as_str()) {
                return Ok(view);
            }
            Err(Error::new(Reason::ParameterNotApplicable)
                .with_detail("eid 与 msisdn 不对应", "eid and msisdn do not belong together"))
        }
    }
}

async fn of_chip<D: Database>(cx: &Context<'_, D>, chip: &ChipFacts) -> Result<OpenTimeView, Error> {
    let Some(written) = &chip.written else {
        return temporary(cx, chip);
    };
    let number = views::number_by_iccid(cx.db, written).await?;
    operator(view(
        cx,
        number.ok_or_else(|| Error::internal("a written number is gone"))?,
    )?)
}

async fn of_number<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    msisdn: &Msisdn,
) -> Result<OpenTimeView, Error> {
    match visible_number(cx, caller, &NumberRef::Msisdn(msisdn.clone())).await {
        Ok(number) => return operator(view(cx, number)?),
        Err(unknown) if unknown.reason() == Reason::UnknownNumber => {}
        Err(other) => return Err(other),
    }
    let index = cx
        .vault
        .blind_index(IndexKind::Msisdn, msisdn.as_str().as_bytes());
    let chip = views::chip_by_temp_msisdn(cx.db, &index).await?;
    let own = chip.filter(|chip| chip.client_id == caller.id);
    temporary(cx, &own.ok_or(Reason::UnknownNumber)?)
}

fn operator(number: super::number_view::NumberView) -> Result<OpenTimeView, Error> {
    Ok(OpenTimeView {
        eid: number.eid,
        msisdn: number.msisdn,
        open_time: number.open_time,
        status: LineStatus::Operator(number.status),
        expire_time: None,
    })
}

fn temporary<D>(cx: &Context<'_, D>, chip: &ChipFacts) -> Result<OpenTimeView, Error> {
    let row = chip.eid_index.as_bytes();
    let opened = parse_date(&chip.temp_opened_on).map_err(|_| Error::internal("an opening day is no day"))?;
    let midnight = Timestamp::midnight(opened, cx.zone);
    let status = if cx.now < chip.temp_expires_at {
        LineStatus::Testing
    } else {
        LineStatus::Expired
    };
    Ok(OpenTimeView {
        eid: Some(cx.vault.open_identifier(chip::EID, row, &chip.eid_sealed)?),
        msisdn: cx
            .vault
            .open_identifier(chip::TEMP_MSISDN, row, &chip.temp_msisdn_sealed)?,
        open_time: Some(midnight),
        status,
        expire_time: Some(chip.temp_expires_at),
    })
}
