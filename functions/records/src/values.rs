//! Values that only the lists have: how each is read and documented.

use domain::error::Reason;
use domain::{CardStatus, Malformed, NumberStatus};
use operations::{ChipSort, SearchedId};
use utoipa::PartialSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use web::Refusal;
use web::values::{CardState, Eid, Iccid, Imsi, Kind, Msisdn, NumberCode, Parsed};

/// The state of a card that is searched for.
pub(crate) type SearchedCardState = Parsed<CardStateName>;
/// The state of a number that is searched for.
pub(crate) type SearchedNumberState = Parsed<NumberStateName>;
/// By what a list of chips is sorted.
pub(crate) type SearchedSort = Parsed<SortName>;
/// The reason of a refusal that is searched for.
pub(crate) type SearchedReason = Parsed<ReasonName>;

/// A state of Table 2, by its name.
#[derive(Debug)]
pub(crate) struct CardStateName(pub(crate) CardStatus);

/// A state of a number, by its stable name.
#[derive(Debug)]
pub(crate) struct NumberStateName(pub(crate) NumberStatus);

/// A sort of chips, by its stable name.
#[derive(Debug)]
pub(crate) struct SortName(pub(crate) ChipSort);

/// A reason, by its stable name.
#[derive(Debug)]
pub(crate) struct ReasonName(pub(crate) Reason);

/// The words of a value that answers have, under another name.
fn words_of<T: PartialSchema>() -> Object {
    let mut object = match T::schema() {
        RefOr::T(Schema::Object(object)) => object,
        _ => Object::default(),
    };
    object.title = None;
    object
}

impl Kind for CardStateName {
    const NAME: &'static str = "SearchedCardState";

    fn parse(text: &str) -> Result<Self, Malformed> {
        let status = CardStatus::ALL.into_iter().find(|status| status.zh() == text);
        status.map(Self).ok_or(Malformed::new(
            domain::Kind::Value,
            "没有这种卡片状态",
            "no such state of a card",
        ))
    }

    fn object() -> Object {
        words_of::<CardState>()
    }
}

impl Kind for NumberStateName {
    const NAME: &'static str = "SearchedNumberState";

    fn parse(text: &str) -> Result<Self, Malformed> {
        NumberStatus::from_code(text).map(Self).ok_or(Malformed::new(
            domain::Kind::Value,
            "没有这种码号状态",
            "no such state of a number",
        ))
    }

    fn object() -> Object {
        words_of::<NumberCode>()
    }
}

impl Kind for SortName {
    const NAME: &'static str = "ChipSort";

    fn parse(text: &str) -> Result<Self, Malformed> {
        let sort = ChipSort::ALL.into_iter().find(|sort| sort.code() == text);
        sort.map(Self).ok_or(Malformed::new(
            domain::Kind::Value,
            "应为 imported 或 seen",
            "neither imported nor seen",
        ))
    }

    fn object() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "排序依据：导入时间（默认）或最近一次会话 / what a list is sorted by: time of the import, as by default, or last session",
            ))
            .enum_values(Some(ChipSort::ALL.map(ChipSort::code)))
            .examples(["imported"])
            .build()
    }
}

impl Kind for ReasonName {
    const NAME: &'static str = "SearchedReason";

    fn parse(text: &str) -> Result<Self, Malformed> {
        Reason::from_code(text).map(Self).ok_or(Malformed::new(
            domain::Kind::Value,
            "没有这种原因",
            "no such reason",
        ))
    }

    fn object() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("拒绝原因代码 / stable name of the reason of a refusal"))
            .pattern(Some("^[a-z0-9_]{1,64}$"))
            .examples(["province_without_number"])
            .build()
    }
}

/// The one identifier of those that a search names.
///
/// # Errors
/// [`Reason::ParameterNotApplicable`] when it names several.
pub(crate) fn searched(
    eid: Option<Eid>,
    iccid: Option<Iccid>,
    msisdn: Option<Msisdn>,
    imsi: Option<Imsi>,
) -> Result<Option<SearchedId>, Refusal> {
    let named = [
        eid.map(|eid| SearchedId::Eid(eid.get())),
        iccid.map(|iccid| SearchedId::Iccid(iccid.get())),
        msisdn.map(|msisdn| SearchedId::Msisdn(msisdn.get())),
        imsi.map(|imsi| SearchedId::Imsi(imsi.get())),
    ];
    let mut named = named.into_iter().flatten();
    match (named.next(), named.next()) {
        (_, Some(_)) => Err(Reason::ParameterNotApplicable.into()),
        (id, None) => Ok(id),
    }
}
