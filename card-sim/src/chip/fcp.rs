//! File control parameters, the response to SELECT and STATUS (TS 102 221 §11.1.1.3).
//!
//! They must never differ from the layout.

use super::layout::{Access, Directory, FILES, FileSpec, Structure, USIM_AID};
use uicc::tlv::ber;

const FCP_TEMPLATE: u16 = 0x62;
const FILE_SIZE: u16 = 0x80;
const FILE_DESCRIPTOR: u16 = 0x82;
const FILE_IDENTIFIER: u16 = 0x83;
const DF_NAME: u16 = 0x84;
const SHORT_FILE_IDENTIFIER: u16 = 0x88;
const LIFE_CYCLE: u16 = 0x8A;
const SECURITY_COMPACT: u16 = 0x8C;
const PROPRIETARY: u16 = 0xA5;
const PIN_STATUS: u16 = 0xC6;

/// Operational, activated.
const ACTIVATED: u8 = 0x05;
/// Data coding byte of every file descriptor (TS 102 221 §11.1.1.4.3).
const DATA_CODING: u8 = 0x21;
/// Access mode of an EF in compact format: UPDATE and READ are listed.
const AM_UPDATE_READ: u8 = 0x03;

/// The parameters of a directory.
#[must_use]
pub(super) fn directory(which: Directory) -> Vec<u8> {
    let mut inner = Vec::new();
    ber::put(&mut inner, FILE_DESCRIPTOR, &[0x78, DATA_CODING]);
    if which == Directory::Usim {
        ber::put(&mut inner, DF_NAME, &USIM_AID);
    } else {
        ber::put(&mut inner, FILE_IDENTIFIER, &which.fid().to_be_bytes());
    }
    // UICC characteristics: clock stop allowed, 3 V and 1.8 V.
    ber::put(&mut inner, PROPRIETARY, &[0x80, 0x01, 0x71]);
    ber::put(&mut inner, LIFE_CYCLE, &[ACTIVATED]);
    // PS template: PIN 1 (key reference 01) and ADM 1 (0A) exist, both disabled for the holder.
    ber::put(
        &mut inner,
        PIN_STATUS,
        &[0x90, 0x01, 0x00, 0x83, 0x01, 0x01, 0x83, 0x01, 0x0A],
    );
    wrap(&inner)
}

/// The parameters of the elementary file at position `at` of the layout.
#[must_use]
pub(super) fn file(at: usize, update: Access) -> Vec<u8> {
    let spec: &FileSpec = &FILES[at];
    let mut inner = Vec::new();
    match spec.structure {
        Structure::Transparent { .. } => ber::put(&mut inner, FILE_DESCRIPTOR, &[0x41, DATA_CODING]),
        Structure::LinearFixed { length, records } => {
            ber::put(
                &mut inner,
                FILE_DESCRIPTOR,
                &[0x42, DATA_CODING, 0x00, length, records],
            );
        }
    }
    ber::put(&mut inner, FILE_IDENTIFIER, &spec.fid.to_be_bytes());
    ber::put(&mut inner, LIFE_CYCLE, &[ACTIVATED]);
    ber::put(
        &mut inner,
        SECURITY_COMPACT,
        &[AM_UPDATE_READ, condition(update), condition(spec.read)],
    );
    let size = u16::try_from(spec.structure.size()).unwrap_or(u16::MAX);
    ber::put(&mut inner, FILE_SIZE, &size.to_be_bytes());
    match spec.sfi {
        Some(sfi) => ber::put(&mut inner, SHORT_FILE_IDENTIFIER, &[sfi << 3]),
        None => ber::put(&mut inner, SHORT_FILE_IDENTIFIER, &[]),
    }
    wrap(&inner)
}

/// Security condition byte, compact format (ISO/IEC 7816-4 §5.4.3.1).
const fn condition(access: Access) -> u8 {
    match access {
        Access::Always => 0x00,
        Access::Pin => 0x91,
        Access::Adm => 0x92,
        Access::Never => 0xFF,
    }
}

fn wrap(inner: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(inner.len() + 2);
    ber::put(&mut out, FCP_TEMPLATE, inner);
    out
}
