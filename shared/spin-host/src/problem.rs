//! Texts for the operator on why the host could not send a request.

use spin_sdk::wasip3::http::types::ErrorCode;
use web::outbound::BLOCKED;

/// The texts for the problems that an operator can fix. The library's own texts would add a few kilobytes to each
/// component.
pub(super) fn describe(problem: &ErrorCode) -> &'static str {
    match problem {
        ErrorCode::HttpRequestDenied => "the platform may not call this address: see allowed_outbound_hosts",
        ErrorCode::DestinationIpProhibited => BLOCKED,
        ErrorCode::DnsError(_) | ErrorCode::DnsTimeout => "the name does not resolve",
        ErrorCode::DestinationNotFound | ErrorCode::DestinationIpUnroutable => {
            "there is no way to the address"
        }
        ErrorCode::ConnectionRefused => "the connection was refused",
        ErrorCode::ConnectionTimeout => "no connection in time",
        ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => "no answer in time",
        ErrorCode::ConnectionTerminated => "the connection ended early",
        ErrorCode::TlsCertificateError => "the certificate is not valid",
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => "TLS failed",
        ErrorCode::HttpProtocolError | ErrorCode::HttpResponseIncomplete => "the answer is not HTTP",
        ErrorCode::ConnectionLimitReached => "too many connections are open",
        _ => "the exchange failed",
    }
}
