//! The end of the quarantine of numbers after a backup was restored (§9.1.2).

use domain::error::{Error, Reason};
use operations::{ActNote, Proven, end_quarantine};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::values::{ActReason, Iccid, ImportId, Person};
use web::{Answer, Success, codes};

/// Why it is not ended, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::ParameterNotApplicable,
    Reason::IccidMalformed,
    Reason::BodyTooLarge,
    Reason::UnknownNumber,
    Reason::UnknownImport,
];

/// Which numbers no card has (one of the three), who says so, and on what evidence.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Evidence {
    /// 码号的 ICCID，至多 1,000 个 / ICCIDs of the numbers, up to 1,000
    #[schema(max_items = 1000)]
    iccids: Option<Vec<Iccid>>,
    /// 导入标识：该次导入的全部码号 / identifier of an import: all its numbers
    import_id: Option<ImportId>,
    /// 为 true 时，此后导入的码号不再隔离 / true: numbers that are imported from now on are not quarantined
    new_imports: Option<bool>,
    /// 操作人 / the person who ends it
    person: Person,
    /// 未被写入任何卡片的依据，如运营商核对单编号 / the evidence that no card has them, such as the operator's list
    reference: ActReason,
}

/// How many numbers may be given out again.
#[derive(Serialize, ToSchema)]
pub(crate) struct QuarantineEnded {
    /// 解除隔离的码号数量 / how many numbers were quarantined before
    released: usize,
}

/// Ends the quarantine of numbers: all of them or none.
#[utoipa::path(
    post,
    path = "/admin/v1/numbers:end-quarantine",
    summary = "解除恢复备份后的码号隔离 / End the quarantine of numbers after a restore (§9.1.2)",
    request_body = Evidence,
    responses((status = 200, body = Success<QuarantineEnded>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn end(
    call: Call,
    _: Staff<rights::NumbersEndQuarantine>,
    Json(evidence): Json<Evidence>,
) -> Answer<QuarantineEnded> {
    let fields = "iccids, import_id, new_imports";
    let refused = |reason: Reason| Err(Error::new(reason).with_detail(fields, fields).into());
    let new_imports = evidence.new_imports == Some(true);
    let iccids: Option<Vec<_>> = evidence
        .iccids
        .map(|iccids| iccids.into_iter().map(Iccid::get).collect());
    let proven = match (&iccids, evidence.import_id.map(ImportId::get), new_imports) {
        (Some(iccids), None, false) => Proven::Numbers(iccids),
        (None, Some(import), false) => Proven::Import(import),
        (None, None, true) => Proven::NewImports,
        (None, None, false) => return refused(Reason::ParameterMissing),
        _ => return refused(Reason::ParameterNotApplicable),
    };
    let note = ActNote {
        person: &evidence.person.0,
        text: &evidence.reference.0,
    };
    let released = end_quarantine(&call.context(), proven, &note).await?;
    Ok(Success::new(QuarantineEnded { released }))
}
