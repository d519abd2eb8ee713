//! Fuzzes the opening of response packets: the first two bytes are the SPI that asked for them.
#![no_main]

use uicc::scp80::{CommandHeader, Dialect, ResponsePacket, Spi};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((spi, bytes)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let header = CommandHeader {
        spi: Spi(*spi),
        kic: 0x12,
        kid: 0x12,
        tar: [0xB0, 0x00, 0x11],
    };
    let keys = uicc_fuzz::keys();
    for dialect in [Dialect::SmsPp, Dialect::TcpIp] {
        if let Ok(packet) = ResponsePacket::open(bytes, &header, dialect, &keys) {
            let sealed = packet
                .seal(&header, dialect, &keys)
                .expect("what was opened can be sealed");
            assert_eq!(ResponsePacket::open(&sealed, &header, dialect, &keys), Ok(packet));
        }
    }
});
