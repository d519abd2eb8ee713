//! Separates code, comments and string literals.

/// A line of a comment or of a literal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// Counted from one.
    pub(crate) line: usize,
    /// Where it begins in the line of code, in bytes; zero for a line that continues a comment or a literal.
    pub(crate) column: usize,
    pub(crate) text: String,
}

impl Text {
    /// Where it stands, to be compared with a token's place.
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.line, self.column)
    }
}

/// What a file consists of. The code keeps its lines; where a comment or a literal stood, it has blanks.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) code: String,
    pub(crate) comments: Vec<Text>,
    pub(crate) strings: Vec<Text>,
}

/// Takes a file apart. Source that does not compile is taken apart somehow.
pub(crate) fn separate(text: &str) -> Parts {
    let mut lexer = Lexer {
        text: text.chars().collect(),
        at: 0,
        line: 1,
        parts: Parts::default(),
    };
    while lexer.at < lexer.text.len() {
        lexer.step();
    }
    lexer.parts
}

struct Lexer {
    text: Vec<char>,
    at: usize,
    line: usize,
    parts: Parts,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.text.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => self.line_comment(),
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(),
            ('\'', _) => self.quote(),
            (first, _) if first.is_alphabetic() || first == '_' => self.word(),
            _ => self.keep(),
        }
    }

    /// Moves one character on, which is code.
    fn keep(&mut self) {
        let next = self.peek(0);
        self.parts.code.push(next);
        self.line += usize::from(next == '\n');
        self.at += 1;
    }

    /// Moves on to `end`, over what is no code; gives its lines with their numbers.
    fn skip_to(&mut self, end: usize) -> Vec<Text> {
        let end = end.min(self.text.len());
        let skipped: String = self.text[self.at..end].iter().collect();
        let first = self.line;
        let column = self.parts.code.len() - self.parts.code.rfind('\n').map_or(0, |end| end + 1);
        for next in skipped.chars() {
            self.parts.code.push(if next == '\n' { '\n' } else { ' ' });
            self.line += usize::from(next == '\n');
        }
        self.at = end;
        let lines = skipped.lines().enumerate();
        lines
            .map(|(index, text)| Text {
                line: first + index,
                column: if index == 0 { column } else { 0 },
                text: text.trim().to_owned(),
            })
            .collect()
    }

    fn line_comment(&mut self) {
        let length = self.text[self.at..].iter().position(|next| *next == '\n');
        let end = length.map_or(self.text.len(), |length| self.at + length);
        let lines = self.skip_to(end);
        self.parts.comments.extend(lines);
    }

    fn block_comment(&mut self) {
        let (mut end, mut depth) = (self.at, 0);
        loop {
            match (self.text.get(end), self.text.get(end + 1)) {
                (Some('/'), Some('*')) => (end, depth) = (end + 2, depth + 1),
                (Some('*'), Some('/')) => (end, depth) = (end + 2, depth - 1),
                (None, _) => break,
                _ => end += 1,
            }
            if depth == 0 {
                break;
            }
        }
        let lines = self.skip_to(end);
        self.parts.comments.extend(lines);
    }

    /// A literal with escapes, from its first quote.
    fn string(&mut self) {
        let mut end = self.at + 1;
        while let Some(next) = self.text.get(end) {
            match next {
                '\\' => end += 2,
                '"' => break,
                _ => end += 1,
            }
        }
        let lines = self.skip_to(end + 1);
        self.parts.strings.extend(lines);
    }

    /// A character, or the mark of a lifetime.
    fn quote(&mut self) {
        if self.peek(1) == '\\' {
            let after = self.text.get(self.at + 3..).unwrap_or_default();
            let length = after.iter().position(|next| *next == '\'');
            self.skip_to(length.map_or(self.text.len(), |length| self.at + 4 + length));
        } else if self.peek(2) == '\'' {
            self.skip_to(self.at + 3);
        } else {
            self.keep();
        }
    }

    /// An identifier, or the prefix of a literal.
    fn word(&mut self) {
        let start = self.at;
        while self.peek(0).is_alphanumeric() || self.peek(0) == '_' {
            self.keep();
        }
        let word: String = self.text[start..self.at].iter().collect();
        let is_raw = matches!(word.as_str(), "r" | "br" | "cr");
        if is_raw && matches!(self.peek(0), '"' | '#') {
            self.raw_string();
        } else if matches!(word.as_str(), "b" | "c") && self.peek(0) == '"' {
            self.string();
        }
    }

    /// A literal without escapes, from its first mark; or an identifier after `r#`.
    fn raw_string(&mut self) {
        let marks = self.text[self.at..]
            .iter()
            .take_while(|next| **next == '#')
            .count();
        if self.peek(marks) != '"' {
            self.at += marks;
            // `r#type` is the identifier `type`.
            self.parts.code.pop();
            return;
        }
        let mut end = self.at + marks + 1;
        while end < self.text.len() {
            let close = self.text[end..].iter().take(marks + 1);
            if close.eq(std::iter::once(&'"').chain(std::iter::repeat_n(&'#', marks))) {
                end += marks + 1;
                break;
            }
            end += 1;
        }
        let lines = self.skip_to(end);
        self.parts.strings.extend(lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Text]) -> Vec<(usize, &str)> {
        lines.iter().map(|one| (one.line, one.text.as_str())).collect()
    }

    #[test]
    fn comments_and_literals_leave_the_code_with_its_lines() {
        let source = "fn a() { // zero\n    /* one /* two */\n three */ let b = \"x\\\" // no\";\n    r#\"y \"\n z\"#;\n}\n";
        let parts = separate(source);
        assert_eq!(parts.code.lines().count(), source.lines().count());
        let code: Vec<_> = parts.code.split_whitespace().collect();
        assert_eq!(code.join(" "), "fn a() { let b = ; r ; }");
        let comments = [(1, "// zero"), (2, "/* one /* two */"), (3, "three */")];
        assert_eq!(texts(&parts.comments), comments);
        let strings = [(3, "\"x\\\" // no\""), (4, "#\"y \""), (5, "z\"#")];
        assert_eq!(texts(&parts.strings).len(), strings.len());
        assert_eq!(texts(&parts.strings)[0], strings[0]);
        assert_eq!(texts(&parts.strings)[2], strings[2]);
    }

    #[test]
    fn characters_and_lifetimes_are_kept_apart() {
        let parts = separate("fn a<'b>(c: &'b str) { d('\"', '\\'', b'\\n', '\u{e9}'); } // e\n");
        let code: String = parts.code.split_whitespace().collect();
        assert_eq!(code, "fna<'b>(c:&'bstr){d(,,b,);}");
        assert_eq!(texts(&parts.comments), [(1, "// e")]);
    }

    #[test]
    fn a_raw_identifier_is_an_identifier() {
        let parts = separate("let r#type = r\"a\"; let bar = 1;");
        assert_eq!(
            parts.code.split_whitespace().collect::<String>(),
            "lettype=r;letbar=1;"
        );
    }
}
