//! TLS with pre-shared keys, as GlobalPlatform Amendment B §3.2 and SGP.02 §2.4.4 profile it.
//!
//! | version | suites |
//! | --- | --- |
//! | TLS 1.2 | `PSK-AES128-GCM-SHA256` (00A8), `PSK-AES128-CBC-SHA256` (00AE) |
//! | TLS 1.3 | `TLS_AES_128_GCM_SHA256`, `TLS_AES_128_CCM_SHA256`, both with an external PSK |
//!
//! Refused: anything older, NULL encryption, certificates, (EC)DHE suites of TLS 1.2; with them session
//! resumption, tickets, renegotiation, encrypt-then-MAC and compression. In TLS 1.3 a chip may ask for the
//! PSK alone (`psk_ke`) as well as with an ephemeral key (`psk_dhe_ke`).
//!
//! Alerts a chip sees (number, RFC 8446 §6): TLS 1.2 — unknown identity 115 `unknown_psk_identity`, wrong
//! key 20 `bad_record_mac` (47 or 51 do not occur), no common suite 40 `handshake_failure`, older version
//! 70 `protocol_version`. TLS 1.3 — unknown identity 40 (the server looks for a certificate and has none),
//! wrong key 47 `illegal_parameter` (the binder does not verify).
//!
//! It must never fall back: there is no setting that allows more than this.

mod counting_stream;
mod hello;
mod lookup;
mod whole_hello;

use std::sync::{Arc, LazyLock};

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslSessionCacheMode, SslVersion,
};

pub(crate) use counting_stream::{CountingStream, Traffic};
pub(crate) use lookup::{KeySlot, Lookup, LookupStream};
pub(crate) use whole_hello::read_hello;

/// Suites of TLS 1.2, the gateway's preference first.
const TLS12_SUITES: &str = "PSK-AES128-GCM-SHA256:PSK-AES128-CBC-SHA256";
/// Suites of TLS 1.3.
const TLS13_SUITES: &str = "TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256";
/// `SSL_OP_NO_ENCRYPT_THEN_MAC`, for which the binding has no name: cards break on it.
const NO_ENCRYPT_THEN_MAC: SslOptions = SslOptions::from_bits_retain(1 << 19);
/// `SSL_OP_ALLOW_NO_DHE_KEX`: a chip need not have elliptic curves to speak TLS 1.3.
const ALLOW_NO_DHE_KEX: SslOptions = SslOptions::from_bits_retain(1 << 10);

type SlotIndex = Index<Ssl, Arc<KeySlot>>;
static SLOT: LazyLock<Result<SlotIndex, ErrorStack>> = LazyLock::new(Ssl::new_ex_index);

/// The one TLS context of a gateway.
///
/// # Errors
/// When OpenSSL lacks a suite or an option.
pub(crate) fn context() -> Result<SslContext, ErrorStack> {
    let index = slot_index()?;
    let mut context = SslContextBuilder::new(SslMethod::tls_server())?;
    context.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    context.set_max_proto_version(Some(SslVersion::TLS1_3))?;
    context.set_cipher_list(TLS12_SUITES)?;
    context.set_ciphersuites(TLS13_SUITES)?;
    context.set_options(
        SslOptions::NO_TICKET
            | SslOptions::NO_RENEGOTIATION
            | SslOptions::NO_COMPRESSION
            | SslOptions::NO_SESSION_RESUMPTION_ON_RENEGOTIATION
            | SslOptions::CIPHER_SERVER_PREFERENCE
            | NO_ENCRYPT_THEN_MAC
            | ALLOW_NO_DHE_KEX,
    );
    context.set_mode(SslMode::RELEASE_BUFFERS);
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    context.set_num_tickets(0)?;
    context.set_psk_server_callback(move |ssl, identity, psk| {
        let keys = identity
            .zip(ssl.ex_data(index))
            .and_then(|(identity, slot)| slot.keys_of(identity));
        // Zero bytes of key say "unknown identity".
        let Some(keys) = keys else { return Ok(0) };
        let key = keys.psk.expose();
        match psk.get_mut(..key.len()) {
            Some(room) => {
                room.copy_from_slice(key);
                Ok(key.len())
            }
            None => Ok(0),
        }
    });
    Ok(context.build())
}

/// The server side of one connection, whose callback finds keys in `slot`.
///
/// # Errors
/// When OpenSSL cannot allocate it.
pub(crate) fn server(context: &SslContext, slot: Arc<KeySlot>) -> Result<Ssl, ErrorStack> {
    let mut ssl = Ssl::new(context)?;
    ssl.set_ex_data(slot_index()?, slot);
    ssl.set_accept_state();
    Ok(ssl)
}

fn slot_index() -> Result<SlotIndex, ErrorStack> {
    SLOT.as_ref()
        .map_or_else(|error| Err(error.clone()), |index| Ok(*index))
}
