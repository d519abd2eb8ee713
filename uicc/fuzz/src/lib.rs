//! What the fuzz targets share. Start one with
//! `cargo +nightly fuzz run <target> fuzz/corpus/<target> fuzz/seeds/<target>` in the folder above.
//!
//! It must never hold logic of the product: a target that decodes by itself proves nothing.

use uicc::scp80::{Algorithm, Key, KeySet, MacLength};

/// Most lines an encoded head can have: the first, nine headers, and the empty one.
pub const MAX_HEAD_LINES: usize = 11;

/// Decodes, and checks that what was accepted is written as something that reads back the same.
#[macro_export]
macro_rules! reads_back {
    ($kind:ty, $bytes:expr) => {
        if let Ok(value) = <$kind>::parse($bytes) {
            assert_eq!(<$kind>::parse(&value.encode()), Ok(value));
        }
    };
}

/// A key set for packets: the golden vectors' AES keys.
#[must_use]
pub fn keys() -> KeySet {
    let key = |bytes: u128| Key::new(Algorithm::Aes, &bytes.to_be_bytes()).expect("16 bytes");
    KeySet {
        cipher: Some(key(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff)),
        checksum: Some(key(0x0123_4567_89ab_cdef_0123_4567_0123_4567)),
        mac_length: MacLength::Eight,
    }
}

/// A first line, and `name: value` lines.
#[must_use]
pub fn head(bytes: &[u8]) -> (&str, Vec<(&str, &[u8])>) {
    let mut lines = bytes.split(|&byte| byte == b'\n');
    let first = lines
        .next()
        .and_then(|line| core::str::from_utf8(line).ok())
        .unwrap_or_default();
    let header = |line: &'_ [u8]| {
        let at = line.windows(2).position(|pair| pair == b": ")?;
        Some((at, at + 2))
    };
    let headers = lines.filter_map(|line| {
        let (name_end, value_start) = header(line)?;
        Some((
            core::str::from_utf8(&line[..name_end]).ok()?,
            &line[value_start..],
        ))
    });
    (first, headers.collect())
}
