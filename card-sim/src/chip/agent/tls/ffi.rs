//! The maximum fragment length extension, which the `openssl` crate does not wrap.
//!
//! It must never contain another foreign call.

use std::ffi::{c_int, c_void};

use openssl::error::ErrorStack;
use openssl::ssl::SslContextBuilder;

use crate::personalisation::MaxFragment;

unsafe extern "C" {
    fn SSL_CTX_set_tlsext_max_fragment_length(context: *mut c_void, mode: u8) -> c_int;
}

/// Makes every connection of the context ask for records of at most `length` (RFC 6066 §4).
pub(super) fn limit_fragments(
    builder: &mut SslContextBuilder,
    length: MaxFragment,
) -> Result<(), ErrorStack> {
    // SAFETY: the pointer is that of a live SSL_CTX, which the builder owns and nobody else uses during
    // the call; the function stores the mode in it and keeps no reference (SSL_CTX_set_tlsext_max_fragment_length(3)).
    let done = unsafe { SSL_CTX_set_tlsext_max_fragment_length(builder.as_ptr().cast(), length.code()) };
    if done == 1 { Ok(()) } else { Err(ErrorStack::get()) }
}
