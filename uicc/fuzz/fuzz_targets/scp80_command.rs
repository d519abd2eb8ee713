//! Fuzzes the opening of command packets, without ciphering and checksum so that bytes get past them, and
//! with both.
#![no_main]

use uicc::scp80::{CommandHeader, CommandPacket, Dialect, KeySet};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for dialect in [Dialect::SmsPp, Dialect::TcpIp] {
        let _ = CommandHeader::parse(bytes, dialect);
        let _ = CommandPacket::open(bytes, dialect, &uicc_fuzz::keys());
        if let Ok(packet) = CommandPacket::open(bytes, dialect, &KeySet::default()) {
            let sealed = packet
                .seal(dialect, &KeySet::default())
                .expect("what was opened can be sealed");
            assert_eq!(
                CommandPacket::open(&sealed, dialect, &KeySet::default()),
                Ok(packet)
            );
        }
    }
});
