//! The picture of a demonstration for the README: what the program printed, shortened, as SVG.

use std::fmt::Write as _;

/// Lines at the beginning and at the end of a part that are kept.
const KEPT: (usize, usize) = (5, 3);
/// Longest line, in columns; a Chinese character takes two.
const MAX_COLUMNS: usize = 108;
/// Width of ten columns and height of a line, in pixels.
const TEN_COLUMNS: usize = 72;
const LINE: usize = 17;
/// Space around the text, in pixels.
const MARGIN: usize = 16;

/// The picture of what a demonstration printed.
#[must_use]
pub(crate) fn svg(printed: &str) -> String {
    let lines = shortened(printed);
    let width = MAX_COLUMNS * TEN_COLUMNS / 10 + 2 * MARGIN;
    let height = lines.len() * LINE + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"ui-monospace, Menlo, Consolas, 'Noto Sans Mono CJK SC', monospace\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16181d\"/>\n"
    );
    for (at, line) in lines.iter().enumerate() {
        let y = MARGIN + (at + 1) * LINE - 5;
        let colour = colour(line);
        let text = escaped(line);
        // Writing to a String cannot fail.
        let _ = writeln!(
            svg,
            "<text x=\"{MARGIN}\" y=\"{y}\" fill=\"{colour}\" xml:space=\"preserve\">{text}</text>"
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn colour(line: &str) -> &'static str {
    if !line.starts_with(' ') {
        "#e5c07b"
    } else if line.contains('✔') {
        "#98c379"
    } else {
        "#d0d4dc"
    }
}

/// The headings, and the first and last lines of each part.
fn shortened(printed: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in printed.split("\n\n") {
        let part: Vec<&str> = part.lines().filter(|line| !line.is_empty()).collect();
        let Some((heading, rest)) = part.split_first() else {
            continue;
        };
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(cut(heading));
        let (first, last) = KEPT;
        let is_whole = rest.len() <= first + last + 1 || rest.iter().any(|line| line.contains('✔'));
        if is_whole {
            lines.extend(rest.iter().map(|line| cut(line)));
        } else {
            lines.extend(rest[..first].iter().map(|line| cut(line)));
            lines.push("   …".to_owned());
            lines.extend(rest[rest.len() - last..].iter().map(|line| cut(line)));
        }
    }
    lines
}

/// A line, at most [`MAX_COLUMNS`] wide.
fn cut(line: &str) -> String {
    let mut columns = 0;
    let mut kept = String::new();
    for letter in line.chars() {
        columns += if letter >= '\u{2e80}' { 2 } else { 1 };
        if columns >= MAX_COLUMNS {
            kept.push('…');
            break;
        }
        kept.push(letter);
    }
    kept
}

fn escaped(line: &str) -> String {
    line.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{shortened, svg};

    #[test]
    fn a_long_part_is_shortened_and_the_proofs_are_kept() {
        let long: String = (0..20).map(|at| format!("   0.0{at} line {at}\n")).collect();
        let printed = format!("\nBuild\n{long}\nProof\n   ✔ a < b\n");
        let lines = shortened(&printed);
        assert_eq!(lines.len(), 1 + 5 + 1 + 3 + 1 + 1 + 1);
        assert_eq!(lines[0], "Build");
        assert_eq!(lines[6], "   …");
        assert!(svg(&printed).contains("✔ a &lt; b"));
    }

    #[test]
    fn a_chinese_character_takes_two_columns() {
        let lines = shortened(&format!("x\n {}", "写".repeat(200)));
        assert!((50..=55).contains(&lines[1].chars().count()), "{}", lines[1]);
    }
}
