//! Tokens of code.

use std::ops::Range;

/// An identifier, a number, `::`, or any other sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// Counted from one.
    pub(crate) line: usize,
    /// Where it begins in its line, in bytes.
    pub(crate) column: usize,
}

impl Token {
    /// Where it stands, to be compared with the place of a comment or a literal.
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.line, self.column)
    }
}

/// Whether a token can be a name; keywords can.
pub(crate) fn is_identifier(token: &str) -> bool {
    token
        .chars()
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
}

/// The tokens of code that has neither comments nor literals.
pub(crate) fn tokens(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if first.is_alphanumeric() || first == '_' {
                rest.find(|next: char| !next.is_alphanumeric() && next != '_')
                    .unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            let (text, after) = rest.split_at(length);
            tokens.push(Token {
                text: text.to_owned(),
                line: index + 1,
                column: line.len() - rest.len(),
            });
            rest = after.trim_start();
        }
    }
    tokens
}

/// The index of the bracket that closes the one at `open`; the end, if there is none.
pub(crate) fn matching(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len()
}

/// The parts that commas separate: of a struct its fields, of a call or an attribute its arguments.
pub(crate) fn separated(tokens: &[Token]) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "(" | "[" | "{" => at = matching(tokens, at),
            "," => {
                parts.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(start.min(tokens.len())..tokens.len());
    parts.retain(|part| !part.is_empty());
    parts
}

/// The tokens without the items that only tests have, those after `#[cfg(test)]`.
pub(crate) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_test_mark(&tokens[at..]) {
            at = end_of_item(tokens, at);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

fn is_test_mark(tokens: &[Token]) -> bool {
    let starts_with = |texts: &[&str]| {
        tokens.len() >= texts.len() && texts.iter().zip(tokens).all(|(text, token)| token.text == *text)
    };
    starts_with(&["#", "[", "cfg", "(", "test", ")"])
        || starts_with(&["#", "[", "cfg", "(", "all", "(", "test"])
}

/// The index after the item whose attributes begin at `at`.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    while at + 1 < tokens.len() && tokens[at].text == "#" {
        at = matching(tokens, at + 1) + 1;
    }
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" => return at + 1,
            "}" => return at,
            "{" => return matching(tokens, at) + 1,
            "(" | "[" => at = matching(tokens, at) + 1,
            _ => at += 1,
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(tokens: &[Token]) -> String {
        let texts: Vec<_> = tokens.iter().map(|token| token.text.as_str()).collect();
        texts.join(" ")
    }

    #[test]
    fn paths_names_and_signs_are_tokens() {
        let found = tokens("use a::b_2;\n  x.0 += 1\n");
        assert_eq!(joined(&found), "use a :: b_2 ; x . 0 + = 1");
        assert_eq!(found.last().map(|token| token.line), Some(2));
    }

    #[test]
    fn commas_separate_and_brackets_keep_together() {
        let found = tokens("a, b(c, d) = [e, f], { g, h },");
        let parts: Vec<String> = separated(&found)
            .into_iter()
            .map(|part| joined(&found[part]))
            .collect();
        assert_eq!(parts, ["a", "b ( c , d ) = [ e , f ]", "{ g , h }"]);
    }

    #[test]
    fn items_of_tests_are_left_out() {
        let code = "fn a() {} #[cfg(test)] mod b { fn c() {} } #[cfg(test)] #[x(y)] mod d; #[cfg(all(test, unix))] fn e(f: [u8; 2]) { g }\nfn h() {}";
        assert_eq!(joined(&without_tests(&tokens(code))), "fn a ( ) { } fn h ( ) { }");
    }
}
