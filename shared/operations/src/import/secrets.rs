//! Key material in a row: RFC 3394 wrapped bytes in hexadecimal, and the name of the transport key. It is unwrapped at
//! import, so that a damaged key is found then and not when a card is written.

use super::columns::{ColumnError, RowReader};
use domain::error::Reason;
use domain::{Kind, Malformed};
use vault::{BlindIndex, IndexKind, Vault, VaultError, Zeroizing};

/// Longest wrapped key, in bytes.
const MAX_WRAPPED_BYTES: usize = 72;

/// Name of the column that names the transport key.
pub(super) const TRANSPORT_KEY: &str = "transport_key";

/// The key in column `name`, unwrapped; its length must be in `lengths` (bytes). `None` when the field is empty.
pub(super) fn unwrapped(
    vault: &Vault,
    row: &mut RowReader<'_>,
    name: &'static str,
    lengths: std::ops::RangeInclusive<usize>,
) -> Option<Zeroizing<Vec<u8>>> {
    let wrapped = row.optional_secret(name, |text| hex_bytes(text, MAX_WRAPPED_BYTES))?;
    let key_name = row.text(TRANSPORT_KEY);
    let key = match vault.unwrap_transport(key_name, &wrapped) {
        Ok(key) if lengths.contains(&key.len()) => Ok(key),
        Ok(_) => Err(ColumnError::new(
            name,
            Reason::KeyMalformed,
            "密钥长度不符",
            "the key has a wrong length",
        )),
        Err(VaultError::UnknownTransportKey) => Err(ColumnError::new(
            TRANSPORT_KEY,
            Reason::KeyMalformed,
            "没有该传输密钥",
            "no such transport key",
        )),
        Err(_) => Err(ColumnError::new(
            name,
            Reason::KeyMalformed,
            "解封失败，密钥已损坏或由其他传输密钥封装",
            "it does not unwrap: damaged, or wrapped under another key",
        )),
    };
    row.take(key)
}

/// Bytes written in hexadecimal; at least one, at most `most`.
pub(super) fn hex_bytes(text: &str, most: usize) -> Result<Vec<u8>, Malformed> {
    let wrong = Malformed::new(Kind::Value, "应为十六进制字符", "hexadecimal digits are expected");
    if text.is_empty() || text.len() > 2 * most {
        return Err(wrong);
    }
    hex::decode(text).map_err(|_| wrong)
}

/// Digest of a row's values, each preceded by its length, to recognise a repeated row.
pub(super) fn row_digest(vault: &Vault, values: &[&[u8]]) -> BlindIndex {
    let mut all = Zeroizing::new(Vec::new());
    for value in values {
        all.extend_from_slice(&(value.len() as u64).to_be_bytes());
        all.extend_from_slice(value);
    }
    vault.blind_index(IndexKind::ImportedRow, &all)
}
