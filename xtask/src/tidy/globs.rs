//! Re-exports that do not say what they export.

use super::Finding;
use crate::source::{Source, Token, matching};

/// Every `pub use …::*`, also within braces, and also where it is public only within the crate.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let tokens = &source.tokens;
    let mut findings = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.text != "use" || !is_public(tokens, index) {
            continue;
        }
        let after = &tokens[index..];
        let end = after
            .iter()
            .position(|token| token.text == ";")
            .unwrap_or(after.len());
        if let Some(star) = after[..end].iter().find(|token| token.text == "*") {
            findings.push(Finding {
                path: source.path.clone(),
                line: star.line,
                rule: "glob-reexport",
                text: "name what is exported".to_owned(),
            });
        }
    }
    findings
}

/// Whether `pub` or `pub(…)` stands before the token at `index`.
fn is_public(tokens: &[Token], index: usize) -> bool {
    let is_pub = |at: usize| tokens[at].text == "pub";
    (index >= 1 && is_pub(index - 1))
        || (0..index).rev().take(MAX_VISIBILITY_TOKENS).any(|at| {
            is_pub(at)
                && at + 1 < index
                && tokens[at + 1].text == "("
                && matching(tokens, at + 1) + 1 == index
        })
}

/// Tokens of the longest `pub(in …)` that is looked for.
const MAX_VISIBILITY_TOKENS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::File;

    #[test]
    fn globs_are_found_however_they_are_written() {
        let lines = |text: &str| -> Vec<usize> {
            let source = Source::new(File {
                path: String::new(),
                text: text.to_owned(),
            });
            check(&source).into_iter().map(|finding| finding.line).collect()
        };
        assert_eq!(lines("pub use a::{b,\n c::*};\npub(crate) use d::*;"), [2, 3]);
        assert_eq!(lines("pub(in crate::a) use b::*;"), [1]);
        assert_eq!(
            lines("use a::*;\npub use a::b;\npub fn c() { d * e; use f::*; }"),
            [0_usize; 0]
        );
    }
}
