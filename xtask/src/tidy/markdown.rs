//! The parts of a page of Markdown that its translation has too: headings, tables, list items, blocks of code.

/// What stands before and after a block of code.
const FENCE: &str = "```";

/// A part of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// A heading of this level.
    Heading(usize),
    /// The rows of a table, with its head.
    Table(Vec<Line<'a>>),
    /// An item of a list.
    Item,
    /// The lines of a block of code, the opening fence first, without comments and empty lines.
    Code(Vec<Line<'a>>),
}

/// A part, and the line it begins on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Placed<'a> {
    /// Counted from one.
    pub(super) line: usize,
    pub(super) part: Part<'a>,
}

/// A line of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Counted from one.
    pub(super) number: usize,
    pub(super) text: &'a str,
}

impl Line<'_> {
    fn is_fence(&self) -> bool {
        self.text.trim_start().starts_with(FENCE)
    }

    fn is_row(&self) -> bool {
        self.text.trim_start().starts_with('|')
    }

    /// The line without a comment that `#` begins, and without blanks at its end.
    fn without_comment(self) -> Self {
        let begins_comment = |at: &usize| {
            let (before, after) = (&self.text[..*at], &self.text[*at + 1..]);
            (before.is_empty() || before.ends_with(' ')) && (after.is_empty() || after.starts_with(' '))
        };
        let mut marks = self.text.match_indices('#').map(|(at, _)| at);
        let end = marks.find(begins_comment).unwrap_or(self.text.len());
        Self {
            number: self.number,
            text: self.text[..end].trim_end(),
        }
    }
}

/// The parts of a page, in their order.
pub(super) fn parts(page: &str) -> Vec<Placed<'_>> {
    let numbered = page.lines().zip(1..);
    let mut lines = numbered.map(|(text, number)| Line { number, text }).peekable();
    let mut parts = Vec::new();
    while let Some(first) = lines.next() {
        let part = if first.is_fence() {
            let rest = lines.by_ref().take_while(|line| !line.is_fence());
            let code = std::iter::once(first).chain(rest).map(Line::without_comment);
            Part::Code(code.filter(|line| !line.text.is_empty()).collect())
        } else if first.is_row() {
            let mut rows = vec![first];
            while let Some(row) = lines.next_if(|line| line.is_row()) {
                rows.push(row);
            }
            Part::Table(rows)
        } else if let Some(level) = heading(first.text) {
            Part::Heading(level)
        } else if is_item(first.text) {
            Part::Item
        } else {
            continue;
        };
        parts.push(Placed {
            line: first.number,
            part,
        });
    }
    parts
}

/// The level of a heading.
fn heading(line: &str) -> Option<usize> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    (level > 0 && line[level..].starts_with(' ')).then_some(level)
}

/// Whether an item of a list begins here, with a mark or with a number.
fn is_item(line: &str) -> bool {
    let text = line.trim_start();
    let after_digits = text.trim_start_matches(|next: char| next.is_ascii_digit());
    let is_marked = text.starts_with(['-', '*', '+']) && text[1..].starts_with(' ');
    is_marked || (after_digits.len() < text.len() && after_digits.starts_with(". "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_page_are_found() {
        let page = "# A\n\ntext | text\n\n| a |\n| - |\n\n| b |\n- c\n  c\n2. d\n*e* - f\n#g\n";
        let found: Vec<(usize, String)> = parts(page)
            .iter()
            .map(|placed| {
                let part = match &placed.part {
                    Part::Heading(level) => format!("heading {level}"),
                    Part::Table(rows) => format!("table {}", rows.len()),
                    Part::Item => "item".to_owned(),
                    Part::Code(_) => "code".to_owned(),
                };
                (placed.line, part)
            })
            .collect();
        let expected = [
            (1, "heading 1"),
            (5, "table 2"),
            (8, "table 1"),
            (9, "item"),
            (11, "item"),
        ];
        assert_eq!(found, expected.map(|(line, part)| (line, part.to_owned())));
    }

    #[test]
    fn comments_and_empty_lines_of_code_are_left_out() {
        let page = "```sh\n# all\n\na --b   # c\nd '#e'\n- f\n```\n- g\n";
        let found = parts(page);
        assert_eq!(found.len(), 2, "{found:?}");
        let Part::Code(lines) = &found[0].part else {
            panic!("{found:?}");
        };
        let lines: Vec<(usize, &str)> = lines.iter().map(|line| (line.number, line.text)).collect();
        assert_eq!(lines, [(1, "```sh"), (4, "a --b"), (5, "d '#e'"), (6, "- f")]);
        assert_eq!((found[1].line, &found[1].part), (8, &Part::Item));
    }
}
