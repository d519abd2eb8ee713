//! §10.2: compares what happened with what the standard demands, and keeps a list of what deviates.
//!
//! The cards are compared page by page, all of them once a day or as often as that takes; the rest every hour. Nothing is set right here: a
//! deviation ends when a later comparison does not find it any more.

use super::{Job, MaintenanceSettings, STALE_AFTER_MS, job_views};
use crate::Context;
use crate::alerts::{NewAlert, raise};
use crate::incidents::months_without_review;
use crate::job_run::Done;
use crate::retention::HISTORY;
use crate::transaction;
use domain::error::Error;
use domain::{
    AlertKind, CardStatus, DAY_MS, Deviation, FINAL_REPORT_WITHIN_MS, HOUR_MS, REPORT_WITHIN_MS, TaskState,
    Timestamp,
};
use store::backup_record::{self, RecordKind};
use store::deviation::{self, CardFound, DeviationRow, Late, Progress};
use store::{Database, ListKey, Subject, Tx, chip};

/// Most cards that one run compares.
const MAX_CARDS: u32 = 1_000;
/// Most subjects of one kind that one comparison of the rest finds.
const MAX_SUBJECTS: u32 = 1_000;
/// Least time from the beginning of one comparison of all cards to that of the next one, in milliseconds.
const CARDS_EVERY_MS: i64 = DAY_MS;
/// Least time between two comparisons of the rest, in milliseconds.
const REST_EVERY_MS: i64 = HOUR_MS;
/// Most deviations of one page.
pub const MAX_DEVIATIONS_PER_PAGE: u32 = 200;

/// The comparison of the cards, as it is stored.
const CARDS: &str = "cards";
/// That of the rest.
const REST: &str = "rest";

/// Goes on with the comparisons that are due.
pub(super) async fn compare<D: Database>(
    cx: &Context<'_, D>,
    maintenance: &MaintenanceSettings,
) -> Result<Done, Error> {
    let rest = deviation::progress(cx.db, REST).await?;
    let mut count = compare_cards(cx, maintenance).await?;
    if rest.is_none_or(|rest| is_due(rest.began_at, REST_EVERY_MS, cx.now)) {
        count += compare_rest(cx, maintenance).await?;
    }
    Ok(Done { count, more: false })
}

/// Compares a page of cards. The last page ends what no page has found again.
async fn compare_cards<D: Database>(
    cx: &Context<'_, D>,
    maintenance: &MaintenanceSettings,
) -> Result<usize, Error> {
    let known = deviation::progress(cx.db, CARDS).await?;
    let (began_at, after) = match known {
        Some(Progress {
            began_at,
            reached: Some(reached),
        }) => (began_at, reached),
        Some(done) if !is_due(done.began_at, CARDS_EVERY_MS, cx.now) => return Ok(0),
        Some(_) | None => (cx.now, Vec::new()),
    };
    let cards = deviation::cards(cx.db, &after, MAX_CARDS).await?;
    // Older steps may have been destroyed.
    let history = i64::from(maintenance.retention.days(HISTORY)) * DAY_MS;
    let kept_since = cx.now.plus(-history);
    let which = |deviates: &dyn Fn(&CardFound) -> bool| -> Vec<Subject> {
        let found = cards.iter().filter(|card| deviates(card));
        found.map(|card| Subject::chip(&card.chip)).collect()
    };
    let found = [
        (
            Deviation::CardWithoutHistory,
            which(&|card| !is_recorded(card, kept_since)),
        ),
        (Deviation::CardWithoutTask, which(&|card| !fits_task(card))),
    ];
    let last = cards.last().filter(|_| cards.len() == MAX_CARDS as usize);
    let progress = Progress {
        began_at,
        reached: last.map(|card| card.chip.as_bytes().to_vec()),
    };
    transaction(cx, async |tx| {
        let mut changed = 0;
        let mut new = Vec::new();
        for (kind, subjects) in &found {
            new.push((*kind, deviation::seen(tx, *kind, subjects, cx.now).await?));
            changed += subjects.len();
            if progress.reached.is_none() {
                changed += deviation::ended(tx, *kind, began_at, cx.now).await?;
            }
        }
        report(cx, tx, &new).await?;
        deviation::set_progress(tx, CARDS, &progress).await?;
        Ok(changed)
    })
    .await
}

/// Whether the recorded steps lead to the state of the card. Without any, they must have been destroyed.
fn is_recorded(card: &CardFound, kept_since: Timestamp) -> bool {
    match card.led_to {
        Some(led_to) => led_to == card.status && card.missing == 0,
        None => card.imported_at < kept_since,
    }
}

/// Whether the card waits or is written exactly while such a task is open (§6.3 Table 2).
fn fits_task(card: &CardFound) -> bool {
    let expected = match card.status {
        CardStatus::WaitingPowerOn => Some(TaskState::Waiting),
        CardStatus::Writing => Some(TaskState::Writing),
        _ => None,
    };
    card.task == expected
}

/// A time ahead comes from a clock that was set back since.
fn is_due(last: Timestamp, every_ms: i64, now: Timestamp) -> bool {
    last > now || now >= last.plus(every_ms)
}

/// Compares everything but the cards.
async fn compare_rest<D: Database>(
    cx: &Context<'_, D>,
    maintenance: &MaintenanceSettings,
) -> Result<usize, Error> {
    let late = async |late, within_ms: i64| {
        deviation::late(cx.db, late, cx.now.plus(-within_ms), MAX_SUBJECTS).await
    };
    // Reviews are made every hour.
    let months = months_without_review(cx, cx.now.plus(-2 * HOUR_MS)).await?;
    let backups = (RecordKind::Backup, maintenance.backup_days);
    let drills = (RecordKind::Drill, maintenance.drill_days);
    let found = [
        (
            Deviation::MessagesUndelivered,
            deviation::undelivered(cx.db, MAX_SUBJECTS).await?,
        ),
        (Deviation::IncidentOverdue, late(Late::Unsettled, 0).await?),
        (
            Deviation::ReportOverdue,
            late(Late::Unreported, REPORT_WITHIN_MS).await?,
        ),
        (
            Deviation::FinalReportOverdue,
            late(Late::Unconcluded, FINAL_REPORT_WITHIN_MS).await?,
        ),
        (
            Deviation::ReviewMissing,
            months
                .map(|(first, _)| Subject::month(first))
                .into_iter()
                .collect(),
        ),
        (Deviation::JobOverdue, jobs_overdue(cx).await?),
        (Deviation::BackupOverdue, record_overdue(cx, backups).await?),
        (Deviation::DrillOverdue, record_overdue(cx, drills).await?),
    ];
    transaction(cx, async |tx| {
        let mut changed = 0;
        let mut new = Vec::new();
        for (kind, subjects) in &found {
            new.push((*kind, deviation::seen(tx, *kind, subjects, cx.now).await?));
            changed += subjects.len();
            // Beyond the limit there may be more that deviate.
            if subjects.len() < MAX_SUBJECTS as usize {
                changed += deviation::ended(tx, *kind, cx.now, cx.now).await?;
            }
        }
        report(cx, tx, &new).await?;
        let progress = Progress {
            began_at: cx.now,
            reached: None,
        };
        deviation::set_progress(tx, REST, &progress).await?;
        Ok(changed)
    })
    .await
}

/// The jobs that have not succeeded for too long. This one is just running.
async fn jobs_overdue<D: Database>(cx: &Context<'_, D>) -> Result<Vec<Subject>, Error> {
    let began = backup_record::began(cx.db).await?;
    let views = job_views(cx).await?;
    // A platform that was just set up has run nothing yet.
    let overdue = views.into_iter().filter(|job| {
        let is_new = || began.is_some_and(|at| cx.now < at.plus(STALE_AFTER_MS));
        !job.healthy && job.name != Job::Supervision.code() && !(job.succeeded_at.is_none() && is_new())
    });
    Ok(overdue.map(|job| Subject::job(job.name)).collect())
}

/// The platform, when its last backup or drill is too old.
async fn record_overdue<D: Database>(
    cx: &Context<'_, D>,
    (kind, days): (RecordKind, u32),
) -> Result<Vec<Subject>, Error> {
    let last = match backup_record::latest(cx.db, kind, cx.now).await? {
        None => backup_record::began(cx.db).await?,
        known => known,
    };
    let is_overdue = last.is_some_and(|at| days > 0 && cx.now >= at.plus(i64::from(days) * DAY_MS));
    Ok(is_overdue.then(Subject::platform).into_iter().collect())
}

/// Raises one alert about the new deviations that are news, with their numbers.
async fn report<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    new: &[(Deviation, usize)],
) -> Result<(), Error> {
    let news = new.iter().filter(|(kind, count)| kind.is_news() && *count > 0);
    let fields: Vec<_> = news
        .map(|(kind, count)| (kind.code(), count.to_string()))
        .collect();
    if fields.is_empty() {
        return Ok(());
    }
    let alert = NewAlert {
        kind: AlertKind::FlowDeviation,
        subject: &Subject::platform(),
        fields,
    };
    raise(cx, tx, alert).await
}

/// A deviation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviationView {
    /// The deviation.
    pub row: DeviationRow,
    /// The EID of the chip that it is about, where it can be opened.
    pub eid: Option<String>,
}

/// The deviations that are not set right, or all, the latest first, up to `limit` below `cursor`.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn list_deviations<D: Database>(
    cx: &Context<'_, D>,
    kind: Option<Deviation>,
    ended_too: bool,
    cursor: Option<&ListKey>,
    limit: u32,
) -> Result<Vec<DeviationView>, Error> {
    let limit = limit.clamp(1, MAX_DEVIATIONS_PER_PAGE);
    let rows = deviation::list(cx.db, kind, ended_too, cursor, limit).await?;
    let chips: Vec<_> = rows.iter().filter_map(|row| row.subject.as_chip()).collect();
    let hex: Vec<String> = chips.iter().map(vault::BlindIndex::hex).collect();
    let sealed = match hex.is_empty() {
        true => Vec::new(),
        false => chip::eids(cx.db, serde_json::to_string(&hex).map_err(Error::internal)?).await?,
    };
    let eid = |row: &DeviationRow| {
        let index = row.subject.as_chip()?;
        let (_, sealed) = sealed.iter().find(|(chip, _)| *chip == index)?;
        cx.vault.open_identifier(chip::EID, index.as_bytes(), sealed).ok()
    };
    let views = rows.into_iter().map(|row| DeviationView { eid: eid(&row), row });
    Ok(views.collect())
}
