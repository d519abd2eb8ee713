//! Asking an operator about a number: whether to ask now, and storing the answer.

use super::Context;
use super::ingest::{OperatorReport, take_answer};
use super::number_view::NumberView;
use crate::operator::Inquiry;
use domain::error::Error;
use domain::{MAX_CLOCK_SKEW_MS, Timestamp};
use store::operator_report::Topic;
use store::{Database, operator_inquiry, transaction};

/// Claims an inquiry to the operator about a number. False when the stored report is fresh enough or another call has
/// just asked: of many calls at the same time one asks, and the others use the stored report.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn claim_inquiry<D: Database>(
    cx: &Context<'_, D>,
    number: &NumberView,
    topic: Topic,
    inquiry: &Inquiry,
) -> Result<bool, Error> {
    // A later time comes from a clock that was set back since.
    let latest = cx.now.plus(MAX_CLOCK_SKEW_MS);
    let fresh_since = cx.now.plus(-inquiry.max_age_ms());
    if number
        .reported_at(topic)
        .is_some_and(|at| at > fresh_since && at <= latest)
    {
        return Ok(false);
    }
    let times = (fresh_since, cx.now.plus(-inquiry.retry_ms()), latest);
    // A claim that a power failure takes back costs one more inquiry.
    transaction(cx.journal, async |tx| {
        Ok(operator_inquiry::claim(tx, &number.iccid_index, topic, cx.now, times).await?)
    })
    .await
}

/// Stores an answer; true when it changed the stored report.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn settle_inquiry<D: Database>(
    cx: &Context<'_, D>,
    number: &NumberView,
    topic: Topic,
    (as_of, reported): (Timestamp, OperatorReport),
) -> Result<bool, Error> {
    transaction(cx.journal, async |tx| {
        let settled = operator_inquiry::settle(tx, &number.iccid_index, topic, cx.now).await;
        settled.map_err(Error::from)
    })
    .await?;
    take_answer(cx, &number.iccid_index, as_of, reported).await
}
