//! §5.3.1.3, §5.2.1.2: gives a chip that is not written another temporary number with a new test period, or more test
//! allowance. Beside a top-up, nothing else raises the allowance of a chip.

use jiff::civil::Date;

use super::Context;
use super::act_note::ActNote;
use super::apply::MIN_WRITE_ALLOWANCE_BYTES;
use super::content::held_error;
use super::incidents::close_incident;
use super::transition::guarded;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{
    CardStatus, Eid, Iccid, Imsi, IncidentKind, Msisdn, Network, TemporaryNumber, Timestamp, Volume,
    unknown_chip, warned_at,
};
use store::{
    Database, Subject, Tx,
    chip::{self, ChipRow},
    lock,
    temporary_number::{self, NextRow, PAST_ICCID, PAST_MSISDN, PastRow, PresentRow, UniqueValues},
};
use vault::{BlindIndex, IndexKind};

/// Most former numbers of a chip among which a returning number is looked for.
const MAX_PAST_NUMBERS: u32 = 100;

/// The new values of a chip.
#[derive(Clone, Debug)]
pub struct Reprovision {
    /// Temporary number.
    pub msisdn: Msisdn,
    /// Its ICCID.
    pub iccid: Iccid,
    /// Its IMSI.
    pub imsi: Imsi,
    /// Day it was opened. By default today, or the stored day if the chip has, or had, this number.
    pub opened_on: Option<Date>,
    /// Network it works on; by default that of the present number.
    pub network: Option<Network>,
    /// Test allowance left afterwards; by default unchanged.
    pub allowance: Option<Volume>,
}

/// The result for a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reprovisioned {
    /// False when it had all of these values already.
    pub changed: bool,
    /// When its temporary number expires.
    pub expires_at: Timestamp,
    /// Test allowance left.
    pub remaining: Volume,
}

/// Gives a chip a temporary number and test allowance, and notes in the history of its card who did that and why.
/// Repeating the call changes nothing.
///
/// # Errors
/// [`Reason::UnknownChip`]; [`Reason::WrongState`] while the card is being written and once it is written;
/// [`Reason::ImportConflict`] when another living chip has one of the values; [`Reason::ParameterMalformed`] when the
/// period would end beyond the calendar. On any error nothing changes.
pub async fn reprovision<D: Database>(
    cx: &Context<'_, D>,
    eid: &Eid,
    new: &Reprovision,
    note: &ActNote<'_>,
) -> Result<Reprovisioned, Error> {
    let index = cx.eid_index(eid);
    transaction(cx, async |tx| {
        lock::chip(tx, &index).await?;
        let chip = chip::by_eid(tx, &index)
            .await?
            .ok_or_else(|| unknown_chip("eid", eid))?;
        if matches!(chip.status, CardStatus::Writing | CardStatus::Written) {
            return Err(Error::new(Reason::WrongState).with_detail(chip.status.zh(), chip.status.en()));
        }
        let (renewed, expires_at) = renew(cx, tx, &chip, new).await?;
        let before = Volume::from_bytes(chip.remaining_bytes());
        let remaining = new.allowance.unwrap_or(before);
        let is_set = new.allowance.is_some() && chip.allowance_bytes != allowance(&chip, remaining);
        if is_set {
            guarded(temporary_number::set_remaining(tx, &index, chip.status, remaining, cx.now).await?)?;
        }
        let changed = renewed || is_set;
        if changed {
            cx.note_change("remaining_bytes", before.bytes(), remaining.bytes());
            note.record(cx, tx, &chip, "reprovisioned").await?;
            settle(cx, tx, &index, expires_at, remaining).await?;
        }
        Ok(Reprovisioned {
            changed,
            expires_at,
            remaining,
        })
    })
    .await
}

/// The allowance of which `remaining` is left.
fn allowance(chip: &ChipRow, remaining: Volume) -> u64 {
    chip.used_bytes.saturating_add(remaining.bytes())
}

/// Gives the chip the number unless it has it; returns whether it changed, and when the period ends.
async fn renew<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    new: &Reprovision,
) -> Result<(bool, Timestamp), Error> {
    let there = temporary_number::find(tx, &chip.eid_index).await?;
    let there = there.ok_or_else(|| Error::internal("the chip is gone"))?;
    let next = next(cx, tx, &chip.eid_index, &there, new).await?;
    if has_numbers(&there, &next) && there.opened_on == next.opened_on && there.network == next.network {
        return Ok((false, there.expires_at));
    }
    let values = UniqueValues {
        eid_index: chip.eid_index,
        msisdn: next.msisdn.0,
        iccid: next.iccid.0,
        imsi: next.imsi.0,
        psk_identity: None,
    };
    if let Some(held) = temporary_number::held(tx, &values).await? {
        return Err(held_error(cx, &held, chip::EID, chip.eid(cx.vault)?.as_str())?);
    }
    let expires_at = next.expires_at;
    temporary_number::release(tx, &values, cx.now).await?;
    keep(cx, tx, &chip.eid_index, &there).await?;
    guarded(temporary_number::replace(tx, &chip.eid_index, chip.status, next, cx.now).await?)?;
    Ok((true, expires_at))
}

fn has_numbers(there: &PresentRow, next: &NextRow) -> bool {
    (there.msisdn.0, there.iccid.0, there.imsi_index) == (next.msisdn.0, next.iccid.0, next.imsi.0)
}

async fn next<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    there: &PresentRow,
    new: &Reprovision,
) -> Result<NextRow, Error> {
    let both = |kind, column, text: &str| -> Result<(BlindIndex, Vec<u8>), Error> {
        let sealed = cx
            .vault
            .seal(cx.random, column, eid_index.as_bytes(), text.as_bytes())?;
        Ok((cx.vault.blind_index(kind, text.as_bytes()), sealed))
    };
    let mut next = NextRow {
        network: new.network.unwrap_or(there.network),
        msisdn: both(IndexKind::Msisdn, chip::TEMP_MSISDN, new.msisdn.as_str())?,
        iccid: both(IndexKind::Iccid, chip::TEMP_ICCID, new.iccid.as_str())?,
        imsi: both(IndexKind::Imsi, chip::TEMP_IMSI, new.imsi.as_str())?,
        opened_on: there.opened_on,
        expires_at: there.expires_at,
        next_at: there.expires_at,
    };
    // A number is opened once: entering it again, or its return on another day, does not extend its period.
    next.opened_on = match new.opened_on {
        Some(day) => day,
        None if has_numbers(there, &next) => there.opened_on,
        None => match opened_before(cx, tx, eid_index, new).await? {
            Some(day) => day,
            None => cx.now.date_in(cx.zone),
        },
    };
    let number = TemporaryNumber {
        network: next.network,
        opened_on: next.opened_on,
    };
    next.expires_at = number.expires_at(cx.zone)?;
    next.next_at = warned_at(next.expires_at, cx.zone);
    Ok(next)
}

/// When the new number was opened, if the chip had it before.
async fn opened_before<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    new: &Reprovision,
) -> Result<Option<Date>, Error> {
    for past in temporary_number::past(tx, eid_index, MAX_PAST_NUMBERS).await? {
        let row = PastRow::row(eid_index, past.seq);
        let msisdn = cx.vault.open_identifier(PAST_MSISDN, &row, &past.msisdn_sealed)?;
        let iccid = cx.vault.open_identifier(PAST_ICCID, &row, &past.iccid_sealed)?;
        if (msisdn.as_str(), iccid.as_str()) == (new.msisdn.as_str(), new.iccid.as_str()) {
            return Ok(Some(past.opened_on));
        }
    }
    Ok(None)
}

/// Stores the number that is being replaced.
async fn keep<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    there: &PresentRow,
) -> Result<(), Error> {
    let seq = temporary_number::next_seq(tx, eid_index).await?;
    let row = PastRow::row(eid_index, seq);
    // A sealed value can be opened only in its own place.
    let moved = |from, to, sealed: &[u8]| -> Result<Vec<u8>, Error> {
        let plain = cx.vault.open(from, eid_index.as_bytes(), sealed)?;
        Ok(cx.vault.seal(cx.random, to, &row, &plain)?)
    };
    let past = PastRow {
        eid_index,
        seq,
        msisdn_sealed: moved(chip::TEMP_MSISDN, PAST_MSISDN, &there.msisdn.1)?,
        iccid_sealed: moved(chip::TEMP_ICCID, PAST_ICCID, &there.iccid.1)?,
        opened_on: there.opened_on,
        expires_at: there.expires_at,
    };
    Ok(temporary_number::keep(tx, past, cx.now).await?)
}

/// Settles the incidents that the new values resolve.
async fn settle<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    expires_at: Timestamp,
    remaining: Volume,
) -> Result<(), Error> {
    let subject = Subject::chip(eid_index);
    if cx.now < expires_at {
        close_incident(cx, tx, IncidentKind::TemporaryNumberExpired, &subject).await?;
    }
    if remaining.bytes() >= MIN_WRITE_ALLOWANCE_BYTES {
        close_incident(cx, tx, IncidentKind::AllowanceExhausted, &subject).await?;
    }
    Ok(())
}
