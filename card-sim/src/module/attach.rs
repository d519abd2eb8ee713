//! Attach: the module reads the IMSI from the chip, attaches to the network, and updates the location files
//! (TS 31.102 §5.2, TS 24.301 §5.5.1).
//!
//! It must never write a location for an identity that the network refused.

use uicc::apdu::build::{self, Fcp};
use uicc::apdu::{CommandApdu, ResponseApdu, ins};
use uicc::ef::{Ad, EpsLoci, Imsi, Loci, MncDigits, UpdateStatus};
use uicc::ident::Aid;
use uicc::masked;

use super::card_interface::{CardInterface, Interruption};
use super::terminal::Terminal;
use crate::chip::layout::{AD, EPSLOCI, IMSI, LOCI, USIM_AID};
use crate::network::{ILLEGAL_UE, IMSI_UNKNOWN, Registration, Rejection, VirtualNetwork};
use crate::observer::Event;

/// P2 of AUTHENTICATE: 3G or EPS security context.
const EPS_CONTEXT: u8 = 0x81;

/// Attaches with the IMSI now in EF_IMSI, after the card proved that it holds the keys of it.
///
/// # Errors
/// Those of [`CardInterface::exchange`].
pub(super) fn attach(
    card: &mut CardInterface<'_>,
    network: &VirtualNetwork,
    terminal: &mut Terminal<'_>,
) -> Result<(), Interruption> {
    if let Ok(usim) = Aid::parse(&USIM_AID) {
        card.exchange(&build::select_aid(&usim, Fcp::None))?;
    }
    let mnc_digits = read(card, AD, 4)?
        .and_then(|bytes| Ad::parse(&bytes).ok())
        .and_then(|ad| ad.mnc_digits);
    let imsi = read(card, IMSI, 9)?.and_then(|bytes| Imsi::parse(&bytes).ok());
    let digits = imsi.as_ref().map_or("", Imsi::digits);
    let result = match imsi {
        Some(_) if !authenticates(card, network, digits)? => Err(Rejection { cause: ILLEGAL_UE }),
        Some(_) => network.attach(digits, mnc_digits.unwrap_or(MncDigits::Two) as usize),
        None => Err(Rejection { cause: IMSI_UNKNOWN }),
    };
    card.emit(&Event::Attach {
        imsi: masked(digits),
        result,
    });
    if let Ok(registration) = result {
        write_location(card, registration)?;
    }
    terminal.attached(result.ok());
    Ok(())
}

/// Passes the network's challenge to the card; whether the card answered as the network expects (TS 31.102 §7.1.1.1).
fn authenticates(
    card: &mut CardInterface<'_>,
    network: &VirtualNetwork,
    imsi: &str,
) -> Result<bool, Interruption> {
    let Some(challenge) = network.challenge(imsi) else {
        return Ok(true);
    };
    let data = [&[16], &challenge.rand[..], &[16], &challenge.autn[..]].concat();
    let command = CommandApdu::new(0x00, ins::AUTHENTICATE, 0x00, EPS_CONTEXT)
        .with_data(data)
        .map(|command| command.with_le(0));
    let answer = optional(card, command)?;
    // DB, length of RES, RES; CK and IK are the module's own affair.
    Ok(answer.is_some_and(|answer| {
        answer.status.is_success()
            && answer
                .data
                .strip_prefix(&[0xDB, 8])
                .is_some_and(|rest| rest.starts_with(&challenge.expected))
    }))
}

fn write_location(card: &mut CardInterface<'_>, registration: Registration) -> Result<(), Interruption> {
    let tmsi = registration.tmsi.to_be_bytes();
    let plmn = Some(registration.plmn);
    let loci = Loci {
        tmsi,
        plmn,
        area: registration.area,
        reserved: 0xFF,
        status: UpdateStatus::Updated,
    };
    // GUTI as an EPS mobile identity: length, type, network, MME group and code, M-TMSI (TS 24.301 §9.9.3.12).
    let mut guti = [0; 12];
    guti[..2].copy_from_slice(&[0x0B, 0xF6]);
    guti[2..5].copy_from_slice(&registration.plmn.encode());
    guti[5..8].copy_from_slice(&[0x80, 0x01, 0x01]);
    guti[8..].copy_from_slice(&tmsi);
    let eps = EpsLoci {
        guti,
        plmn,
        tracking_area: registration.area,
        status: UpdateStatus::Updated,
    };
    write(card, LOCI, loci.encode())?;
    write(card, EPSLOCI, eps.encode())
}

fn read(card: &mut CardInterface<'_>, fid: u16, length: u8) -> Result<Option<Vec<u8>>, Interruption> {
    let selected = card.exchange(&build::select_fid(fid, Fcp::None))?;
    if !selected.status.is_success() {
        return Ok(None);
    }
    let answer = optional(card, build::read_binary(0, length))?;
    Ok(answer
        .filter(|answer| answer.status.is_success())
        .map(|answer| answer.data))
}

fn write(card: &mut CardInterface<'_>, fid: u16, content: Vec<u8>) -> Result<(), Interruption> {
    card.exchange(&build::select_fid(fid, Fcp::None))?;
    optional(card, build::update_binary(0, content)).map(drop)
}

/// Sends a command if it could be built; all of these can.
fn optional(
    card: &mut CardInterface<'_>,
    command: uicc::Result<CommandApdu>,
) -> Result<Option<ResponseApdu>, Interruption> {
    command.ok().map(|command| card.exchange(&command)).transpose()
}
