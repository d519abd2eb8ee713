//! The operations that handlers document with `#[utoipa::path(…)]`.

use super::fault::Fault;
use super::find::{brackets, rows, text_between, text_of};
use crate::source::{Source, Token, separated, without_tests};

/// Before the clause of the standard in a summary.
const CLAUSE: &str = "(§";

/// An operation, as its handler documents it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Operation {
    /// `None` if it is neither written out nor the name of a constant that is found.
    pub(super) path: Option<String>,
    /// The clause of the standard that its summary ends with.
    pub(super) clause: Option<String>,
    pub(super) file: String,
    /// Counted from one.
    pub(super) line: usize,
}

impl Operation {
    /// What its documentation lacks.
    pub(super) fn faults(&self) -> Vec<Fault> {
        if self.path.is_some() {
            return Vec::new();
        }
        let text = "the path is neither a text nor a constant that this check finds";
        vec![Fault::new(&self.file, self.line, text)]
    }
}

/// The operations of some sources. `constants` are the sources whose constants may hold a path.
pub(super) fn read(sources: &[&Source], constants: &[&Source]) -> Vec<Operation> {
    let mut found = Vec::new();
    for source in sources {
        let tokens = without_tests(&source.tokens);
        for (at, row) in rows(&tokens, &["utoipa", "::", "path", "("]) {
            let attribute = Attribute {
                source,
                tokens: brackets(&tokens, at + 3),
            };
            let summary = attribute.text("summary").unwrap_or_default();
            found.push(Operation {
                path: attribute.path(constants),
                clause: clause(&summary).map(str::to_owned),
                file: source.path.clone(),
                line: row[0].line,
            });
        }
    }
    found
}

/// The clause in a summary: `… (§7.2.2.4)`.
fn clause(summary: &str) -> Option<&str> {
    let (_, after) = summary.rsplit_once(CLAUSE)?;
    Some(after.split_once(')')?.0)
}

/// The arguments of an attribute, with the brackets around them.
struct Attribute<'a> {
    source: &'a Source,
    tokens: &'a [Token],
}

impl Attribute<'_> {
    /// The tokens of `name = …` from the sign on, and the one that ends it.
    fn argument(&self, name: &str) -> Option<&[Token]> {
        let inner = self.tokens.get(1..self.tokens.len() - 1)?;
        let is_meant = |part: &[Token]| part.len() > 1 && part[0].text == name && part[1].text == "=";
        let part = separated(inner)
            .into_iter()
            .find(|part| is_meant(&inner[part.clone()]))?;
        // The brackets are not in `inner`, so an index there is one less.
        self.tokens.get(part.start + 2..part.end + 2)
    }

    /// An argument that is written out.
    fn text(&self, name: &str) -> Option<String> {
        let argument = self.argument(name)?;
        text_between(self.source, argument.first()?, argument.last()?)
    }

    /// The path: written out, or the text of a constant.
    fn path(&self, constants: &[&Source]) -> Option<String> {
        self.text("path").or_else(|| {
            let [_, .., name, _] = self.argument("path")? else {
                return None;
            };
            text_of(constants, &name.text)
        })
    }
}
