//! Asks an operator's own interface from a component, with limits of time and size.
//!
//! A failed inquiry is only a line in the operator's log: the caller gets the stored report.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use spin_sdk::http::{FullBody, send};
use spin_sdk::wasip3::http_compat::Request;

use super::body::{read_bounded, within};
use super::database::Connection;
use super::problem::describe;
use super::variables::{secret, text};
use domain::error::Error;
use domain::{Msisdn, mask_identifiers};
use operations::operator::{ANSWER_SECS, Inquiry, MAX_ANSWER_BYTES, OperatorApi};
use operations::{
    LineStatus, NumberRef, NumberView, OpenTimeRef, OpenTimeView, Topic, claim_inquiry, number_view,
    open_time, settle_inquiry,
};
use web::{Call, Refusal};

thread_local! {
    static API: RefCell<Option<Rc<Option<OperatorApi>>>> = const { RefCell::new(None) };
}

/// The configured operator interface, if any; read once per instance. It is not part of `Settings`, so that components
/// that ask no operator do not contain it.
async fn api() -> Result<Rc<Option<OperatorApi>>, Error> {
    if let Some(api) = API.with_borrow(Option::clone) {
        return Ok(api);
    }
    let api = OperatorApi::parse(&text("operator_api").await?, secret("operator_credential").await?);
    let api = api.map_err(|problem| Error::internal(format!("variable operator_api: {problem}")))?;
    let api = Rc::new(api);
    API.set(Some(Rc::clone(&api)));
    Ok(api)
}

/// A number with its stored report, after the operator was asked if the report is too old.
pub async fn fresh_number(
    call: &Call<'_, Connection>,
    what: &NumberRef,
    topics: &[Topic],
) -> Result<NumberView, Refusal> {
    let number = number_view(call.cx, call.caller()?, what).await?;
    let api = api().await?;
    let Some(api) = &*api else {
        return Ok(number);
    };
    let mut is_changed = false;
    for topic in topics {
        if let Some(inquiry) = api.inquiry(*topic)
            && claim_inquiry(call.cx, &number, *topic, inquiry).await?
        {
            is_changed |= ask(call, api, inquiry, &number, *topic).await?;
        }
    }
    if is_changed {
        return Ok(number_view(call.cx, call.caller()?, what).await?);
    }
    Ok(number)
}

/// The opening time of a card's number, after the operator was asked if the stored report is too old.
pub async fn fresh_open_time(
    call: &Call<'_, Connection>,
    what: &OpenTimeRef,
) -> Result<OpenTimeView, Refusal> {
    let view = open_time(call.cx, call.caller()?, what).await?;
    if api().await?.is_none() || !matches!(view.status, LineStatus::Operator(_)) {
        return Ok(view);
    }
    let msisdn = Msisdn::parse(&view.msisdn).map_err(Error::internal)?;
    fresh_number(
        call,
        &NumberRef::Msisdn(msisdn),
        &[Topic::Status, Topic::OpenTime],
    )
    .await?;
    Ok(open_time(call.cx, call.caller()?, what).await?)
}

async fn ask(
    call: &Call<'_, Connection>,
    api: &OperatorApi,
    inquiry: &Inquiry,
    number: &NumberView,
    topic: Topic,
) -> Result<bool, Error> {
    let time = Duration::from_secs(ANSWER_SECS);
    let answer = within(time, exchange(api, inquiry, number, time)).await;
    let read = answer
        .unwrap_or_else(|| Err("no answer in time".to_owned()))
        .and_then(|body| inquiry.read(topic, &body, call.cx.now).map_err(str::to_owned));
    match read {
        Ok(report) => settle_inquiry(call.cx, number, topic, report).await,
        Err(problem) => {
            let line = serde_json::json!({
                "level": "warn",
                "event": "operator_inquiry_failed",
                "topic": topic.code(),
                "cause": mask_identifiers(&problem),
            });
            eprintln!("{line}");
            Ok(false)
        }
    }
}

async fn exchange(
    api: &OperatorApi,
    inquiry: &Inquiry,
    number: &NumberView,
    time: Duration,
) -> Result<Vec<u8>, String> {
    let (url, headers) = api.request(inquiry, &number.msisdn, &number.iccid);
    let mut request = Request::builder()
        .method("GET")
        .uri(url)
        .header("accept", "application/json");
    for (name, value) in &headers {
        request = request.header(name.as_str(), value.as_str());
    }
    let request = request
        .body(FullBody::new(Bytes::new()))
        .map_err(|_| "the request cannot be sent".to_owned())?;
    let response = send(request)
        .await
        .map_err(|problem| describe(&problem).to_owned())?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(format!("the answer is {status}"));
    }
    let body = read_bounded(response.into_body(), MAX_ANSWER_BYTES, time).await;
    match body {
        Ok(body) if body.len() > MAX_ANSWER_BYTES => Err("the answer is too large".to_owned()),
        Ok(body) => Ok(body),
        Err(reason) => Err(reason.code().to_owned()),
    }
}
