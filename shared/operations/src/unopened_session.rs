//! Sessions that ended before they asked for work: kept, so that an administrator sees why.
//!
//! Never changes a card, a task or an allowance.

use super::Context;
use domain::error::{Error, Reason};
use store::device_session::{self, UnopenedSession};
use store::{Database, Tx, chip};

/// Longest reason that is kept, in characters.
const MAX_REASON_CHARS: usize = 64;
/// Longest peer address that is kept, in characters.
const MAX_PEER_CHARS: usize = 256;
/// What a reason that is no stable word is kept as.
const OTHER: &str = "other";

/// The reason, if it is one stable snake_case word: lists are searched by it.
pub(super) fn end_reason(reason: &str) -> &str {
    let is_word = (1..=MAX_REASON_CHARS).contains(&reason.len())
        && reason
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_word { reason } else { OTHER }
}

/// Keeps the end of a session that was never opened.
///
/// # Errors
/// [`Reason::UnknownChip`].
pub(super) async fn record<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    session: UnopenedSession<'_>,
) -> Result<(), Error> {
    let chip = chip::by_eid(tx, session.eid_index).await?;
    let chip = chip.ok_or(Reason::UnknownChip)?;
    let peer: String = session.peer.chars().take(MAX_PEER_CHARS).collect();
    let allowance = i64::try_from(chip.remaining_bytes()).unwrap_or(i64::MAX);
    let session = UnopenedSession {
        peer: &peer,
        reason: end_reason(session.reason),
        ..session
    };
    Ok(device_session::insert_unopened(tx, &session, allowance, cx.now).await?)
}

#[cfg(test)]
mod tests {
    use super::end_reason;

    #[test]
    fn a_reason_is_one_stable_word() {
        assert_eq!(end_reason("work_not_understood"), "work_not_understood");
        for text in ["", "Bad", "a b", "é", &"a".repeat(65)] {
            assert_eq!(end_reason(text), "other", "{text:?}");
        }
    }
}
