//! Why operations on key-value stores fail, whatever keeps the store.

/// The largest value or list of keys that an operation returns, in bytes.
const MAX_RESULT_BYTES: usize = 128 << 20;

/// Why an operation failed, as a text.
pub(crate) struct Failure(pub(crate) String);

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<redis::RedisError> for Failure {
    fn from(error: redis::RedisError) -> Self {
        Self(error.to_string())
    }
}

/// Checks the size of a result.
///
/// # Errors
/// [`Failure`] when it exceeds [`MAX_RESULT_BYTES`].
pub(crate) fn check_size(bytes: usize) -> Result<(), Failure> {
    if bytes > MAX_RESULT_BYTES {
        return Err(Failure(format!(
            "query result exceeds limit of {MAX_RESULT_BYTES} bytes"
        )));
    }
    Ok(())
}
