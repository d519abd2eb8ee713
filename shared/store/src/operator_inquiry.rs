//! Table `operator_inquiry`: when an operator was last asked about a number, so that it is not asked too often.

use super::operator_report::Topic;
use super::{Database, DbError, Run as _, Tx};
use domain::Timestamp;
use vault::BlindIndex;

const CLAIM: &str = "INSERT INTO operator_inquiry AS q (iccid_index, topic, asked_at, answered) VALUES ($1, $2, $3, 0) \
    ON CONFLICT (iccid_index, topic) DO UPDATE SET asked_at = $3, answered = 0 \
    WHERE (q.answered = 1 AND q.asked_at <= $4) OR (q.answered = 0 AND q.asked_at <= $5) OR q.asked_at > $6 \
    RETURNING topic";
const SETTLE: &str =
    "UPDATE operator_inquiry SET answered = 1 WHERE iccid_index = $1 AND topic = $2 AND asked_at = $3";

/// Claims an inquiry. False when an answer since `fresh_since` is stored, or an inquiry since `asked_since` has no
/// answer yet. A time after `latest` comes from a clock that was set back since, and does not count.
pub async fn claim<D: Database>(
    tx: &Tx<'_, D>,
    iccid: &BlindIndex,
    topic: Topic,
    now: Timestamp,
    (fresh_since, asked_since, latest): (Timestamp, Timestamp, Timestamp),
) -> Result<bool, DbError> {
    let params = [
        iccid.into(),
        topic.code().into(),
        now.into(),
        fresh_since.into(),
        asked_since.into(),
        latest.into(),
    ];
    Ok(!tx.run(CLAIM, &params).await?.is_empty())
}

/// Records that the inquiry of `asked_at` was answered.
pub async fn settle<D: Database>(
    tx: &Tx<'_, D>,
    iccid: &BlindIndex,
    topic: Topic,
    asked_at: Timestamp,
) -> Result<(), DbError> {
    let params = [iccid.into(), topic.code().into(), asked_at.into()];
    tx.run(SETTLE, &params).await.map(drop)
}
