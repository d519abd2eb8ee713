//! Finds things in the tokens of a source: rows of tokens, constants, and the literals between tokens.

use crate::source::{Source, Text, Token, is_identifier, matching, without_tests};

/// The sources in a folder or below it.
pub(super) fn below<'a>(sources: &'a [Source], folder: &str) -> Vec<&'a Source> {
    sources
        .iter()
        .filter(|source| source.path.starts_with(folder))
        .collect()
}

/// Whether only tests have a file, by its name.
pub(super) fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Where tokens stand in a row, with their index. An empty text stands for any name.
pub(super) fn rows<'a>(tokens: &'a [Token], row: &'a [&str]) -> impl Iterator<Item = (usize, &'a [Token])> {
    let is_meant = |(token, text): (&Token, &&str)| match *text {
        "" => is_identifier(&token.text),
        text => token.text == text,
    };
    let windows = tokens.windows(row.len()).enumerate();
    windows.filter(move |(_, window)| window.iter().zip(row).all(is_meant))
}

/// The constant of a name, up to the semicolon that ends it.
pub(super) fn constant<'a>(tokens: &'a [Token], name: &str) -> Option<&'a [Token]> {
    let (at, _) = rows(tokens, &["const", name, ":"]).next()?;
    let mut end = at;
    while end < tokens.len() && tokens[end].text != ";" {
        let is_open = matches!(tokens[end].text.as_str(), "(" | "[" | "{");
        end = if is_open {
            matching(tokens, end) + 1
        } else {
            end + 1
        };
    }
    Some(&tokens[at..end.min(tokens.len())])
}

/// The text of a constant, in the first source that has it.
pub(super) fn text_of(sources: &[&Source], name: &str) -> Option<String> {
    sources.iter().find_map(|source| {
        let tokens = without_tests(&source.tokens);
        let (at, _) = rows(&tokens, &["const", name, ":", "&", "str", "="]).next()?;
        let end = tokens[at..].iter().find(|token| token.text == ";")?;
        text_between(source, &tokens[at], end)
    })
}

/// The literal between two tokens, without its quotes and the ends of its lines.
pub(super) fn text_between(source: &Source, from: &Token, to: &Token) -> Option<String> {
    let within = from.place()..to.place();
    let lines = source
        .strings
        .iter()
        .filter(|text| within.contains(&text.place()));
    let text: String = lines.map(|line| line.text.trim_end_matches('\\')).collect();
    (!text.is_empty()).then(|| unquoted(&text).to_owned())
}

/// The literals within brackets, of which the first token is the opening one.
pub(super) fn literals_within<'a>(source: &'a Source, tokens: &[Token]) -> Vec<&'a Text> {
    let Some((first, last)) = tokens.first().zip(tokens.last()) else {
        return Vec::new();
    };
    let within = first.place()..last.place();
    let texts = source.strings.iter();
    texts.filter(|text| within.contains(&text.place())).collect()
}

/// The brackets that open at an index, both included.
pub(super) fn brackets(tokens: &[Token], open: usize) -> &[Token] {
    let close = matching(tokens, open).min(tokens.len() - 1);
    &tokens[open..=close]
}

/// The literals on the lines of some tokens.
pub(super) fn literals<'a>(source: &'a Source, tokens: &[Token]) -> impl Iterator<Item = &'a str> + use<'a> {
    let lines = tokens
        .first()
        .zip(tokens.last())
        .map(|(first, last)| first.line..=last.line);
    let texts = source
        .strings
        .iter()
        .filter(move |text| lines.as_ref().is_some_and(|lines| lines.contains(&text.line)));
    texts.map(|text| unquoted(&text.text))
}

/// A literal without its quotes.
pub(super) fn unquoted(literal: &str) -> &str {
    literal.trim_matches('"')
}
