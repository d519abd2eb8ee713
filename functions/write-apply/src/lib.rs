//! `/v1/write/apply`, §7.2.2.2: apply for a card to be written, with a designated number or one of a province.
//!
//! The operation validates the parameters itself, because `write_type` says which others are read, and because an
//! application that names a number it does not apply for changes the state of the card (§6.3 Table 2, 申请失败).

#![forbid(unsafe_code)]

use domain::error::Reason;
use operations::ApplyRequest;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::as_sent::{AsSent, Checked, Checks, refusal};
use web::extract::permits::WriteApply;
use web::extract::{Call, Caller};
use web::values::{CardState, Eid, Iccid, Msisdn, ProvinceCode, TaskId, WriteType};
use web::{Answer, Routes, Success, codes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new().routes(routes!(apply as "write.apply", apply_by_post as "write.apply"))
}

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterNotApplicable,
    Reason::EidMalformed,
    Reason::WriteTypeMalformed,
    Reason::ProvinceMalformed,
    Reason::IccidMalformed,
    Reason::MsisdnMalformed,
    Reason::UnknownChip,
    Reason::UnknownNumber,
    Reason::ChipFaulty,
    Reason::ChipBlocked,
    Reason::AllowanceExhausted,
    Reason::AlreadyWritten,
    Reason::ApplicationPending,
    Reason::TemporaryNumberExpired,
    Reason::ProvinceWithoutNumber,
    Reason::ProvinceNotServed,
    Reason::NumberMismatch,
    Reason::NumberTaken,
    Reason::NumberSuspended,
];

// Required parameters are optional here: the operation refuses an application without them.
/// An application.
#[derive(Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"eid": "89086030202200000000000000000123", "write_type": "1", "province_code": "37"})))]
struct Application {
    /// 芯片 EID / EID of the chip
    #[param(value_type = Eid, inline)]
    #[schema(value_type = Eid)]
    eid: Option<String>,
    /// 写卡方式：0 指定，1 自动 / 0 designated, 1 automatic
    #[param(value_type = WriteType, inline)]
    #[schema(value_type = WriteType)]
    write_type: Option<String>,
    /// 省份编码，自动分配时必填，指定写卡时不读取 / province code, for automatic writing; not read for designated writing
    #[param(value_type = Option<ProvinceCode>, inline)]
    #[schema(value_type = ProvinceCode, required = false)]
    province_code: Option<String>,
    /// ICCID，指定写卡时必填 / ICCID, for designated writing
    #[param(value_type = Option<Iccid>, inline)]
    #[schema(value_type = Iccid, required = false)]
    iccid: Option<String>,
    /// 13 位物联网号码，指定写卡时必填 / 13-digit IoT number, for designated writing
    #[param(value_type = Option<Msisdn>, inline)]
    #[schema(value_type = Msisdn, required = false)]
    msisdn: Option<String>,
}

impl Application {
    fn request(&self) -> ApplyRequest<'_> {
        ApplyRequest {
            eid: self.eid.as_deref().unwrap_or_default(),
            write_type: self.write_type.as_deref().unwrap_or_default(),
            province_code: self.province_code.as_deref().unwrap_or_default(),
            iccid: self.iccid.as_deref().unwrap_or_default(),
            msisdn: self.msisdn.as_deref().unwrap_or_default(),
        }
    }
}

impl Checks for Application {
    fn checked(&self) -> Vec<Checked> {
        let write_type = self.write_type.as_deref().map(domain::WriteType::parse);
        let is_designated = write_type == Some(Ok(domain::WriteType::Designated));
        let province = self.province_code.as_deref().filter(|_| !is_designated);
        vec![
            Checked::required::<domain::Eid>("eid", self.eid.as_deref()),
            Checked::required::<domain::WriteType>("write_type", self.write_type.as_deref()),
            Checked::optional::<domain::Province>("province_code", province),
            Checked::optional::<domain::Iccid>("iccid", self.iccid.as_deref()),
            Checked::optional::<domain::Msisdn>("msisdn", self.msisdn.as_deref()),
        ]
    }
}

/// An accepted application.
#[derive(Serialize, ToSchema)]
struct Applied {
    /// 写卡任务 ID / identifier of the task
    #[schema(value_type = TaskId)]
    task_id: String,
    /// 卡片状态 / state of the card
    card_status: CardState,
}

/// Applies for a card to be written. The same application again answers the same task.
#[utoipa::path(
    get,
    path = "/v1/write/apply",
    summary = "提交写卡申请；参数相同的重复申请返回同一任务 / Apply for a card to be written; the same application again \
        answers the same task (§7.2.2.2)",
    params(Application),
    responses((status = 200, body = Success<Applied>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
async fn apply(
    call: Call,
    caller: Caller<WriteApply>,
    AsSent(application): AsSent<Application>,
) -> Answer<Applied> {
    let applied = operations::apply(&call.context(), &caller, &application.request())
        .await
        .map_err(|error| refusal(error, application.checked()))?;
    let answer = Success::new(Applied {
        task_id: applied.task_id.text(),
        card_status: CardState(applied.card_status.zh()),
    });
    Ok(answer.about(applied.task_id))
}

/// The same by POST, with the parameters as a form or as JSON.
#[utoipa::path(
    post,
    path = "/v1/write/apply",
    summary = "提交写卡申请；参数相同的重复申请返回同一任务 / Apply for a card to be written; the same application again \
        answers the same task (§7.2.2.2)",
    request_body(content((Application = "application/x-www-form-urlencoded"), (Application = "application/json"))),
    responses((status = 200, body = Success<Applied>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
async fn apply_by_post(call: Call, caller: Caller<WriteApply>, sent: AsSent<Application>) -> Answer<Applied> {
    apply(call, caller, sent).await
}

#[cfg(test)]
mod tests {
    use super::Application;
    use domain::error::{Error, Reason};
    use web::as_sent::{Checks as _, refusal};

    #[test]
    fn a_designated_application_may_carry_any_province() {
        let names = |write_type: &str| {
            let sent = serde_json::json!({"write_type": write_type, "province_code": "?", "iccid": "?"});
            let application: Application = serde_json::from_value(sent).unwrap();
            refusal(Reason::IccidMalformed.into(), application.checked()).count()
        };
        // The ICCID, the EID that is missing, and where it is read the province.
        assert_eq!((names("0"), names("1")), (2, 3));
    }

    #[test]
    fn every_parameter_is_checked_as_its_kind_under_its_name() {
        let names = ["eid", "write_type", "province_code", "iccid", "msisdn"];
        let sent: serde_json::Map<String, serde_json::Value> = names
            .iter()
            .map(|name| ((*name).to_owned(), "?".into()))
            .collect();
        let application: Application = serde_json::from_value(sent.into()).unwrap();
        for name in names {
            let refused = Error::new(Reason::ParameterNotApplicable).with_detail(name, name);
            assert_eq!(
                refusal(refused, application.checked()).count(),
                names.len(),
                "{name}"
            );
        }
        for reason in [
            Reason::EidMalformed,
            Reason::WriteTypeMalformed,
            Reason::ProvinceMalformed,
            Reason::IccidMalformed,
            Reason::MsisdnMalformed,
        ] {
            let refused = refusal(reason.into(), application.checked());
            assert_eq!((refused.reason(), refused.count()), (reason, names.len()));
        }
    }
}
