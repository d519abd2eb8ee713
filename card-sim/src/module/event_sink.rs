//! Passes the events of a module and its chip to an observer, in the order in which they happened.

use std::sync::Arc;

use crate::chip::Chip;
use crate::observer::{Event, Observer};

/// The observer of a module, if there is one.
#[derive(Default, Clone)]
pub(super) struct EventSink(Option<Arc<dyn Observer>>);

impl EventSink {
    /// A sink that passes every event to `observer`.
    pub(super) fn to(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }

    /// Passes on an event of the module, after the events that the chip recorded before it.
    pub(super) fn emit(&self, chip: &mut Chip, event: &Event) {
        if let Some(observer) = &self.0 {
            self.emit_recorded(chip);
            observer.event(&chip.id(), event);
        }
    }

    /// Passes on the events that the chip recorded.
    pub(super) fn emit_recorded(&self, chip: &mut Chip) {
        if let Some(observer) = &self.0 {
            let id = chip.id();
            chip.take_events()
                .iter()
                .for_each(|event| observer.event(&id, event));
        }
    }
}
