//! Which modules a file names: `mod` declarations, `use` declarations, and paths that begin with `crate` or `super`.

use crate::source::{Token, is_identifier, matching};

/// The paths of one file, each with the inline modules around it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Paths {
    /// Modules in files of their own.
    pub(super) modules: Vec<(Vec<String>, String)>,
    /// Modules written out within the file.
    pub(super) inline: Vec<Vec<String>>,
    /// Names that `use` brings in, with what they stand for.
    pub(super) names: Vec<Import>,
    /// Other places that name something of the crate.
    pub(super) uses: Vec<Mention>,
}

/// A name that `use` brings in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) around: Vec<String>,
    pub(super) name: String,
    pub(super) path: Vec<String>,
}

/// A path that begins with `crate`, `super` or, in a `use`, anything.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) around: Vec<String>,
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

/// Reads the tokens of a file, without those of its tests.
pub(super) fn read(tokens: &[Token]) -> Paths {
    let mut paths = Paths::default();
    // Inline modules around the token, each with the index of its closing brace.
    let mut around: Vec<(String, usize)> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        around.retain(|(_, end)| at < *end);
        let names: Vec<String> = around.iter().map(|(name, _)| name.clone()).collect();
        let text = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.text.as_str());
        match text(0) {
            "mod" if is_identifier(text(1)) && text(2) == ";" => {
                paths.modules.push((names, text(1).to_owned()));
                at += 3;
            }
            "mod" if is_identifier(text(1)) && text(2) == "{" => {
                around.push((text(1).to_owned(), matching(tokens, at + 2)));
                paths
                    .inline
                    .push(around.iter().map(|(name, _)| name.clone()).collect());
                at += 3;
            }
            "use" => {
                let line = tokens[at].line;
                let mut tree = Tree { tokens, at: at + 1 };
                for (path, name) in tree.read(&[]) {
                    paths.names.push(Import {
                        around: names.clone(),
                        name,
                        path: path.clone(),
                    });
                    paths.uses.push(Mention {
                        around: names.clone(),
                        path,
                        line,
                    });
                }
                at = tree.at;
            }
            "crate" | "super" if text(1) == "::" && !is_visibility(tokens, at) => {
                let line = tokens[at].line;
                let mut path = vec![text(0).to_owned()];
                at += 1;
                while at + 1 < tokens.len() && tokens[at].text == "::" && is_identifier(&tokens[at + 1].text)
                {
                    path.push(tokens[at + 1].text.clone());
                    at += 2;
                }
                paths.uses.push(Mention {
                    around: names,
                    path,
                    line,
                });
            }
            _ => at += 1,
        }
    }
    paths
}

/// Whether a path says who may see an item, as in `pub(in crate::a)`; or belongs to a macro, as in `$crate::a`.
fn is_visibility(tokens: &[Token], at: usize) -> bool {
    at > 0 && matches!(tokens[at - 1].text.as_str(), "in" | "$")
}

/// The tree of a `use` declaration.
struct Tree<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Tree<'_> {
    fn text(&self) -> &str {
        self.tokens.get(self.at).map_or(";", |token| token.text.as_str())
    }

    /// The paths below `stem`, each with the name it brings in; `*` for a glob.
    fn read(&mut self, stem: &[String]) -> Vec<(Vec<String>, String)> {
        let mut path = stem.to_vec();
        loop {
            match self.text() {
                "::" => self.at += 1,
                "{" => {
                    self.at += 1;
                    let mut all = Vec::new();
                    while !matches!(self.text(), "}" | ";") {
                        all.extend(self.read(&path));
                        if self.text() == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return all;
                }
                "as" => {
                    self.at += 1;
                    let name = self.text().to_owned();
                    self.at += 1;
                    return vec![(path, name)];
                }
                "*" => {
                    self.at += 1;
                    return vec![(path, "*".to_owned())];
                }
                // `a::{self}` brings in `a`.
                "self" if !path.is_empty() => self.at += 1,
                text if is_identifier(text) => {
                    path.push(text.to_owned());
                    self.at += 1;
                }
                _ => {
                    let name = path.last().cloned().unwrap_or_default();
                    if !matches!(self.text(), "," | "}" | ";") {
                        // Source that does not compile: move on.
                        self.at += 1;
                    }
                    return vec![(path, name)];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tokens;

    fn joined(path: &[String]) -> String {
        path.join("::")
    }

    #[test]
    fn the_tree_of_a_use_is_read_with_its_names() {
        let paths = read(&tokens("pub use crate::a::{self, b::{C as D, *}, e};"));
        let names: Vec<_> = paths
            .names
            .iter()
            .map(|import| format!("{}={}", import.name, joined(&import.path)))
            .collect();
        assert_eq!(
            names,
            ["a=crate::a", "D=crate::a::b::C", "*=crate::a::b", "e=crate::a::e"]
        );
    }

    #[test]
    fn modules_and_paths_are_read_with_the_inline_modules_around_them() {
        let code = "mod a;\nmod b { mod c; use super::d; }\nfn e() { super::f::g(crate::h) }\npub(in crate::i) struct J;";
        let paths = read(&tokens(code));
        let modules: Vec<_> = paths
            .modules
            .iter()
            .map(|(around, name)| format!("{}/{name}", joined(around)))
            .collect();
        assert_eq!(modules, ["/a", "b/c"]);
        let uses: Vec<_> = paths
            .uses
            .iter()
            .map(|one| (joined(&one.around), joined(&one.path), one.line))
            .collect();
        let expected = [("b", "super::d", 2), ("", "super::f::g", 3), ("", "crate::h", 3)];
        assert_eq!(
            uses,
            expected.map(|(around, path, line)| (around.to_owned(), path.to_owned(), line))
        );
    }
}
