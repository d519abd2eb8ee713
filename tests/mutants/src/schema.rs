//! Puts all mutants of a file into it at once, each behind a question that the running test answers.
//!
//! A build for every mutant takes most of the time of a run. With all of them in one build, a mutant is an environment
//! variable of the tests. What cannot be put behind a question (in `const fn`, for example) is reported as left out.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context, Result};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::list::{Genre, Mutant, Position};

/// The path of the question within a crate.
const ACTIVE: &str = "crate::__mutants::is_active";

/// A file with its mutants.
pub(crate) struct Instrumented {
    pub(crate) text: String,
    /// Those that need a build of their own.
    pub(crate) left_out: Vec<usize>,
    /// Those that no compiler accepts: `||` beside a `let`.
    pub(crate) unviable: Vec<usize>,
}

/// One place of a file: what stands in its range is wrapped.
struct Site {
    range: Range<usize>,
    changes: Vec<(usize, Change)>,
}

enum Change {
    /// This text instead of the expression.
    Instead(String),
    /// The condition of a match arm is false.
    Never,
    /// The condition of a match arm that has none is false; the range is empty.
    NeverWithout,
    /// The function returns this before anything else; the range is its whole body.
    Return(String),
}

/// Puts the mutants, each with its number, into the text of their file.
///
/// # Errors
/// A text that is no Rust.
pub(crate) fn instrument(text: &str, mutants: &[(usize, &Mutant)]) -> Result<Instrumented> {
    let mut shapes = Shapes::default();
    shapes.visit_file(&syn::parse_file(text)?);
    let mut done = Instrumented {
        text: String::new(),
        left_out: Vec::new(),
        unviable: Vec::new(),
    };
    let mut sites: BTreeMap<(usize, usize), Site> = BTreeMap::new();
    for &(id, mutant) in mutants {
        match shapes.place(text, mutant)? {
            Place::At(range, change) => {
                // Outer ranges first.
                let key = (range.start, usize::MAX - range.end);
                let site = sites.entry(key).or_insert(Site {
                    range,
                    changes: Vec::new(),
                });
                site.changes.push((id, change));
            }
            Place::Alone => done.left_out.push(id),
            Place::Unviable => done.unviable.push(id),
        }
    }
    let sites: Vec<Site> = sites.into_values().collect();
    done.text = render(text, 0..text.len(), &mut sites.as_slice());
    Ok(done)
}

/// The text of a range, with the sites that lie in it; takes them from the front of the list.
fn render(text: &str, range: Range<usize>, sites: &mut &[Site]) -> String {
    let mut rendered = String::new();
    let mut at = range.start;
    while let Some((site, rest)) = sites.split_first()
        && site.range.end <= range.end
    {
        *sites = rest;
        rendered += &text[at..site.range.start];
        let inner = render(text, site.range.clone(), sites);
        let wrap = |inner, (id, change): &(usize, Change)| wrapped(inner, *id, change);
        rendered += &site.changes.iter().fold(inner, wrap);
        at = site.range.end;
    }
    rendered + &text[at..range.end]
}

fn wrapped(inner: String, id: usize, change: &Change) -> String {
    match change {
        Change::Instead(other) => {
            format!(
                "(/*[{id}*/if {ACTIVE}({id}) {{/*<{id}*/ {other} /*>{id}*/}} else {{ {inner} }}/*]{id}*/)"
            )
        }
        Change::Never => format!("(/*[{id}*/!{ACTIVE}({id}) && ({inner})/*]{id}*/)"),
        Change::NeverWithout => format!(" if /*[{id}*/!{ACTIVE}({id})/*]{id}*/"),
        Change::Return(value) => {
            format!("/*[{id}*/if {ACTIVE}({id}) {{/*<{id}*/ return {value}; /*>{id}*/}} {inner}/*]{id}*/")
        }
    }
}

/// Where a mutant goes.
enum Place {
    At(Range<usize>, Change),
    Alone,
    Unviable,
}

/// What the syntax tree says about a file.
#[derive(Default)]
struct Shapes {
    /// The inside of the braces, and whether the function is `const`.
    functions: Vec<(Range<usize>, bool)>,
    /// By the start of the operator.
    binaries: BTreeMap<usize, Binary>,
    /// By the start of the operator: operand and whole.
    unaries: BTreeMap<usize, (Range<usize>, Range<usize>)>,
    /// By the start of an arm without a condition: the end of its pattern.
    arms: BTreeMap<usize, usize>,
}

struct Binary {
    left: Range<usize>,
    right: Range<usize>,
    has_let: bool,
}

impl Shapes {
    fn place(&self, text: &str, mutant: &Mutant) -> Result<Place> {
        let start = offset(text, mutant.span.start).context("a position outside of its file")?;
        let end = offset(text, mutant.span.end).context("a position outside of its file")?;
        let around = self
            .functions
            .iter()
            .filter(|(body, _)| body.start <= start && end <= body.end);
        let Some((body, is_const)) = around.min_by_key(|(body, _)| body.len()) else {
            return Ok(Place::Alone);
        };
        if *is_const {
            return Ok(Place::Alone);
        }
        let replacement = mutant.replacement.clone();
        let place = match mutant.genre {
            Genre::FnValue => Place::At(body.clone(), Change::Return(replacement)),
            Genre::MatchArmGuard if replacement == "false" => Place::At(start..end, Change::Never),
            Genre::MatchArmGuard => Place::At(start..end, Change::Instead(replacement)),
            Genre::BinaryOperator => match self.binaries.get(&start) {
                Some(binary) if binary.has_let => Place::Unviable,
                Some(Binary { left, right, .. }) => {
                    let (left, right) = (left.clone(), right.clone());
                    let other = format!("{} {replacement} {}", &text[left.clone()], &text[right.clone()]);
                    Place::At(left.start..right.end, Change::Instead(other))
                }
                None => Place::Alone,
            },
            Genre::UnaryOperator => self.unaries.get(&start).map_or(Place::Alone, |(operand, whole)| {
                Place::At(whole.clone(), Change::Instead(text[operand.clone()].to_owned()))
            }),
            Genre::MatchArm => self.arms.get(&start).map_or(Place::Alone, |&pattern| {
                Place::At(pattern..pattern, Change::NeverWithout)
            }),
            Genre::Other => Place::Alone,
        };
        Ok(place)
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let braces = block.brace_token.span;
        let body = braces.open().byte_range().end..braces.close().byte_range().start;
        self.functions.push((body, signature.constness.is_some()));
    }
}

impl<'ast> Visit<'ast> for Shapes {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let shape = Binary {
            left: binary.left.span().byte_range(),
            right: binary.right.span().byte_range(),
            has_let: has_let(&binary.left) || has_let(&binary.right),
        };
        self.binaries.insert(binary.op.span().byte_range().start, shape);
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        let shape = (unary.expr.span().byte_range(), unary.span().byte_range());
        self.unaries.insert(unary.op.span().byte_range().start, shape);
        visit::visit_expr_unary(self, unary);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let pattern = arm.pat.span().byte_range().end;
        self.arms.insert(arm.span().byte_range().start, pattern);
        visit::visit_arm(self, arm);
    }
}

/// Whether the expression is a `let` of a condition, or a chain of conditions with one.
fn has_let(expression: &syn::Expr) -> bool {
    match expression {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => {
            matches!(binary.op, syn::BinOp::And(_)) && (has_let(&binary.left) || has_let(&binary.right))
        }
        _ => false,
    }
}

/// The byte at which a position lies.
pub(crate) fn offset(text: &str, position: Position) -> Option<usize> {
    let lines = text.split_inclusive('\n').take(position.line - 1);
    let before: usize = lines.map(str::len).sum();
    let line = text.get(before..)?;
    let mut columns = line.char_indices().map(|(at, _)| at).chain([line.len()]);
    Some(before + columns.nth(position.column - 1)?)
}

/// The innermost mutant around a byte of an instrumented text, and whether the byte is in what replaces the original.
pub(crate) fn at(text: &str, byte: usize) -> Option<(usize, bool)> {
    let mut around: Vec<(usize, bool)> = Vec::new();
    for (start, _) in text[..byte].match_indices("/*") {
        let mark = text[start + 2..].split("*/").next().unwrap_or_default();
        let Some(kind) = mark.chars().next().filter(|kind| "[]<>".contains(*kind)) else {
            continue;
        };
        match mark[1..].parse() {
            Ok(id) if "[<".contains(kind) => around.push((id, kind == '<')),
            Ok(_) => drop(around.pop()),
            // A comment or a text of the file's own.
            Err(_) => {}
        }
    }
    around.pop()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::tests::mutant;

    /// Without marks and with the question in short.
    fn plain(text: &str) -> String {
        let mut plain = text.replace(ACTIVE, "on");
        while let (Some(start), Some(end)) = (plain.find("/*"), plain.find("*/")) {
            plain.replace_range(start..end + 2, "");
        }
        plain
    }

    #[test]
    fn a_binary_operator_an_outer_one_and_the_function_around_are_in_one_text() {
        let text = "fn f() -> bool { a == 1 && b }\n";
        let returned = mutant(Genre::FnValue, (1, 18), (1, 29), "true");
        let and = mutant(Genre::BinaryOperator, (1, 25), (1, 27), "||");
        let equal = mutant(Genre::BinaryOperator, (1, 20), (1, 22), "!=");
        let done = instrument(text, &[(1, &returned), (2, &and), (3, &equal)]).unwrap();
        let expected = "fn f() -> bool {if on(1) { return true; }  \
                        (if on(2) { a == 1 || b } else { (if on(3) { a != 1 } else { a == 1 }) && b }) }\n";
        assert_eq!(plain(&done.text), expected);
    }

    #[test]
    fn a_deleted_arm_has_a_condition_that_is_false() {
        let text = "fn f() { match a { 1 => b(), x if x > 2 => c(), _ => d() } }";
        let arm = mutant(Genre::MatchArm, (1, 20), (1, 29), "");
        let guard = mutant(Genre::MatchArmGuard, (1, 35), (1, 40), "true");
        let never = mutant(Genre::MatchArmGuard, (1, 35), (1, 40), "false");
        let done = instrument(text, &[(1, &arm), (2, &guard), (3, &never)]).unwrap();
        let expected = "fn f() { match a { 1 if !on(1) => b(), \
                        x if (!on(3) && ((if on(2) { true } else { x > 2 }))) => c(), _ => d() } }";
        assert_eq!(plain(&done.text), expected);
    }

    #[test]
    fn a_const_function_needs_a_build_of_its_own_and_a_let_with_or_never_compiles() {
        let text = "const fn f() -> u8 { 1 }\nfn g() { if let Some(_) = a && b { c() } }";
        let constant = mutant(Genre::FnValue, (1, 22), (1, 23), "0");
        let or = mutant(Genre::BinaryOperator, (2, 29), (2, 31), "||");
        let done = instrument(text, &[(1, &constant), (2, &or)]).unwrap();
        assert_eq!((done.left_out, done.unviable), (vec![1], vec![2]));
        assert_eq!(done.text, text);
    }

    #[test]
    fn a_byte_belongs_to_the_innermost_mutant_around_it() {
        let text = "fn f() -> bool { a == 1 }\n";
        let returned = mutant(Genre::FnValue, (1, 18), (1, 24), "true");
        let equal = mutant(Genre::BinaryOperator, (1, 20), (1, 22), "!=");
        let text = instrument(text, &[(1, &returned), (2, &equal)]).unwrap().text;
        assert_eq!(at(&text, text.find("true").unwrap()), Some((1, true)));
        assert_eq!(at(&text, text.find("!=").unwrap()), Some((2, true)));
        assert_eq!(at(&text, text.find("==").unwrap()), Some((2, false)));
        assert_eq!(at(&text, text.rfind('}').unwrap()), None);
    }
}
