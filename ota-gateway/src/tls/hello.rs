//! Reads a client's first handshake messages as they pass: the PSK identity and the fragment length.
//!
//! OpenSSL asks for the key in a synchronous callback, but the identity stands in the clear in front of it:
//! in the ClientKeyExchange of TLS 1.2 (RFC 4279 §2), in the `pre_shared_key` extension of the ClientHello
//! of TLS 1.3 (RFC 8446 §4.2.11). Read here, it can be looked up asynchronously before OpenSSL sees the
//! message. This module decides nothing: what it cannot read it leaves to OpenSSL, which then finds no key
//! and refuses. It must never keep more than [`MAX_HANDSHAKE_BYTES`].

/// Most bytes of handshake messages that are looked at; enough for any ClientHello of a chip.
pub(super) const MAX_HANDSHAKE_BYTES: usize = 16 * 1024;
/// Longest identity (RFC 4279 §5.3 asks for 128; OpenSSL takes 256).
pub(crate) const MAX_IDENTITY_BYTES: usize = 128;

const RECORD_HEADER: usize = 5;
const MESSAGE_HEADER: usize = 4;
const HANDSHAKE_RECORD: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const CLIENT_KEY_EXCHANGE: u8 = 16;
const EXTENSION_MAX_FRAGMENT: u16 = 1;
const EXTENSION_PRE_SHARED_KEY: u16 = 41;
/// Version and random of a ClientHello.
const HELLO_PREFIX: usize = 34;

/// What the messages so far hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// More bytes are needed.
    Nothing,
    /// An identity, in [`HelloReader::identity`].
    Identity,
    /// No identity can follow.
    Over,
}

/// Reads what a client sends until its identity is known.
#[derive(Debug, Default)]
pub(super) struct HelloReader {
    records: Vec<u8>,
    messages: Vec<u8>,
    identity: Vec<u8>,
    max_fragment: Option<usize>,
    over: bool,
}

impl HelloReader {
    /// The identity read last.
    pub(super) fn identity(&self) -> &[u8] {
        &self.identity
    }

    /// The fragment length the client asked for, in bytes (RFC 6066 §4).
    pub(super) const fn max_fragment(&self) -> Option<usize> {
        self.max_fragment
    }

    /// Takes the next bytes of the client. A call without bytes looks for a further identity in those already taken.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Found {
        if self.over {
            return Found::Over;
        }
        self.records.extend_from_slice(bytes);
        self.unpack_records();
        let found = self.read_messages();
        if found != Found::Identity && self.messages.len() + self.records.len() > MAX_HANDSHAKE_BYTES {
            self.over = true;
        }
        if self.over && found != Found::Identity {
            self.records = Vec::new();
            self.messages = Vec::new();
            return Found::Over;
        }
        found
    }

    /// Moves the contents of whole handshake records to `messages`; any other record ends the search.
    fn unpack_records(&mut self) {
        let mut at = 0;
        while let Some(&[kind, _, _, high, low]) = self.records[at..].first_chunk::<RECORD_HEADER>() {
            if kind != HANDSHAKE_RECORD {
                self.over = true;
                break;
            }
            let length = usize::from(u16::from_be_bytes([high, low]));
            let Some(content) = self.records[at + RECORD_HEADER..].get(..length) else {
                break;
            };
            self.messages.extend_from_slice(content);
            at += RECORD_HEADER + length;
        }
        self.records.drain(..at);
    }

    /// Reads whole messages until one of them gives an identity.
    fn read_messages(&mut self) -> Found {
        let mut at = 0;
        let mut found = Found::Nothing;
        while let Some(&[kind, a, b, c]) = self.messages[at..].first_chunk::<MESSAGE_HEADER>() {
            let length = u32::from_be_bytes([0, a, b, c]) as usize;
            let Some(body) = self.messages[at + MESSAGE_HEADER..].get(..length) else {
                break;
            };
            at += MESSAGE_HEADER + length;
            let identity = match kind {
                CLIENT_HELLO => {
                    let hello = read_hello(body).unwrap_or_default();
                    self.max_fragment = hello.max_fragment.or(self.max_fragment);
                    hello.identity
                }
                CLIENT_KEY_EXCHANGE => {
                    self.over = true;
                    Cursor(body).vector16()
                }
                _ => {
                    self.over = true;
                    None
                }
            };
            if let Some(identity) = identity.filter(|id| (1..=MAX_IDENTITY_BYTES).contains(&id.len())) {
                self.identity = identity.to_vec();
                found = Found::Identity;
                break;
            }
        }
        self.messages.drain(..at);
        found
    }
}

#[derive(Default)]
struct Hello<'a> {
    identity: Option<&'a [u8]>,
    max_fragment: Option<usize>,
}

fn read_hello(body: &[u8]) -> Option<Hello<'_>> {
    let mut cursor = Cursor(body);
    cursor.take(HELLO_PREFIX)?;
    cursor.vector8()?; // session id
    cursor.vector16()?; // suites
    cursor.vector8()?; // compression methods
    let mut hello = Hello::default();
    let mut extensions = Cursor(cursor.vector16()?);
    while let (Some(kind), Some(content)) = (extensions.u16(), extensions.vector16()) {
        match kind {
            EXTENSION_MAX_FRAGMENT => hello.max_fragment = fragment_bytes(content),
            // The first identity alone: a chip has one, and each costs a look-up.
            EXTENSION_PRE_SHARED_KEY => {
                hello.identity = Cursor(content).vector16().and_then(|ids| Cursor(ids).vector16())
            }
            _ => {}
        }
    }
    Some(hello)
}

fn fragment_bytes(content: &[u8]) -> Option<usize> {
    match content {
        [code @ 1..=4] => Some(256 << code),
        _ => None,
    }
}

/// Reads vectors with their length in front; none where the bytes run out.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        let (&taken, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        Some(u16::from_be_bytes(taken))
    }

    fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = *self.take(1)?.first()?;
        self.take(usize::from(length))
    }

    fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vector16(content: &[u8]) -> Vec<u8> {
        [&(content.len() as u16).to_be_bytes(), content].concat()
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind][..], &(body.len() as u32).to_be_bytes()[1..], body].concat()
    }

    fn record(content: &[u8]) -> Vec<u8> {
        [&[HANDSHAKE_RECORD, 3, 3][..], &vector16(content)].concat()
    }

    fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &vector16(content)].concat()
    }

    fn client_hello(extensions: &[Vec<u8>]) -> Vec<u8> {
        let body = [
            &[0; HELLO_PREFIX][..],
            &[0],
            &vector16(&[0, 0xAE]),
            &[1, 0],
            &vector16(&extensions.concat()),
        ];
        message(CLIENT_HELLO, &body.concat())
    }

    fn psk_extension(identity: &[u8]) -> Vec<u8> {
        let identities = vector16(&[&vector16(identity)[..], &[0; 4]].concat());
        extension(
            EXTENSION_PRE_SHARED_KEY,
            &[identities, vector16(&[0; 33])].concat(),
        )
    }

    #[test]
    fn the_identity_of_tls_1_2_is_found_however_its_bytes_arrive() {
        let hello = record(&client_hello(&[extension(EXTENSION_MAX_FRAGMENT, &[1])]));
        let exchange = record(&message(CLIENT_KEY_EXCHANGE, &vector16(b"chip-1")));
        let all = [hello, exchange].concat();
        for piece in 1..all.len() {
            let mut reader = HelloReader::default();
            let found: Vec<Found> = all.chunks(piece).map(|bytes| reader.take(bytes)).collect();
            assert_eq!(found.last(), Some(&Found::Identity), "in pieces of {piece}");
            assert_eq!(reader.identity(), b"chip-1");
            assert_eq!(reader.max_fragment(), Some(512));
            assert_eq!(reader.take(&[]), Found::Over);
        }
    }

    #[test]
    fn the_identity_of_tls_1_3_is_found_in_the_hello_and_again_after_a_retry() {
        let hello = record(&client_hello(&[psk_extension(b"chip-1")]));
        let mut reader = HelloReader::default();
        assert_eq!(reader.take(&hello), Found::Identity);
        assert_eq!(
            reader.take(&record(&client_hello(&[psk_extension(b"chip-2")]))),
            Found::Identity
        );
        assert_eq!(reader.identity(), b"chip-2");
    }

    #[test]
    fn a_message_may_be_spread_over_records() {
        let hello = client_hello(&[psk_extension(b"chip-1")]);
        let (front, back) = hello.split_at(20);
        let mut reader = HelloReader::default();
        assert_eq!(
            reader.take(&[record(front), record(back)].concat()),
            Found::Identity
        );
    }

    #[test]
    fn what_is_no_handshake_ends_the_reading() {
        assert_eq!(HelloReader::default().take(b"GET / HTTP/1.1\r\n"), Found::Over);
        assert_eq!(
            HelloReader::default().take(&record(&message(14, &[]))),
            Found::Over
        );
        assert_eq!(
            HelloReader::default().take(&record(&message(CLIENT_KEY_EXCHANGE, &vector16(&[])))),
            Found::Over
        );
        let long = vec![7; MAX_IDENTITY_BYTES + 1];
        assert_eq!(
            HelloReader::default().take(&record(&message(CLIENT_KEY_EXCHANGE, &vector16(&long)))),
            Found::Over
        );
        let mut endless = HelloReader::default();
        let announced = record(&[&[CLIENT_HELLO, 0xFF, 0xFF, 0xFF][..], &[0; 8_000]].concat());
        assert_eq!(endless.take(&announced), Found::Nothing);
        assert_eq!(endless.take(&announced), Found::Nothing);
        assert_eq!(endless.take(&announced), Found::Over);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_keep_too_much(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..60)) {
            let mut reader = HelloReader::default();
            for piece in pieces {
                reader.take(&[&[HANDSHAKE_RECORD, 3, 3][..], &piece].concat());
                prop_assert!(reader.records.len() + reader.messages.len() <= MAX_HANDSHAKE_BYTES + 700);
            }
        }

        #[test]
        fn a_damaged_hello_never_makes_it_panic(at in 0usize..120, byte in any::<u8>()) {
            let mut hello = record(&client_hello(&[extension(EXTENSION_MAX_FRAGMENT, &[2]), psk_extension(b"chip-1")]));
            let at = at % hello.len();
            hello[at] = byte;
            HelloReader::default().take(&hello);
        }
    }
}
