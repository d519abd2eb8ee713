//! The columns that a kind of file may have.

/// A column that a kind of file may have.
#[derive(Debug)]
pub(super) struct ColumnRule {
    pub(super) name: &'static str,
    /// Its names in Chinese.
    pub(super) zh: &'static [&'static str],
    pub(super) required: bool,
}

pub(super) const fn required(name: &'static str, zh: &'static [&'static str]) -> ColumnRule {
    ColumnRule {
        name,
        zh,
        required: true,
    }
}

pub(super) const fn optional(name: &'static str, zh: &'static [&'static str]) -> ColumnRule {
    ColumnRule {
        name,
        zh,
        required: false,
    }
}
