//! The expected platform as lines of text, in the words of the product's rows.

use super::{Expected, Place, State, Use};

impl Expected {
    /// Chips, tasks and numbers, a line each.
    pub(in super::super) fn lines(&self) -> Vec<String> {
        let chips = (0..self.chips.len()).map(|n| self.chip_line(n));
        let tasks = (0..self.tasks.len()).map(|n| self.task_line(n));
        let numbers = (0..self.numbers.len()).map(|n| self.number_line(n));
        let mut lines: Vec<String> = chips.chain(tasks).chain(numbers).collect();
        lines.sort();
        lines
    }

    fn chip_line(&self, n: usize) -> String {
        let chip = &self.chips[n];
        let mut line = format!("chip {n} {}", chip.card.name());
        for (holds, word) in [
            (chip.faulty, " faulty"),
            (chip.destroyed, " destroyed"),
            (chip.reopened, " reopened"),
        ] {
            line += if holds { word } else { "" };
        }
        line
    }

    fn task_line(&self, n: usize) -> String {
        let task = &self.tasks[n];
        let work = if task.verify { " verify" } else { " write" };
        let (state, work, failure) = match task.state {
            State::Waiting => ("waiting", work, "-"),
            State::Writing => ("writing", work, "-"),
            State::Succeeded => ("succeeded", "", "-"),
            State::Failed(failure) => ("failed", "", failure),
            State::Withdrawn => ("cancelled", "", "-"),
            State::Ended(failure) => ("cancelled", "", failure),
        };
        let (chip, number, attempt) = (task.chip, task.number, task.attempt);
        format!("task {n} chip {chip} number {number} {state}{work} {attempt} {failure}")
    }

    fn number_line(&self, n: usize) -> String {
        let number = &self.numbers[n];
        let owner = number
            .client
            .map_or("pool".to_owned(), |client| format!("client {client}"));
        let (chip, task) = match number.place {
            Place::Home => (None, None),
            Place::Held(chip) => (Some(chip), None),
            Place::For(task) | Place::On(task) => (Some(self.tasks[task].chip), Some(task)),
        };
        let status = match (number.usable, number.place) {
            (Use::Retired, _) => "retired",
            (Use::Suspended, _) => "suspended",
            (Use::Active, Place::Home) if number.client.is_some() => "allotted",
            (Use::Active, Place::Home) => "available",
            (Use::Active, Place::For(_) | Place::Held(_)) => "reserved",
            (Use::Active, Place::On(_)) => "written",
        };
        let chip = chip.map_or("-".to_owned(), |chip| format!("chip {chip}"));
        let task = task.map_or("-".to_owned(), |task| format!("task {task}"));
        let sent = if number.sent_in.is_empty() { "" } else { " sent" };
        let written = if matches!(number.place, Place::On(_)) {
            " written"
        } else {
            ""
        };
        format!("number {n} {status} {chip} {task} {owner}{sent}{written}")
    }
}
