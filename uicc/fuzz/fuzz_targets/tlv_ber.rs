//! Fuzzes BER-TLV: no panic, offsets inside the message, and objects read back the same.
#![no_main]

use uicc::tlv::ber::{self, Tlv};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for tlv in ber::items(bytes).flatten() {
        assert_eq!(&bytes[tlv.offset..tlv.offset + tlv.value.len()], tlv.value);
        let coded = tlv.encode();
        let again = Tlv::parse(&coded).expect("what was written reads back");
        assert_eq!((again.tag, again.value), (tlv.tag, tlv.value));
        tlv.children().for_each(drop);
    }
});
