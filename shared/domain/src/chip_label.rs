//! What a file says of a chip besides its identifiers and keys: the names of its model and its card profile, and the
//! IMEI of the module it is in.

use super::{Kind, Malformed, all_digits};

/// Longest model and profile name, in bytes.
const MAX_LABEL_BYTES: usize = 64;
/// Digits of an IMEI, its check digit included.
const IMEI_DIGITS: usize = 15;

/// The name of a model or a card profile.
///
/// # Errors
/// [`Malformed`] for an empty name, a long one, and one with control characters.
pub fn parse_chip_label(text: &str) -> Result<String, Malformed> {
    if text.is_empty() || text.len() > MAX_LABEL_BYTES || text.chars().any(char::is_control) {
        return Err(Malformed::new(
            Kind::Value,
            "名称应为 1 至 64 字节，不含控制字符",
            "not 1 to 64 bytes, or with control characters",
        ));
    }
    Ok(text.to_owned())
}

/// An IMEI.
///
/// # Errors
/// [`Malformed`] for anything but 15 digits.
pub fn parse_imei(text: &str) -> Result<String, Malformed> {
    if text.len() == IMEI_DIGITS && all_digits(text) {
        Ok(text.to_owned())
    } else {
        Err(Malformed::new(
            Kind::Value,
            "IMEI 应为 15 位数字",
            "an IMEI has 15 digits",
        ))
    }
}
