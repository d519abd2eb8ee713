//! What is not as usual in a file, without being wrong: reported, and imported all the same.

use crate::warning_kind::WarningKind;

/// Most warnings of a file.
const MAX_WARNINGS: usize = 100;

/// A warning, once for all rows that it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportWarning {
    /// What is not as usual.
    pub kind: WarningKind,
    /// Name of the column, if it is one.
    pub column: Option<String>,
    /// First line that it concerns.
    pub line: u64,
    /// How many lines it concerns.
    pub lines: usize,
    /// The gateways that know the value, if only some do.
    pub gateways: Vec<String>,
}

/// The warnings of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Warnings(pub(crate) Vec<ImportWarning>);

impl Warnings {
    /// Adds what is not as usual in `line`.
    pub(crate) fn add(&mut self, kind: WarningKind, column: Option<String>, line: u64) {
        self.add_known(kind, column, line, Vec::new());
    }

    /// Adds what is not as usual in `line`, and which gateways know the value.
    pub(crate) fn add_known(
        &mut self,
        kind: WarningKind,
        column: Option<String>,
        line: u64,
        gateways: Vec<String>,
    ) {
        let is_same = |known: &&mut ImportWarning| {
            known.kind == kind && known.column == column && known.gateways == gateways
        };
        if let Some(known) = self.0.iter_mut().find(is_same) {
            known.lines += 1;
        } else if self.0.len() < MAX_WARNINGS {
            self.0.push(ImportWarning {
                kind,
                column,
                line,
                lines: 1,
                gateways,
            });
        }
    }
}
