//! Fuzzes the understanding of request heads, given as lines: no panic, and no value starts a new line.
#![no_main]

use uicc::scp81::AdminRequest;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (uri, lines) = uicc_fuzz::head(bytes);
    if let Ok(request) = AdminRequest::from_head(uri, lines.iter().copied()) {
        let coded = String::from_utf8(request.encode(b"")).expect("ASCII");
        assert!(coded.lines().count() <= uicc_fuzz::MAX_HEAD_LINES);
        let (first, rest) = coded.split_once("\r\n").expect("a head");
        let lines = rest
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, text)| (name, text.as_bytes()));
        let uri = first.split(' ').nth(1).expect("a URI");
        assert_eq!(AdminRequest::from_head(uri, lines), Ok(request));
    }
});
