//! Fuzzes the understanding of response heads, given as lines: no panic, and no value starts a new line.
#![no_main]

use uicc::scp81::AdminResponse;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (code, lines) = uicc_fuzz::head(bytes);
    let code = code.trim().parse().unwrap_or(200);
    if let Ok(response) = AdminResponse::from_head(code, lines.iter().copied()) {
        let coded = String::from_utf8(response.encode(b"")).expect("ASCII");
        assert!(coded.lines().count() <= uicc_fuzz::MAX_HEAD_LINES);
    }
});
