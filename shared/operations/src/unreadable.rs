//! Opens the sealed values of rows in a list. A value that cannot be opened is left out and named in its row, and the
//! operator's log learns of it; it never hides the other rows.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{CallFacts, Context, Identifiers};
use domain::{mask_identifiers, masked};
use vault::{Column, Vault};

/// Opens the values of one row.
pub(super) struct RowOpener<'a> {
    vault: &'a Vault,
    found: &'a CallFacts,
    row: &'a [u8],
    identifiers: Identifiers,
    /// The fields whose values cannot be opened.
    pub(super) unreadable: Vec<&'static str>,
}

impl<'a> RowOpener<'a> {
    /// Opens values that are bound to this row.
    pub(super) fn new<D>(cx: &'a Context<'_, D>, row: &'a [u8]) -> Self {
        Self {
            vault: cx.vault,
            found: &cx.found,
            row,
            identifiers: cx.identifiers,
            unreadable: Vec::new(),
        }
    }

    /// The identifier in a field, masked where the call asks for that; `None` if there is none, or if it cannot be opened.
    pub(super) fn identifier(
        &mut self,
        field: &'static str,
        column: Column,
        sealed: Option<&[u8]>,
    ) -> Option<String> {
        let identifier = self.open(field, column, sealed)?;
        Some(match self.identifiers {
            Identifiers::InFull => identifier,
            Identifiers::Masked => masked(&identifier),
        })
    }

    /// The text of a field, with identifiers in it masked where the call asks for that; `None` if there is none, or if it
    /// cannot be opened.
    pub(super) fn text(
        &mut self,
        field: &'static str,
        column: Column,
        sealed: Option<&[u8]>,
    ) -> Option<String> {
        let text = self.open(field, column, sealed)?;
        Some(match self.identifiers {
            Identifiers::InFull => text,
            Identifiers::Masked => mask_identifiers(&text),
        })
    }

    // Masks nothing.
    fn open(&mut self, field: &'static str, column: Column, sealed: Option<&[u8]>) -> Option<String> {
        match self.vault.open_identifier(column, self.row, sealed?) {
            Ok(text) => Some(text),
            Err(error) => self.mark(field, &error.to_string()),
        }
    }

    /// The same of a JSON document, with the texts in it.
    pub(super) fn document<T: DeserializeOwned>(
        &mut self,
        field: &'static str,
        column: Column,
        sealed: Option<&[u8]>,
    ) -> Option<T> {
        let text = self.open(field, column, sealed)?;
        let read = match self.identifiers {
            Identifiers::InFull => serde_json::from_str(&text),
            Identifiers::Masked => serde_json::from_str(&text).and_then(|mut document| {
                mask_texts(&mut document);
                serde_json::from_value(document)
            }),
        };
        match read {
            Ok(document) => Some(document),
            // The parser's own text could quote the value.
            Err(_) => self.mark(field, column.0),
        }
    }

    fn mark<T>(&mut self, field: &'static str, cause: &str) -> Option<T> {
        self.unreadable.push(field);
        self.found.note_unreadable(cause);
        None
    }
}

/// Masks identifiers in every text of a document.
fn mask_texts(document: &mut Value) {
    match document {
        Value::String(text) => *text = mask_identifiers(text),
        Value::Array(values) => values.iter_mut().for_each(mask_texts),
        Value::Object(fields) => fields.values_mut().for_each(mask_texts),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
