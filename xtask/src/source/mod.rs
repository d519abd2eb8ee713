//! Rust source, taken apart as far as the checks need: code without comments and literals, their texts, and tokens.

mod lexer;
mod token;

pub(crate) use lexer::{Text, separate};
pub(crate) use token::{Token, is_identifier, matching, separated, tokens, without_tests};

use crate::walk::File;

/// A file of Rust source.
pub(crate) struct Source {
    /// Its path within the checkout.
    pub(crate) path: String,
    /// Its length.
    pub(crate) lines: usize,
    /// Its tokens, those of tests too.
    pub(crate) tokens: Vec<Token>,
    /// Lines of comments, with what marks them.
    pub(crate) comments: Vec<Text>,
    /// Lines of string literals.
    pub(crate) strings: Vec<Text>,
}

impl Source {
    pub(crate) fn new(file: File) -> Self {
        let parts = separate(&file.text);
        Self {
            path: file.path,
            lines: file.text.lines().count(),
            tokens: tokens(&parts.code),
            comments: parts.comments,
            strings: parts.strings,
        }
    }
}
