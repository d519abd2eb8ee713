//! Words that this code once had of its own, where the field has others.

use std::borrow::Cow;

use super::Finding;
use super::spelling::{flattened, has_row, parts, words};
use super::table::{EXCEPTIONS, Entry, Pattern, ROUTES, WORDS};
use crate::source::{Source, Text};
use crate::walk::{File, is_below};

/// Words from which on an identifier is a sentence, as the names of tests are.
const MIN_SENTENCE_PARTS: usize = 5;

/// The words in code, comments, literals and the name of a file of source.
pub(super) fn check_source(source: &Source) -> Vec<Finding> {
    // Taken apart once, and then compared with every word.
    let code: Vec<Vec<String>> = source.tokens.iter().map(|token| parts(&token.text)).collect();
    let prose = source.comments.iter().chain(&source.strings);
    let prose: Vec<Line> = prose.map(|text| Line::new(text.line, &text.text)).collect();
    let mut found = Vec::new();
    for entry in entries(&source.path) {
        let pattern = &entry.pattern;
        let word = Word::new(pattern);
        if pattern.matches_file(&source.path) {
            found.push((1, entry));
        }
        let before = std::iter::once("").chain(source.tokens.iter().map(|token| token.text.as_str()));
        let tokens = source.tokens.iter().zip(&code).zip(before);
        let tokens = tokens.filter(|((token, own), before)| word.matches_code(&token.text, own, before));
        found.extend(tokens.map(|((token, _), _)| (token.line, entry)));
        let literals = source
            .strings
            .iter()
            .filter(|text| pattern.matches_literal(&text.text));
        found.extend(literals.map(|text| (text.line, entry)));
        found.extend(lines_with(&word, &prose).map(|line| (line, entry)));
        let comments = source
            .comments
            .iter()
            .filter(|text| pattern.matches_comment(text));
        found.extend(comments.map(|text| (text.line, entry)));
    }
    report(&source.path, found)
}

/// The words in a document.
pub(super) fn check_document(document: &File) -> Vec<Finding> {
    let lines = document.text.lines().enumerate();
    let lines: Vec<Line> = lines.map(|(index, text)| Line::new(index + 1, text)).collect();
    let mut found = Vec::new();
    for entry in entries(&document.path) {
        let word = Word::new(&entry.pattern);
        found.extend(lines_with(&word, &lines).map(|line| (line, entry)));
    }
    report(&document.path, found)
}

/// The numbers of the lines of prose that have a word.
fn lines_with(word: &Word<'_>, prose: &[Line]) -> impl Iterator<Item = usize> {
    prose
        .iter()
        .filter(|line| word.is_in(line))
        .map(|line| line.number)
}

/// A line of prose, taken apart.
struct Line {
    /// Counted from one.
    number: usize,
    /// The parts of each word, without the routes that keep one.
    words: Vec<Vec<String>>,
    flattened: String,
}

impl Line {
    fn new(number: usize, text: &str) -> Self {
        Self {
            number,
            words: words(&without_routes(text)).map(parts).collect(),
            flattened: flattened(text),
        }
    }
}

/// A word of the table, taken apart.
struct Word<'a> {
    pattern: &'a Pattern,
    parts: Vec<String>,
    flattened: String,
}

impl<'a> Word<'a> {
    fn new(pattern: &'a Pattern) -> Self {
        Self {
            pattern,
            parts: parts(pattern.text()),
            flattened: flattened(pattern.text()),
        }
    }

    /// Whether an identifier with these parts that stands after `before` is meant.
    fn matches_code(&self, token: &str, own: &[String], before: &str) -> bool {
        match self.pattern {
            Pattern::Anywhere(_) => has_row(own, &self.parts),
            Pattern::Identifier(_) => own.len() < MIN_SENTENCE_PARTS && has_row(own, &self.parts),
            Pattern::Member(text) => token == *text && matches!(before, "." | "fn" | "pub"),
            Pattern::Name(text) => token == *text,
            _ => false,
        }
    }

    fn is_in(&self, line: &Line) -> bool {
        match self.pattern {
            Pattern::Anywhere(_) => line.words.iter().any(|own| has_row(own, &self.parts)),
            Pattern::Phrase(_) => line.flattened.contains(&self.flattened),
            _ => false,
        }
    }
}

/// The entries that hold for a path.
fn entries(path: &str) -> impl Iterator<Item = &'static Entry> {
    WORDS.iter().filter(move |entry| {
        let is_excepted = EXCEPTIONS
            .iter()
            .any(|exception| exception.covers(entry) && is_at(path, exception.within));
        !is_excepted && entry.within.iter().any(|within| is_at(path, within))
    })
}

/// Whether a path is a file or in a folder of that name.
fn is_at(path: &str, within: &str) -> bool {
    path == within || is_below(path, within)
}

/// The line without the routes that keep a word.
fn without_routes(line: &str) -> Cow<'_, str> {
    ROUTES.iter().fold(Cow::Borrowed(line), |line, route| {
        if line.contains(route) {
            Cow::Owned(line.replace(route, ""))
        } else {
            line
        }
    })
}

/// One finding for each line and word; a word that is part of another one on the same line is left out.
fn report(path: &str, mut found: Vec<(usize, &'static Entry)>) -> Vec<Finding> {
    found.sort_by_key(|(line, entry)| (*line, entry.pattern.text()));
    found.dedup_by_key(|(line, entry)| (*line, entry.pattern.text()));
    let is_part = |(line, entry): &(usize, &Entry)| {
        found.iter().any(|(other_line, other)| {
            let (own, other) = (entry.pattern.text(), other.pattern.text());
            line == other_line && own != other && other.contains(own)
        })
    };
    let whole = found.iter().filter(|one| !is_part(one));
    whole
        .map(|(line, entry)| Finding {
            path: path.to_owned(),
            line: *line,
            rule: "word",
            text: format!("`{}` is {}", entry.pattern.text(), entry.instead),
        })
        .collect()
}

impl Pattern {
    /// The word as the table has it.
    pub(super) fn text(&self) -> &'static str {
        match self {
            Self::Anywhere(text)
            | Self::Identifier(text)
            | Self::Member(text)
            | Self::Name(text)
            | Self::Phrase(text)
            | Self::Comment(text)
            | Self::File(text) => text,
        }
    }

    fn matches_literal(&self, literal: &str) -> bool {
        matches!(self, Self::Member(text) if literal.trim_matches('"') == *text)
    }

    fn matches_comment(&self, comment: &Text) -> bool {
        let said = comment.text.trim_start_matches(['/', '!', '*']).trim();
        matches!(self, Self::Comment(text) if said == *text)
    }

    fn matches_file(&self, path: &str) -> bool {
        matches!(self, Self::File(text) if path == *text || path.ends_with(&format!("/{text}")) || path.contains(&format!("{text}/")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_in(path: &str, text: &str) -> Vec<usize> {
        let source = Source::new(File {
            path: path.to_owned(),
            text: text.to_owned(),
        });
        check_source(&source)
            .into_iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn every_word_of_the_table_is_found_where_it_must_not_stand() {
        for entry in WORDS {
            let text = entry.pattern.text();
            let (path, source) = match entry.pattern {
                Pattern::File(_) => (format!("{}/{text}", entry.within[0]), String::new()),
                Pattern::Phrase(_) | Pattern::Comment(_) => ("a.rs".to_owned(), format!("/// {text}\n")),
                _ => ("a.rs".to_owned(), format!("fn {text}() {{}}\n")),
            };
            let path = if entry.within == [""] || matches!(entry.pattern, Pattern::File(_)) {
                path.trim_start_matches('/').to_owned()
            } else {
                format!("{}/{path}", entry.within[0])
            };
            let found = lines_in(&path, &source);
            assert!(found.contains(&1), "{path}: {source}");
        }
    }

    #[test]
    fn ordinary_english_is_left_alone() {
        let text = "// In that place the job is told, then a moment passes; the account stops, parked, in a breach.\n\
                    // The sentence, a strike, a standing order, and what a place needs: tell them.\n\
                    let text = \"told of a wire\"; let well = texts[0];\n\
                    fn what_is_told_is_no_sentence() {}\n";
        for path in ["ota-gateway/src/session/job.rs", "shared/src/web/log.rs", "a.rs"] {
            assert_eq!(lines_in(path, text), [0_usize; 0], "{path}");
        }
    }

    #[test]
    fn words_that_are_never_english_are_found_in_prose_and_literals() {
        let text = "// a stranger\nlet text = \"heed_blame, told_at\";\n/// Those of the\n/// database.\n/// Those of the database.\n";
        assert_eq!(lines_in("a.rs", text), [1, 2, 2, 5]);
    }

    #[test]
    fn a_route_may_keep_a_word_and_nothing_around_it_may() {
        for route in ROUTES {
            let apart = format!("// {}\n", route.replace('/', " "));
            assert_eq!(lines_in("a.rs", &apart), [1], "{route} keeps no word");
            let text = format!("// {route}\nlet route = \"{route}\";\n");
            assert_eq!(lines_in("a.rs", &text), [0_usize; 0], "{route}");
        }
        assert_eq!(lines_in("a.rs", "// the upkeep of /internal/upkeep\n"), [1]);
    }

    #[test]
    fn every_exception_says_why() {
        for exception in EXCEPTIONS {
            assert!(exception.reason.len() > 20, "{}", exception.within);
            assert!(
                WORDS.iter().any(|entry| exception.covers(entry)),
                "{} excepts nothing",
                exception.within
            );
        }
    }
}
