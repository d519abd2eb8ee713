//! A page of a list that is ordered by time.

use store::ListKey;

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPage<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page begins, if there may be one.
    pub next: Option<ListKey>,
}
