//! The columns that a kind of file may have.

/// A column that a kind of file may have.
#[derive(Debug)]
pub(crate) struct ColumnRule {
    pub(crate) name: &'static str,
    /// Its names in Chinese.
    pub(crate) zh: &'static [&'static str],
    pub(crate) required: bool,
}

pub(crate) const fn required(name: &'static str, zh: &'static [&'static str]) -> ColumnRule {
    ColumnRule {
        name,
        zh,
        required: true,
    }
}

pub(crate) const fn optional(name: &'static str, zh: &'static [&'static str]) -> ColumnRule {
    ColumnRule {
        name,
        zh,
        required: false,
    }
}
