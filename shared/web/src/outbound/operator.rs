//! Asks an operator's own interface about its numbers.
//!
//! A failed inquiry is only a line in the operator's log: the caller gets the stored report.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};

use crate::connections::Db;
use crate::extract::Call;
use crate::refusal::Refusal;
use domain::error::Error;
use domain::{Msisdn, mask_identifiers};
use operations::operator::{ANSWER_SECS, Inquiry, MAX_ANSWER_BYTES, OperatorApi};
use operations::{
    Caller, Context, LineStatus, NumberRef, NumberView, OpenTimeRef, OpenTimeView, Topic, claim_inquiry,
    number_view, open_time, settle_inquiry,
};

/// A number with its stored report, after the operator was asked if the report is too old.
///
/// # Errors
/// Those of [`number_view`].
pub async fn fresh_number(
    call: &Call,
    caller: &Caller,
    what: &NumberRef,
    topics: &[Topic],
) -> Result<NumberView, Refusal> {
    let context = call.context();
    let number = number_view(&context, caller, what).await?;
    let Some(api) = call.operator()? else {
        return Ok(number);
    };
    let mut is_changed = false;
    for topic in topics {
        if let Some(inquiry) = api.inquiry(*topic)
            && claim_inquiry(&context, &number, *topic, inquiry).await?
        {
            is_changed |= ask(call, &context, (api, inquiry), &number, *topic).await?;
        }
    }
    if is_changed {
        return Ok(number_view(&context, caller, what).await?);
    }
    Ok(number)
}

/// The opening time of a card's number, after the operator was asked if the stored report is too old.
///
/// # Errors
/// Those of [`open_time`].
pub async fn fresh_open_time(
    call: &Call,
    caller: &Caller,
    what: &OpenTimeRef,
) -> Result<OpenTimeView, Refusal> {
    let view = open_time(&call.context(), caller, what).await?;
    if call.operator()?.is_none() || !matches!(view.status, LineStatus::Operator(_)) {
        return Ok(view);
    }
    let msisdn = Msisdn::parse(&view.msisdn).map_err(Error::internal)?;
    let topics = [Topic::Status, Topic::OpenTime];
    fresh_number(call, caller, &NumberRef::Msisdn(msisdn), &topics).await?;
    Ok(open_time(&call.context(), caller, what).await?)
}

async fn ask(
    call: &Call,
    context: &Context<'_, Db>,
    (api, inquiry): (&OperatorApi, &Inquiry),
    number: &NumberView,
    topic: Topic,
) -> Result<bool, Error> {
    let read = exchange(call, api, inquiry, number)
        .await
        .and_then(|body| inquiry.read(topic, &body, context.now).map_err(str::to_owned));
    match read {
        Ok(report) => settle_inquiry(context, number, topic, report).await,
        Err(problem) => {
            let line = serde_json::json!({
                "level": "warn",
                "event": "operator_inquiry_failed",
                "topic": topic.code(),
                "cause": mask_identifiers(&problem),
            });
            call.host().log(&line.to_string());
            Ok(false)
        }
    }
}

async fn exchange(
    call: &Call,
    api: &OperatorApi,
    inquiry: &Inquiry,
    number: &NumberView,
) -> Result<Vec<u8>, String> {
    let (url, headers) = api.request(inquiry, &number.msisdn, &number.iccid);
    let mut request = Request::builder()
        .method(Method::GET)
        .uri(url)
        .header("accept", "application/json");
    for (name, value) in &headers {
        request = request.header(name.as_str(), value.as_str());
    }
    let request = request
        .body(Bytes::new())
        .map_err(|_| "the request cannot be sent".to_owned())?;
    let time = Duration::from_secs(ANSWER_SECS);
    let received = call.host().send(request, MAX_ANSWER_BYTES, time).await?;
    if received.status != 200 {
        return Err(format!("the answer is {}", received.status));
    }
    match received.body {
        Ok(body) if body.len() > MAX_ANSWER_BYTES => Err("the answer is too large".to_owned()),
        Ok(body) => Ok(body),
        Err(reason) => Err(reason.code().to_owned()),
    }
}
