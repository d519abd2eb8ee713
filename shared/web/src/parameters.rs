//! Parameters that several operations take (clause 7.2): one of two, or both if they belong together (二选一).

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::extract::Call;
use super::refusal::{Problem, Refusal};
use super::values::{Eid, Iccid, Msisdn, TaskId};
use domain::error::{Error, Reason};
use operations::{Caller, NumberRef, TaskRef, status};

/// A card's task.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TaskOrEid {
    /// 芯片 EID，与 task_id 二选一 / EID of the chip; this or task_id
    #[param(inline)]
    #[schema(value_type = Eid, required = false)]
    eid: Option<Eid>,
    /// 写卡任务 ID，与 eid 二选一 / identifier of the task; this or eid
    #[param(inline)]
    #[schema(value_type = TaskId, required = false)]
    task_id: Option<TaskId>,
}

impl TaskOrEid {
    /// The task: by its identifier, or the latest of the card.
    ///
    /// # Errors
    /// [`Reason::ParameterMissing`]; [`Reason::ParameterNotApplicable`] when both are given and do not belong together;
    /// those of [`operations::status`].
    pub async fn task(&self, call: &Call, caller: &Caller) -> Result<TaskRef, Refusal> {
        match (&self.eid, &self.task_id) {
            (None, None) => Err(either("eid", "task_id")),
            (Some(eid), None) => Ok(TaskRef::Eid(**eid)),
            (None, Some(task)) => Ok(TaskRef::Task(**task)),
            (Some(eid), Some(task)) => {
                let task = TaskRef::Task(**task);
                if status(&call.context(), caller, &task).await?.eid == **eid {
                    return Ok(task);
                }
                Err(Error::new(Reason::ParameterNotApplicable)
                    .with_detail("eid 与 task_id 不对应", "eid and task_id do not belong together")
                    .into())
            }
        }
    }
}

/// A number.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MsisdnOrIccid {
    /// 13 位物联网号码，与 iccid 二选一 / 13-digit IoT number; this or iccid
    #[param(inline)]
    msisdn: Option<Msisdn>,
    /// ICCID，与 msisdn 二选一 / ICCID; this or msisdn
    #[param(inline)]
    iccid: Option<Iccid>,
}

impl MsisdnOrIccid {
    /// Why an operation on a number refuses, besides the reasons that every operation has.
    pub const REASONS: &[Reason] = &[
        Reason::ParameterMissing,
        Reason::ParameterNotApplicable,
        Reason::MsisdnMalformed,
        Reason::IccidMalformed,
        Reason::UnknownNumber,
    ];

    /// The number.
    ///
    /// # Errors
    /// [`Reason::ParameterMissing`].
    pub fn number(self) -> Result<NumberRef, Refusal> {
        match (self.msisdn, self.iccid) {
            (Some(msisdn), Some(iccid)) => Ok(NumberRef::Both(msisdn.get(), iccid.get())),
            (Some(msisdn), None) => Ok(NumberRef::Msisdn(msisdn.get())),
            (None, Some(iccid)) => Ok(NumberRef::Iccid(iccid.get())),
            (None, None) => Err(either("msisdn", "iccid")),
        }
    }
}

/// The refusal of a call that names neither of two parameters.
#[must_use]
pub fn either(first: &str, second: &str) -> Refusal {
    let error = Error::new(Reason::ParameterMissing)
        .with_detail(format!("{first} 或 {second}"), format!("{first} or {second}"));
    Problem::of_error(&format!("{first}|{second}"), error).into()
}
