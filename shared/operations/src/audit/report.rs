//! §9.2: everything that an account, or whoever had a secret of a client, did since a time, and what can be undone. The first
//! is read from the audit trail, the second from the call log. Reads only; identifiers stay masked.

use std::collections::BTreeMap;

use super::list::{AuditDetail, AuditFilter, AuditView, list_audit};
use crate::clients::malformed;
use crate::staff::account_text;
use crate::{CallFilter, CallRow, Context, search_calls};
use domain::error::{Error, Reason};
use domain::{AccountId, CardStatus, ClientId, Permission, Right, TaskId, TaskState, Timestamp, Undo};
use store::audit::AuditOutcome;
use store::staff::account;
use store::{Database, client_secret, views};

/// Which acts.
#[derive(Clone, Copy, Debug)]
pub struct ActFilter<'a> {
    /// From this time on.
    pub from: Timestamp,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// Only these: the right of an act of staff, or the interface of a call.
    pub what: Option<&'a str>,
    /// The `next` of the page before.
    pub cursor: Option<u64>,
    /// Most acts of a page; at most `MAX_AUDIT_ROWS_PER_PAGE`.
    pub limit: u32,
}

/// Something that was done.
#[derive(Clone, Debug)]
pub struct ReportedAct {
    /// When.
    pub at: Timestamp,
    /// What: the right of an act of staff, or the interface of a call.
    pub what: String,
    /// What became of it.
    pub outcome: AuditOutcome,
    /// Why it was refused, or failed.
    pub reason: Option<String>,
    /// From where.
    pub address: String,
    /// Of which request.
    pub request_id: String,
    /// On what, masked.
    pub object: Option<String>,
    /// The task that a call was about.
    pub task_id: Option<String>,
    /// Of an act of staff, the details.
    pub detail: Option<AuditDetail>,
    /// How it can be undone.
    pub undo: Option<Undo>,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// What an account did: each act that changed something, was refused or failed, and each read in bulk.
///
/// # Errors
/// [`Reason::UnknownAccount`]; [`Reason::ParameterMalformed`] when `what` is no right.
pub async fn account_report<D: Database>(
    cx: &Context<'_, D>,
    id: AccountId,
    filter: ActFilter<'_>,
) -> Result<(Vec<ReportedAct>, Option<u64>), Error> {
    let right = filter.what.map(Right::parse).transpose();
    let right = right.map_err(|wrong| malformed("what", wrong.zh, wrong.en))?;
    account::find(cx.db, id).await?.ok_or(Reason::UnknownAccount)?;
    let filter = AuditFilter {
        who: Some(&account_text(id)),
        right,
        from: Some(filter.from),
        to: filter.to,
        cursor: filter.cursor,
        limit: filter.limit,
        ..AuditFilter::default()
    };
    let (rows, next) = list_audit(cx, filter).await?;
    Ok((rows.into_iter().map(of_staff).collect(), next))
}

fn of_staff(row: AuditView) -> ReportedAct {
    let right = Right::parse(&row.what).ok();
    let right = right.filter(|_| row.outcome == AuditOutcome::Done);
    ReportedAct {
        at: row.at,
        what: row.what,
        outcome: row.outcome,
        reason: row.reason,
        address: row.address,
        request_id: row.request_id,
        object: Some(row.object),
        task_id: None,
        detail: Some(row.detail),
        undo: right.and_then(Undo::of_act),
        unreadable: row.unreadable,
    }
}

/// What was done with a secret of a client: each call with it, or with a token that was taken with it. Refused calls that one row
/// of the call log stands for are not among them.
///
/// # Errors
/// [`Reason::UnknownSecret`] when the client never had such a secret.
pub async fn secret_report<D: Database>(
    cx: &Context<'_, D>,
    (client, generation): (&ClientId, i64),
    filter: ActFilter<'_>,
) -> Result<(Vec<ReportedAct>, Option<u64>), Error> {
    let secret = client_secret::with_client(cx.db, client, generation).await?;
    secret.ok_or(Reason::UnknownSecret)?;
    let filter = CallFilter {
        client_id: Some(client.clone()),
        secret_generation: Some(generation),
        interface: filter.what,
        from: Some(filter.from),
        to: filter.to,
        cursor: filter.cursor.map(|key| i64::try_from(key).unwrap_or(i64::MAX)),
        limit: filter.limit,
        ..CallFilter::default()
    };
    let page = search_calls(cx, &filter).await?;
    let tasks: Vec<String> = page
        .calls
        .iter()
        .filter_map(|call| call.task_id.clone())
        .collect();
    let tasks: Tasks = match tasks.as_slice() {
        [] => Tasks::new(),
        ids => views::tasks_with_cards(cx.db, ids)
            .await?
            .into_iter()
            .map(|(id, state, card)| (id, (state, card)))
            .collect(),
    };
    let acts = page.calls.into_iter().map(|call| of_client(call, &tasks));
    Ok((acts.collect(), page.next.and_then(|key| u64::try_from(key).ok())))
}

/// The states of tasks and, of the latest ones, of their cards.
type Tasks = BTreeMap<TaskId, (TaskState, Option<CardStatus>)>;

fn of_client(call: CallRow, tasks: &Tasks) -> ReportedAct {
    let outcome = match call.code {
        ..400 => AuditOutcome::Done,
        400..500 => AuditOutcome::Refused,
        _ => AuditOutcome::Failed,
    };
    let undo = if outcome == AuditOutcome::Done {
        undo(&call, tasks)
    } else {
        None
    };
    ReportedAct {
        at: call.at(),
        what: call.interface,
        outcome,
        reason: call.reason,
        address: call.address.unwrap_or_default(),
        request_id: call.request_id,
        object: call.subject,
        task_id: call.task_id,
        detail: None,
        undo,
        unreadable: Vec::new(),
    }
}

fn undo(call: &CallRow, tasks: &Tasks) -> Option<Undo> {
    match Permission::parse(&call.interface).ok()? {
        Permission::WriteApply => {
            let task = TaskId::parse(call.task_id.as_deref()?).ok()?;
            let (state, card) = tasks.get(&task)?;
            Undo::of_application(*state, *card)
        }
        Permission::ChipFault => Some(Undo::OF_CHIP_FAULT),
        _ => None,
    }
}
