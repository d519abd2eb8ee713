//! The result of one run of a periodic job.

/// What a job did in one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// How many items it worked on.
    pub count: usize,
    /// True when there is more to do now.
    pub more: bool,
}
