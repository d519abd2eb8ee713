//! Reads a client's first message whole, before anything is spent on it.
//!
//! Whether it is a ClientHello that OpenSSL takes is for OpenSSL to say: what cannot become one is passed on as it is.
//! It must never keep more than [`MAX_HANDSHAKE_BYTES`] and one read.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::hello::MAX_HANDSHAKE_BYTES;

const RECORD_HEADER: usize = 5;
const MESSAGE_HEADER: usize = 4;
const HANDSHAKE_RECORD: u8 = 22;
/// Bytes read at once.
const CHUNK_BYTES: usize = 1_024;

/// Everything that was read until the first message was whole.
///
/// # Errors
/// Those of the stream; [`io::ErrorKind::UnexpectedEof`] when it ends before.
pub(crate) async fn read_hello(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; CHUNK_BYTES];
    // Ends with the bound at the latest.
    while !is_whole(&bytes) {
        let length = stream.read(&mut chunk).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&chunk[..length]);
    }
    Ok(bytes)
}

/// Whether the first handshake message is whole, or the bytes cannot become one.
fn is_whole(bytes: &[u8]) -> bool {
    if bytes.len() > MAX_HANDSHAKE_BYTES {
        return true;
    }
    let mut message = Vec::new();
    let mut rest = bytes;
    loop {
        if rest.first().is_some_and(|kind| *kind != HANDSHAKE_RECORD) {
            return true;
        }
        let Some((&[_, _, _, high, low], content)) = rest.split_first_chunk::<RECORD_HEADER>() else {
            return false;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > MAX_HANDSHAKE_BYTES {
            return true;
        }
        message.extend_from_slice(&content[..length.min(content.len())]);
        if let Some(&[_, a, b, c]) = message.first_chunk::<MESSAGE_HEADER>() {
            let wanted = MESSAGE_HEADER + u32::from_be_bytes([0, a, b, c]) as usize;
            if message.len() >= wanted || wanted > MAX_HANDSHAKE_BYTES {
                return true;
            }
        }
        match content.get(length..) {
            Some(next) => rest = next,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[HANDSHAKE_RECORD, 3, 1][..], &length, content].concat()
    }

    #[test]
    fn a_message_is_whole_with_its_last_byte_over_one_record_or_several() {
        let message = [&[1, 0, 0, 6][..], &[7; 6]].concat();
        for records in [
            record(&message),
            [
                record(&message[..3]),
                record(&message[3..5]),
                record(&message[5..]),
            ]
            .concat(),
        ] {
            for length in 0..records.len() {
                assert!(!is_whole(&records[..length]), "{length} bytes");
            }
            assert!(is_whole(&records));
        }
    }

    #[test]
    fn what_cannot_become_a_message_is_passed_on_at_once() {
        for bytes in [
            &b"GET / HTTP/1.1"[..],
            &[HANDSHAKE_RECORD, 3, 1, 0xFF, 0xFF],
            &[HANDSHAKE_RECORD, 3, 1, 0, 8, 1, 0xFF, 0xFF, 0xFF],
            &vec![0; MAX_HANDSHAKE_BYTES + 1],
        ] {
            assert!(is_whole(bytes));
        }
    }

    #[tokio::test]
    async fn a_stream_that_ends_before_is_an_error() {
        let mut bytes: &[u8] = &record(&[1, 0, 0, 9, 7]);
        let error = read_hello(&mut bytes).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
