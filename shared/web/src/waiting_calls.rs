//! Rows of the call log that wait to be written together, and refused calls that are summed up meanwhile. A statement of
//! many rows costs little more than one of a single row, and nobody waits for it.
//!
//! Only calls that changed nothing come here: at any end of the process, what waits is lost.

use std::cell::RefCell;

use domain::Timestamp;
use store::call_log::{MAX_SUMMED_ADDRESSES, NewCallRow, RefusedCaller, RefusedCalls, Sums, minute_of};

/// Most rows that wait; the call that brings the last one writes all of them.
const MAX_WAITING: usize = 256;
/// Most callers of a minute whose refused calls are summed up apart: the addresses, and clients.
const MAX_SUMMED: usize = 2 * MAX_SUMMED_ADDRESSES;

/// What waits.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) rows: Vec<NewCallRow>,
    /// Refused calls, by their minute.
    pub(crate) sums: Vec<(Timestamp, Sums)>,
}

impl Batch {
    /// Adds refused calls of a caller to those of their minute.
    pub(crate) fn sum_up(&mut self, caller: RefusedCaller, calls: RefusedCalls) {
        let minute = minute_of(calls.first);
        let at = self.sums.iter().position(|(known, _)| *known == minute);
        let at = at.unwrap_or_else(|| {
            self.sums.push((minute, Sums::new()));
            self.sums.len() - 1
        });
        let Some((_, sums)) = self.sums.get_mut(at) else {
            return;
        };
        let is_known = sums.iter().any(|(known, _)| *known == caller);
        let caller = if is_known || sums.len() < MAX_SUMMED {
            caller
        } else {
            RefusedCaller::Others
        };
        match sums.iter_mut().find(|(known, _)| *known == caller) {
            Some((_, there)) => there.add(calls),
            None => sums.push((caller, calls)),
        }
    }

    /// Whether nothing is to be written.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.sums.is_empty()
    }
}

/// The rows of an instance.
#[derive(Default)]
pub(crate) struct WaitingCalls(RefCell<Waiting>);

#[derive(Default)]
struct Waiting {
    batch: Batch,
    has_writer: bool,
}

/// What is to be done after a row was added.
#[derive(Debug)]
pub(crate) enum Added {
    /// Nothing: somebody writes it later.
    Waits,
    /// Somebody has to be started who writes it later.
    NeedsWriter,
    /// These have to be written now.
    IsFull(Batch),
}

impl WaitingCalls {
    /// Adds what one call leaves.
    pub(crate) fn add(&self, one: Batch) -> Added {
        let mut waiting = self.0.borrow_mut();
        waiting.batch.rows.extend(one.rows);
        for (caller, calls) in one.sums.into_iter().flat_map(|(_, sums)| sums) {
            waiting.batch.sum_up(caller, calls);
        }
        if waiting.batch.rows.len() >= MAX_WAITING {
            return Added::IsFull(std::mem::take(&mut waiting.batch));
        }
        if std::mem::replace(&mut waiting.has_writer, true) {
            Added::Waits
        } else {
            Added::NeedsWriter
        }
    }

    /// Takes everything. When there is nothing, whoever asks stops writing, and the next call needs another one.
    pub(crate) fn take(&self) -> Option<Batch> {
        let mut waiting = self.0.borrow_mut();
        waiting.has_writer = !waiting.batch.is_empty();
        waiting.has_writer.then(|| std::mem::take(&mut waiting.batch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_calls_of_a_caller_are_one_row_of_their_minute() {
        let mut batch = Batch::default();
        for second in [0, 59, 60, 30] {
            let caller = RefusedCaller::Address("203.0.113.9".to_owned());
            let calls = RefusedCalls::one(Timestamp(second * 1_000), 401, "token_missing");
            batch.sum_up(caller, calls);
        }
        let minutes = batch.sums.iter().map(|(minute, sums)| {
            let calls: Vec<i64> = sums.iter().map(|(_, calls)| calls.calls).collect();
            (minute.millis(), calls)
        });
        assert_eq!(minutes.collect::<Vec<_>>(), [(0, vec![3]), (60_000, vec![1])]);
    }
}
