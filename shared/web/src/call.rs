//! A call, as a handler receives it.

use std::net::IpAddr;

use serde::de::DeserializeOwned;

use super::params::{Param, Params};
use super::query::unreadable_document;
use super::refusal::Refusal;
use super::settings::Settings;
use domain::error::{Error, Lang, Reason};
use domain::{Eid, Iccid, Msisdn, TaskId, Timestamp};
use operations::{Caller, Context, NumberRef, OpenTimeRef, TaskRef, status};
use store::Database;

/// A call that passed every check of its interface.
pub struct Call<'a, D> {
    /// The inputs of operations.
    pub cx: &'a Context<'a, D>,
    /// The configuration of the component.
    pub settings: &'a Settings,
    /// The parameters.
    pub params: Params,
    /// The body of a POST with a document or a file; empty otherwise.
    pub body: &'a [u8],
    /// The true address of the caller.
    pub from: IpAddr,
    /// The language the caller reads.
    pub lang: Lang,
    pub(super) caller: Option<Caller>,
}

impl<D: Database> Call<'_, D> {
    /// The client behind the call's token.
    ///
    /// # Errors
    /// An internal error on interfaces that ask for no token.
    pub fn caller(&self) -> Result<&Caller, Error> {
        self.caller
            .as_ref()
            .ok_or_else(|| Error::internal("this interface has no client"))
    }

    /// The JSON document in the body.
    ///
    /// # Errors
    /// The field that is missing, unknown or repeated, or [`Reason::BadJson`] with the position; never the text.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        // The library would also fill a struct from an array, field by field.
        if !self.body.trim_ascii_start().starts_with(b"{") {
            return Err(Reason::BadJson.into());
        }
        serde_json::from_slice(self.body).map_err(|problem| unreadable_document(&problem))
    }

    /// The task of the call: `eid` or `task_id` (二选一). Both may be given if they belong together.
    ///
    /// # Errors
    /// [`Reason::ParameterMissing`]; [`Reason::ParameterNotApplicable`] when they do not belong together; the errors
    /// of the parameters and of [`operations::status`].
    pub async fn task_ref(&self) -> Result<TaskRef, Refusal> {
        self.params.require_either(Param::Eid, Param::TaskId)?;
        let eid = self.params.optional(Param::Eid, Eid::parse)?;
        let task_id = self.params.optional(Param::TaskId, TaskId::parse)?;
        let (Some(task_id), eid) = (task_id, &eid) else {
            return eid
                .map(TaskRef::Eid)
                .ok_or_else(|| Reason::ParameterMissing.into());
        };
        let task = TaskRef::Task(task_id);
        if let Some(eid) = eid
            && status(self.cx, self.caller()?, &task).await?.eid != *eid
        {
            let error = Error::new(Reason::ParameterNotApplicable);
            return Err(error
                .with_detail("eid 与 task_id 不对应", "eid and task_id do not belong together")
                .into());
        }
        Ok(task)
    }

    /// The number of the call: `msisdn` or `iccid` (二选一), or both if they belong together.
    ///
    /// # Errors
    /// [`Reason::ParameterMissing`] and the errors of the parameters.
    pub fn number_ref(&self) -> Result<NumberRef, Refusal> {
        self.params.require_either(Param::Msisdn, Param::Iccid)?;
        let msisdn = self.params.optional(Param::Msisdn, Msisdn::parse)?;
        let iccid = self.params.optional(Param::Iccid, Iccid::parse)?;
        match (msisdn, iccid) {
            (Some(msisdn), Some(iccid)) => Ok(NumberRef::Both(msisdn, iccid)),
            (Some(msisdn), None) => Ok(NumberRef::Msisdn(msisdn)),
            (None, Some(iccid)) => Ok(NumberRef::Iccid(iccid)),
            (None, None) => Err(Reason::ParameterMissing.into()),
        }
    }

    /// The card or number of the call: `eid` or `msisdn` (二选一), or both if they belong together.
    ///
    /// # Errors
    /// [`Reason::ParameterMissing`] and the errors of the parameters.
    pub fn open_time_ref(&self) -> Result<OpenTimeRef, Refusal> {
        self.params.require_either(Param::Eid, Param::Msisdn)?;
        let eid = self.params.optional(Param::Eid, Eid::parse)?;
        let msisdn = self.params.optional(Param::Msisdn, Msisdn::parse)?;
        match (eid, msisdn) {
            (Some(eid), Some(msisdn)) => Ok(OpenTimeRef::Both(eid, msisdn)),
            (Some(eid), None) => Ok(OpenTimeRef::Eid(eid)),
            (None, Some(msisdn)) => Ok(OpenTimeRef::Msisdn(msisdn)),
            (None, None) => Err(Reason::ParameterMissing.into()),
        }
    }

    /// The refusal of a call whose path has no interface.
    pub fn nowhere(&self) -> Refusal {
        Reason::RouteUnknown.into()
    }

    /// The line for the operator's log when a periodic job failed.
    pub fn failed_job(&self, job: &str, error: &Error) -> String {
        super::log::failed_job(job, error)
    }

    /// A time in answers: RFC 3339 with the offset of the platform's zone at that time.
    pub fn text_of(&self, time: Timestamp) -> String {
        time.to_rfc3339(self.cx.zone)
    }
}
