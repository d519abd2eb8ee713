//! Fuzzes the decoder of EIDs: no panic, and what is accepted reads back the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(eid) = uicc::Eid::from_bcd(bytes) {
        assert_eq!(uicc::Eid::from_bcd(&eid.to_bcd()), Ok(eid));
    }
});
