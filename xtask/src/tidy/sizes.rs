//! Limits of files and functions.

use super::Finding;
use crate::source::{Source, is_identifier, matching};

/// Longest file, in lines.
const MAX_FILE_LINES: usize = 500;
/// Longest function, in lines from `fn` to its closing brace.
const MAX_FUNCTION_LINES: usize = 70;

/// Files and functions that are too long.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let finding = |line, rule, text| Finding {
        path: source.path.clone(),
        line,
        rule,
        text,
    };
    let mut findings = Vec::new();
    if source.lines > MAX_FILE_LINES {
        let text = format!("{} lines (at most {MAX_FILE_LINES})", source.lines);
        findings.push(finding(source.lines, "file-length", text));
    }
    for (name, first, last) in functions(source) {
        let lines = last + 1 - first;
        if lines > MAX_FUNCTION_LINES {
            let text = format!("`{name}` has {lines} lines (at most {MAX_FUNCTION_LINES})");
            findings.push(finding(first, "function-length", text));
        }
    }
    findings
}

/// The functions with a body: name, first line, last line.
fn functions(source: &Source) -> Vec<(&str, usize, usize)> {
    let tokens = &source.tokens;
    let mut functions = Vec::new();
    for (index, pair) in tokens.windows(2).enumerate() {
        // The type `fn(…)` has no name.
        if pair[0].text != "fn" || !is_identifier(&pair[1].text) {
            continue;
        }
        let mut at = index + 2;
        while at < tokens.len() && !matches!(tokens[at].text.as_str(), "{" | ";" | "}") {
            let is_open = matches!(tokens[at].text.as_str(), "(" | "[");
            at = if is_open { matching(tokens, at) + 1 } else { at + 1 };
        }
        if tokens.get(at).is_some_and(|token| token.text == "{") {
            let close = matching(tokens, at).min(tokens.len() - 1);
            functions.push((pair[1].text.as_str(), pair[0].line, tokens[close].line));
        }
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::File;

    #[test]
    fn functions_are_measured_to_their_closing_brace() {
        let text = "trait A { fn b(&self) -> [u8; 2]; }\nfn c<D>(e: fn(u8) -> u8)\nwhere D: E {\n    if f { \"}\" }\n}\n";
        let source = Source::new(File {
            path: String::new(),
            text: text.to_owned(),
        });
        assert_eq!(functions(&source), [("c", 2, 5)]);
    }
}
