//! §10.1: acts that need a second person. Whoever asks first changes nothing; a second person sends the same call, and names
//! what was asked for. It is carried out as that person's act, and used up in the same transaction.

use std::collections::BTreeSet;

use super::accounts::rights_of_account;
use crate::audit::{Agreed, object_of};
use crate::staff::ACCOUNT_PREFIX;
use crate::{Act, Context, StaffMember, transaction};
use domain::error::{Error, Reason};
use domain::{AccountId, ApprovalId, DAY_MS, HOUR_MS, Right, Timestamp};
use store::Database;
use store::approval::{self, ApprovalRow, Decision};
use store::staff::account;
use vault::random_bytes;

/// Bytes of the digest of a call.
const DIGEST_BYTES: usize = 32;
/// How long a second person has, in hours.
const OPEN_HOURS: i64 = 72;
/// Most that one account asks for at a time.
const MAX_OPEN: u64 = 100;
/// Most that is shown on one page.
pub const MAX_APPROVALS_PER_PAGE: u32 = 100;
/// How long it is kept after its time is over, in days. The audit trail has it for longer.
const KEPT_DAYS: i64 = 30;
/// Most rows that are deleted at a time.
const MAX_FORGOTTEN: u32 = 100;

/// Digest of a call: of its operation and everything that it says.
pub type CallDigest = [u8; DIGEST_BYTES];

/// Which acts need a second person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecondPerson {
    /// Those with these rights.
    pub rights: BTreeSet<Right>,
    /// Those that change something and list more than so many entries; 0 means none.
    pub rows: usize,
    /// How long after the first person a second one can carry them out at the earliest, in milliseconds.
    pub delay_ms: i64,
}

impl SecondPerson {
    /// Whether an act with this right needs one, whose request lists `rows` entries.
    #[must_use]
    pub fn is_needed(&self, right: Right, rows: usize) -> bool {
        let is_large = self.rows > 0 && rows > self.rows;
        right.may_need_second_person() && (self.rights.contains(&right) || is_large)
    }
}

/// Keeps what somebody asks for until a second person carries it out; the same call has the same identifier until then.
///
/// # Errors
/// [`Reason::TooMany`].
pub async fn ask_for_approval<D: Database>(
    cx: &Context<'_, D>,
    act: &Act,
    digest: &CallDigest,
    second: &SecondPerson,
) -> Result<ApprovalId, Error> {
    let begins_at = cx.now.plus(second.delay_ms);
    let row = ApprovalRow {
        id: ApprovalId::new(cx.now, random_bytes(cx.random)),
        what: act.right().code().to_owned(),
        who: act.who().to_owned(),
        object: object_of(act),
        digest: digest.to_vec(),
        is_open: true,
        created_at: cx.now,
        begins_at,
        ends_at: begins_at.plus(OPEN_HOURS * HOUR_MS),
    };
    let id = store::transaction(cx.db, async |tx| {
        let asked = approval::same(tx, (&row.who, &row.what), digest, cx.now).await?;
        if let Some(id) = asked {
            return Ok(id);
        }
        if approval::count(tx, &row.who, cx.now).await? >= MAX_OPEN {
            let most = MAX_OPEN.to_string();
            return Err(Error::new(Reason::TooMany).with_detail(most.as_str(), most.as_str()));
        }
        approval::forget(tx, cx.now.plus(-KEPT_DAYS * DAY_MS), MAX_FORGOTTEN).await?;
        approval::insert(tx, &row).await?;
        Ok(row.id)
    })
    .await?;
    cx.note_object("approval_id", &id.text());
    Ok(id)
}

/// Lets a second person carry out what was asked for. It is used up with the act; see `audit`.
///
/// # Errors
/// [`Reason::UnknownApproval`], [`Reason::OwnApproval`], [`Reason::ApprovalEnded`], [`Reason::ApprovalDiffers`],
/// [`Reason::ApprovalEarly`].
pub async fn agree<D: Database>(
    cx: &Context<'_, D>,
    act: &Act,
    digest: &CallDigest,
    id: ApprovalId,
) -> Result<(), Error> {
    let row = approval::find(cx.db, id).await?;
    let row = row.filter(|row| row.what == act.right().code());
    let row = row.ok_or(Reason::UnknownApproval)?;
    if row.who == act.who() {
        return Err(Reason::OwnApproval.into());
    }
    if !row.is_open || row.ends_at <= cx.now || !may(cx, &row.who, act.right()).await? {
        return Err(Reason::ApprovalEnded.into());
    }
    if row.digest != digest {
        return Err(Reason::ApprovalDiffers.into());
    }
    if cx.now < row.begins_at {
        let begins = row.begins_at.to_rfc3339(cx.zone);
        return Err(Error::new(Reason::ApprovalEarly).with_detail(begins.as_str(), begins.as_str()));
    }
    let asked_by = row.who;
    act.agree(Agreed { id, asked_by });
    Ok(())
}

/// Whether who asked may still do it alone, but for the second person.
async fn may<D: Database>(cx: &Context<'_, D>, who: &str, right: Right) -> Result<bool, Error> {
    let Some(id) = who
        .strip_prefix(ACCOUNT_PREFIX)
        .and_then(|id| AccountId::parse(id).ok())
    else {
        return Ok(false);
    };
    let is_active = account::find(cx.db, id).await?.is_some_and(|row| row.active);
    Ok(is_active && rights_of_account(cx.db, id).await?.1.contains(&right))
}

/// Something that waits for a second person.
#[derive(Clone, Debug)]
pub struct ApprovalView {
    /// Identifier.
    pub id: ApprovalId,
    /// The right of the operation.
    pub what: String,
    /// Who asks.
    pub who: String,
    /// On what, masked.
    pub object: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// From when on a second person can carry it out.
    pub begins_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
}

/// What waits for a second person, the oldest first, and where the next page begins, if there may be one.
///
/// # Errors
/// [`Reason::Unavailable`] when the database is busy.
pub async fn list_approvals<D: Database>(
    cx: &Context<'_, D>,
    after: Option<ApprovalId>,
    limit: u32,
) -> Result<(Vec<ApprovalView>, Option<ApprovalId>), Error> {
    let limit = limit.clamp(1, MAX_APPROVALS_PER_PAGE);
    let rows = approval::open(cx.db, cx.now, after, limit).await?;
    let next = rows.last().map(|row| row.id);
    let next = next.filter(|_| rows.len() == limit as usize);
    let view = |row: ApprovalRow| ApprovalView {
        id: row.id,
        what: row.what,
        who: row.who,
        object: row.object,
        created_at: row.created_at,
        begins_at: row.begins_at,
        ends_at: row.ends_at,
    };
    Ok((rows.into_iter().map(view).collect(), next))
}

/// Refuses what somebody else asks for and one could do, or takes back what one asks for oneself.
///
/// # Errors
/// [`Reason::UnknownApproval`], [`Reason::ApprovalEnded`]; [`Reason::RightNotHeld`] without the right of the act.
pub async fn refuse_approval<D: Database>(
    cx: &Context<'_, D>,
    member: &StaffMember,
    id: ApprovalId,
) -> Result<(), Error> {
    transaction(cx, async |tx| {
        let row = approval::find(tx, id).await?.ok_or(Reason::UnknownApproval)?;
        let has_right = Right::parse(&row.what).is_ok_and(|right| member.may(right));
        if row.who != member.code() && !has_right {
            let right = row.what.as_str();
            return Err(Error::new(Reason::RightNotHeld).with_detail(right, right));
        }
        if approval::decide(tx, id, Decision::Refused, &member.code(), cx.now).await? {
            cx.note_result("asked_by", row.who);
            Ok(())
        } else {
            Err(Reason::ApprovalEnded.into())
        }
    })
    .await
}
