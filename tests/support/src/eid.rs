//! EIDs of chips, by their serial numbers, and the PSK identity of one of them.
//!
//! Written from the specifications. It must not use the codecs that the tests examine.

/// The EID of the one chip of the tests of gateway and simulator.
pub const EID: &str = "89086030202200000022000000000090";

/// The PSK identity of the chip [`EID`], in the layout of SGP.02 table 4.
pub const IDENTITY: &str =
    "8001028110890860302022000000220000000000904F10A0000005591010FFFFFFFF8900000100820101830140";

/// The EID with this serial number: the check digits make it 1 modulo 97.
#[must_use]
pub fn eid_text(serial: u32) -> String {
    let body = format!("890860302022{serial:018}");
    let rest = body
        .bytes()
        .chain(*b"00")
        .fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("{body}{:02}", 98 - rest)
}
