//! A clock that jumps destroys nothing. After a gap of more than 24 h between two runs of the periodic work the time is
//! held: what destroys or expires by time waits until a person confirms the time, or the clock comes back. What a wrong
//! clock has put off is taken up again.

use crate::alerts::{NewAlert, raise};
use crate::clients::MAX_OVERLAP_SECS;
use crate::job_run::Done;
use crate::messages::{LEASE_MS, MAX_PUT_OFF_MS};
use crate::{Context, transaction};
use domain::error::{Error, Reason};
use domain::{AlertKind, ClockWatch, MAX_CLOCK_SKEW_MS, MINUTE_MS, SECOND_MS, Timestamp};
use store::{
    Database, Subject,
    clock::{self, Ahead},
};

/// How far ahead stored times may lie, with room for nodes whose clocks differ.
const AHEAD: Ahead = Ahead {
    past: MAX_CLOCK_SKEW_MS,
    lease: LEASE_MS + MAX_CLOCK_SKEW_MS,
    // A wait grows by up to a tenth.
    attempt: MAX_PUT_OFF_MS + MAX_PUT_OFF_MS / 10 + MAX_CLOCK_SKEW_MS,
    overlap: MAX_OVERLAP_SECS as i64 * SECOND_MS + MAX_CLOCK_SKEW_MS,
};
/// A trusted time is stored again after this time, in milliseconds.
const STORED_EVERY_MS: i64 = MINUTE_MS;

/// Watches the clock at the beginning of a run of the periodic work. True while it is held.
///
/// # Errors
/// [`Reason::Unavailable`] when the database is busy; then nothing may be destroyed either.
pub async fn watch_clock<D: Database>(cx: &Context<'_, D>, is_trusted: bool) -> Result<bool, Error> {
    let see = |known: ClockWatch| {
        let is_watched = is_trusted;
        ClockWatch { is_watched, ..known }.seen(cx.now)
    };
    let known = clock::find(cx.db).await?;
    let next = see(known);
    let is_stored = |at: Timestamp| at <= cx.now && cx.now < at.plus(STORED_EVERY_MS);
    let but_time = |watch: ClockWatch| (watch.left_at, watch.held_at, watch.is_watched);
    let is_same = but_time(next) == but_time(known);
    if is_same && (next.held_at.is_some() || known.trusted_at.is_some_and(is_stored)) {
        return Ok(next.held_at.is_some());
    }
    transaction(cx, async |tx| {
        let known = clock::find(tx).await?;
        let next = see(known);
        clock::put(tx, &next).await?;
        if let (Some(held), None) = (next.held_at, known.held_at) {
            let trusted = next.trusted_at.unwrap_or(held);
            let alert = NewAlert {
                kind: AlertKind::ClockHeld,
                subject: &Subject::platform(),
                fields: vec![
                    ("trusted_at", trusted.to_rfc3339(cx.zone)),
                    ("held_at", held.to_rfc3339(cx.zone)),
                ],
            };
            raise(cx, tx, alert).await?;
        }
        Ok(next.held_at.is_some())
    })
    .await
}

/// What is known of the clock.
///
/// # Errors
/// [`Reason::Unavailable`] when the database is busy.
pub async fn clock_watch<D: Database>(cx: &Context<'_, D>) -> Result<ClockWatch, Error> {
    Ok(clock::find(cx.db).await?)
}

/// A person confirms the time, by the time that he reads elsewhere. Who and why are stored, sealed. True when the clock
/// was held; otherwise nothing changes but the trusted time.
///
/// # Errors
/// [`Reason::ClockDiffers`] when `time` is further from the platform's than [`MAX_CLOCK_SKEW_MS`];
/// [`Reason::Unavailable`] when the database is busy.
pub async fn confirm_clock<D: Database>(
    cx: &Context<'_, D>,
    time: Timestamp,
    person: &str,
    why: &str,
) -> Result<bool, Error> {
    if (time.millis() - cx.now.millis()).abs() > MAX_CLOCK_SKEW_MS {
        return Err(Reason::ClockDiffers.into());
    }
    transaction(cx, async |tx| {
        let known = clock::find(tx).await?;
        clock::put(tx, &known.confirmed(cx.now)).await?;
        let Some(held) = known.held_at else {
            return Ok(false);
        };
        let id = clock::confirmation_id(held);
        let seal = |column, text: &str| cx.vault.seal(cx.random, column, id.as_bytes(), text.as_bytes());
        let sealed = [seal(clock::PERSON, person)?, seal(clock::NOTE, why)?];
        clock::confirm(tx, id, sealed, cx.now).await?;
        Ok(true)
    })
    .await
}

/// Takes up again what a wrong clock has put off.
pub(super) async fn take_back<D: Database>(cx: &Context<'_, D>) -> Result<Done, Error> {
    // This check takes no lock.
    if !clock::is_any_ahead(cx.db, AHEAD, cx.now).await? {
        return Ok(Done::default());
    }
    transaction(cx, async |tx| {
        Ok::<_, Error>(clock::take_back(tx, AHEAD, cx.now).await?)
    })
    .await?;
    Ok(Done {
        count: 1,
        more: false,
    })
}
