//! §8.2.2 Table 4: the periodic job that finds cards that stay 写卡中. A card is stuck when it has acknowledged no step for
//! some time. Many that began together and are stuck are one severe incident (§8.1) of their client, province or gateway.
//!
//! Several nodes may run it at once; a run that finds nothing takes no lock.

use super::super::Context;
use super::super::job_run::Done;
use super::automatic::{close_incident, open_after_session, open_since};
use super::clocks::{MAX_LOOKED_AT, done};
use crate::transaction;
use domain::error::Error;
use domain::{HOUR_MS, IncidentKind, MINUTE_MS, Timestamp};
use store::{
    Database, Subject, Tx, incident, lock,
    task::{self, StuckRow, TaskGroup},
};

/// Default time without an acknowledged step after which a card is stuck, in minutes.
pub const STUCK_AFTER_MINUTES: u32 = 10;
/// Default number of stuck cards that are one severe incident.
pub const STUCK_GROUP_CARDS: u32 = 10;
/// Default share of stuck cards that are one severe incident, in percent.
pub const STUCK_GROUP_PERCENT: u32 = 50;
/// Fewest stuck cards whose share counts: one card of one is no group.
const MIN_STUCK_GROUP: u32 = 3;
/// Time within which the cards of a group began to be written, in milliseconds.
const GROUP_MS: i64 = HOUR_MS;

/// When cards are stuck, and when together.
#[derive(Clone, Copy, Debug)]
pub struct StuckSettings {
    /// Minutes without an acknowledged step.
    pub after_minutes: u32,
    /// Stuck cards of a group that are one severe incident; 0 means that no number is.
    pub group_cards: u32,
    /// Share of stuck cards of a group, in percent, that is one severe incident; 0 means that no share is.
    pub group_percent: u32,
}

/// Opens an incident for each card that is stuck, once unless it goes on meanwhile, and for each group of them. Settles
/// those of cards that go on, and of groups of which no card is stuck any more.
pub(crate) async fn find_stuck_tasks<D: Database>(
    cx: &Context<'_, D>,
    settings: StuckSettings,
) -> Result<Done, Error> {
    let after_ms = i64::from(settings.after_minutes) * MINUTE_MS;
    let before = cx.now.plus(-after_ms);
    if task::stuck(cx.db, before, 1).await?.is_empty()
        && task::moved(cx.db, before, 1).await?.is_empty()
        && incident::opened_by_platform(cx.db, IncidentKind::CardsStuck)
            .await?
            .is_empty()
    {
        return Ok(Done::default());
    }
    transaction(cx, async |tx| {
        let moved = task::moved(tx, before, MAX_LOOKED_AT).await?;
        for (id, chip) in &moved {
            // Another node may have been faster.
            if !task::unmark_stuck(tx, *id).await? {
                continue;
            }
            close_incident(cx, tx, IncidentKind::StuckWriting, &Subject::chip(chip)).await?;
        }
        let stuck = task::stuck(tx, before, MAX_LOOKED_AT).await?;
        for task in &stuck {
            let since = task.acknowledged_at.plus(after_ms);
            if report_stuck(cx, tx, task, since).await? {
                report_groups(cx, tx, task, since, settings).await?;
            }
        }
        close_groups(cx, tx).await?;
        Ok(done(stuck.len().max(moved.len())))
    })
    .await
}

/// Marks a task as stuck and opens the incident of its card, which names why its last session ended. False when another
/// node has done so, or the card is not in writing any more.
async fn report_stuck<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    task: &StuckRow,
    since: Timestamp,
) -> Result<bool, Error> {
    // A report that completes the task meanwhile would not see the incident.
    lock::chip(tx, &task.eid_index).await?;
    let is_marked = task::mark_stuck(tx, task.id).await?;
    if is_marked {
        let kind = IncidentKind::StuckWriting;
        open_after_session(cx, tx, kind, &task.eid_index, since, None).await?;
    }
    Ok(is_marked)
}

/// Opens the incident of each group of the card of which too many are stuck: of those that began to be written within
/// the hour before this card was stuck.
async fn report_groups<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    task: &StuckRow,
    since: Timestamp,
    settings: StuckSettings,
) -> Result<(), Error> {
    let span = (since.plus(-GROUP_MS), since);
    let gateway = task.gateway.as_deref().map(Subject::gateway);
    let subjects = [
        Some(Subject::client(&task.client_id)),
        Some(Subject::province(&task.province)),
        gateway,
    ];
    for subject in subjects.into_iter().flatten() {
        let Some(group) = group_of(&subject) else { continue };
        let stuck = task::count_started(tx, group, span, true).await?;
        if stuck < i64::from(MIN_STUCK_GROUP.min(settings.group_cards.max(1))) {
            continue;
        }
        let started = task::count_started(tx, group, span, false).await?;
        let are_many = settings.group_cards > 0 && stuck >= i64::from(settings.group_cards);
        let is_share = settings.group_percent > 0
            && stuck >= i64::from(MIN_STUCK_GROUP)
            && stuck * 100 >= started * i64::from(settings.group_percent);
        if are_many || is_share {
            let note = format!(
                "1 h 内开始写卡的 {started} 张卡片中 {stuck} 张停滞 / {stuck} of {started} cards that began within an hour are stuck"
            );
            let kind = IncidentKind::CardsStuck;
            open_since(cx, tx, kind, &subject, since, Some(&note)).await?;
        }
    }
    Ok(())
}

/// The cards that an incident of a group is about.
fn group_of(subject: &Subject) -> Option<TaskGroup<'_>> {
    let (kind, name) = subject.parts()?;
    let none = TaskGroup::default();
    Some(match kind {
        "client" => TaskGroup {
            client: Some(name),
            ..none
        },
        "province" => TaskGroup {
            province: Some(name),
            ..none
        },
        "gateway" => TaskGroup {
            gateway: Some(name),
            ..none
        },
        _ => return None,
    })
}

/// Settles the incidents of groups of which no card is stuck any more. Those that a person opened are left to people.
async fn close_groups<D: Database>(cx: &Context<'_, D>, tx: &Tx<'_, D>) -> Result<(), Error> {
    for row in incident::opened_by_platform(tx, IncidentKind::CardsStuck).await? {
        let Some(group) = group_of(&row.subject) else {
            continue;
        };
        let span = (row.state.since.plus(-GROUP_MS), cx.now);
        if task::count_started(tx, group, span, true).await? == 0 {
            close_incident(cx, tx, IncidentKind::CardsStuck, &row.subject).await?;
        }
    }
    Ok(())
}
