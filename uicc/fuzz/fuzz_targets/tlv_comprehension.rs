//! Fuzzes COMPREHENSION-TLV: no panic, offsets inside the message, and objects read back the same.
#![no_main]

use uicc::tlv::comprehension::{self, Object};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for object in comprehension::objects(bytes).unwrap_or_default() {
        assert_eq!(
            &bytes[object.offset..object.offset + object.value.len()],
            object.value
        );
        let coded = object.encode();
        let again = Object::parse(&coded).expect("what was written reads back");
        assert_eq!(
            (again.tag, again.required, again.value),
            (object.tag, object.required, object.value)
        );
    }
});
