//! What may be wrong with a request, and its HTTP status.
//!
//! A message must never repeat bytes of the request: they may be identifiers.

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HttpError {
    /// No HTTP, or ambiguous.
    #[error("malformed request")]
    Malformed,
    /// Not HTTP/1.1.
    #[error("not HTTP/1.1")]
    Version,
    /// Not POST.
    #[error("not a POST")]
    Method,
    /// More header than [`crate::settings::MAX_HEADER_BYTES`].
    #[error("header too large")]
    HeaderTooLarge,
    /// More body than [`crate::settings::MAX_BODY_BYTES`].
    #[error("body too large")]
    BodyTooLarge,
    /// A transfer coding other than chunked.
    #[error("unknown transfer coding")]
    TransferCoding,
    /// A chunk that is not well-formed.
    #[error("malformed chunk")]
    BadChunk,
    /// A header that may occur once occurs twice.
    #[error("header {0} is repeated")]
    RepeatedHeader(&'static str),
    /// An admin header is missing or has a value that its specification does not have.
    #[error("header: expected {0}")]
    BadHeader(&'static str),
    /// A path or query that is not the gateway's.
    #[error("unknown URI")]
    UnknownUri,
    /// A body of another media type than a response script.
    #[error("unexpected content type")]
    ContentType,
    /// A body where there must be none, or none where there must be one.
    #[error("body and script status do not agree")]
    UnexpectedBody,
}

impl HttpError {
    /// The HTTP status code.
    pub(crate) const fn status(&self) -> u16 {
        match self {
            Self::Malformed
            | Self::BadChunk
            | Self::RepeatedHeader(_)
            | Self::BadHeader(_)
            | Self::UnexpectedBody => 400,
            Self::UnknownUri => 404,
            Self::Method => 405,
            Self::BodyTooLarge => 413,
            Self::ContentType => 415,
            Self::HeaderTooLarge => 431,
            Self::TransferCoding => 501,
            Self::Version => 505,
        }
    }
}
