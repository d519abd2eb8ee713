//! The commands in a document: in blocks of code, and in code within a line.

/// A command, and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snippet {
    /// The line, or the first line of the paragraph, counted from one.
    pub(crate) line: usize,
    /// The words, those that set variables before it left out.
    pub(crate) words: Vec<String>,
}

/// Languages of blocks that hold commands.
const SHELLS: [&str; 5] = ["", "sh", "bash", "shell", "console"];
/// Programs whose commands are held to the checkout.
const PROGRAMS: [&str; 2] = ["cargo", "xieka"];

/// Every command of [`PROGRAMS`] in a document.
pub(crate) fn commands(document: &str) -> Vec<Snippet> {
    let mut found = Vec::new();
    // The language of the block around the line, if there is one.
    let mut block: Option<&str> = None;
    let (mut first, mut paragraph) = (1, String::new());
    for (index, line) in document.lines().chain([""]).enumerate() {
        let (number, text) = (index + 1, line.trim());
        let fence = text.strip_prefix("```");
        if block.is_none() && (text.is_empty() || fence.is_some()) {
            for code in paragraph.split('`').skip(1).step_by(2) {
                found.extend(in_code(first, code));
            }
            paragraph.clear();
        }
        match (fence, block) {
            (Some(_), Some(_)) => block = None,
            (Some(language), None) => block = Some(language),
            (None, Some(language)) if SHELLS.contains(&language) => found.extend(in_code(number, text)),
            (None, _) if text.is_empty() => {}
            (None, Some(_)) => {}
            (None, None) => {
                if paragraph.is_empty() {
                    first = number;
                }
                paragraph.push_str(text);
                paragraph.push(' ');
            }
        }
    }
    found
}

/// The commands in code, which may name several, one after the other. What follows a redirection is not looked at.
fn in_code(line: usize, code: &str) -> Vec<Snippet> {
    let mut snippets = Vec::new();
    for command in code.split([';', '|', '&']) {
        let words = command
            .split_whitespace()
            .take_while(|word| !word.starts_with('#') && !["…", "<", ">"].contains(word))
            .skip_while(|word| *word == "$" || is_assignment(word));
        let words: Vec<String> = words.map(str::to_owned).collect();
        // The bare name of a program is no command.
        if words.len() > 1 && PROGRAMS.contains(&words[0].as_str()) {
            snippets.push(Snippet { line, words });
        }
    }
    snippets
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    !name.is_empty() && name.chars().all(|next| next.is_ascii_uppercase() || next == '_')
}

#[test]
fn commands_are_found_in_blocks_and_in_lines() {
    let document = "# Title\n\n```sh\ncargo test   # all\nls\n```\n\nThen `A=1 cargo run\n-- up`, `set -a; . ./.env; B=c \
                    cargo run --bin d` and\n`cargo`, not cargo test.\n\n```json\ncargo build\n```\n";
    let found: Vec<_> = commands(document)
        .into_iter()
        .map(|snippet| (snippet.line, snippet.words.join(" ")))
        .collect();
    let expected = [
        (4, "cargo test"),
        (8, "cargo run -- up"),
        (8, "cargo run --bin d"),
    ];
    assert_eq!(found, expected.map(|(line, words)| (line, words.to_owned())));
}
