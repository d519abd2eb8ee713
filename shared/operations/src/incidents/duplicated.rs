//! An EID that is in use twice: its keys were copied, or a file is wrong. Both chips are blocked, and the number stays
//! with the EID, until an administrator settles the incident.
//!
//! What counts is another key for a known EID in a file, and sessions that alternate between two addresses. A change of
//! address alone does not: a module behind the address translation of a carrier gets another one whenever it attaches,
//! and sometimes within a session. So does a session that follows one that had ended. What a single module hardly ever
//! does is to leave a session that is still open for another address, come back to the first one while that session is
//! open too, and leave again: the fourth session in a row that alternates between two addresses (A, B, A, B), each of
//! which takes the place of one that is still open (`store::device_session`).

use super::super::Context;
use super::automatic::open_incident;
use domain::IncidentKind;
use domain::error::Error;
use store::{Database, Subject, Tx, chip, device_session};
use vault::BlindIndex;

/// Default time, in minutes, within which sessions that alternate between two addresses count. Two chips under one EID
/// take the session from each other within seconds, because each of them connects again at once.
pub const ALTERNATION_MINUTES: u32 = 10;

/// Opens the incident and blocks the chip.
pub(crate) async fn block<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
) -> Result<(), Error> {
    let subject = Subject::chip(eid_index);
    open_incident(cx, tx, IncidentKind::EidDuplicated, &subject).await?;
    keep_out(cx, tx, eid_index).await
}

/// Blocks a chip. Its session, if one is open, is superseded: its gateway stops at its next report. Its task and its
/// number stay as they are.
pub(super) async fn keep_out<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
) -> Result<(), Error> {
    chip::set_blocked(tx, eid_index, true, cx.now).await?;
    Ok(device_session::supersede(tx, eid_index, cx.now).await?)
}
