//! What does not agree.

/// Something to be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) path: String,
    /// Counted from one.
    pub(super) line: usize,
    pub(super) text: String,
}

impl Fault {
    pub(super) fn new(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            text: text.into(),
        }
    }
}
