//! Rows of the call log that wait to be written together. A statement of many rows costs little more than one of a
//! single row, and nobody waits for it.
//!
//! Only calls that changed nothing come here: at any end of the process, what waits is lost.

use std::cell::RefCell;

use store::call_log::NewCallRow;

/// Most rows that wait; the call that brings the last one writes all of them.
const MAX_WAITING: usize = 256;

/// The rows of an instance.
#[derive(Default)]
pub(crate) struct WaitingCalls(RefCell<Waiting>);

#[derive(Default)]
struct Waiting {
    rows: Vec<NewCallRow>,
    has_writer: bool,
}

/// What is to be done after a row was added.
#[derive(Debug)]
pub(crate) enum Added {
    /// Nothing: somebody writes it later.
    Waits,
    /// Somebody has to be started who writes it later.
    NeedsWriter,
    /// These rows have to be written now.
    IsFull(Vec<NewCallRow>),
}

impl WaitingCalls {
    /// Adds a row.
    pub(crate) fn add(&self, row: NewCallRow) -> Added {
        let mut waiting = self.0.borrow_mut();
        waiting.rows.push(row);
        if waiting.rows.len() >= MAX_WAITING {
            return Added::IsFull(std::mem::take(&mut waiting.rows));
        }
        if std::mem::replace(&mut waiting.has_writer, true) {
            Added::Waits
        } else {
            Added::NeedsWriter
        }
    }

    /// Takes all rows. When there are none, whoever asks stops writing, and the next row needs another one.
    pub(crate) fn take(&self) -> Vec<NewCallRow> {
        let mut waiting = self.0.borrow_mut();
        waiting.has_writer = !waiting.rows.is_empty();
        std::mem::take(&mut waiting.rows)
    }
}
