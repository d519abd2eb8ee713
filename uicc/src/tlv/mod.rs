//! Tag-length-value objects: BER-TLV ([`ber`]) and COMPREHENSION-TLV ([`comprehension`]),
//! ETSI TS 101 220 §7.1.
//!
//! Own code instead of the `iso7816-tlv` crate: that crate copies every value, knows neither the
//! indefinite form (`AE 80 … 00 00`, TS 102 226 §5.2) nor where in the message an error is, and treats a
//! COMPREHENSION-TLV's comprehension-required flag as a part of its tag.
//!
//! These modules must never believe a length before it was compared with the bytes that are there.

pub mod ber;
pub mod comprehension;
mod length;

pub(crate) use length::put_length;
