//! The events of a session as logs and observers see them.
//!
//! Neither may ever see file contents or keys; logs show masked identifiers alone.

use uicc::ident::Eid;

use crate::observe::Event;
use crate::session::{Answered, SessionEvent};

/// Writes the log line of an event. Scripts have none: their commands have.
pub(super) fn log(session: &str, masked_eid: &str, event: &SessionEvent) {
    let eid = masked_eid;
    match event {
        SessionEvent::Work { work, resumed } => tracing::info!(session, eid, work, resumed, "work"),
        SessionEvent::Apdu(answered) => {
            tracing::debug!(
                session,
                eid,
                command = answered.description,
                sw = format!("{:04X}", answered.status),
                "answered"
            );
        }
        SessionEvent::Progress { step, steps } => tracing::info!(session, eid, step, steps, "progress"),
        SessionEvent::State { state, detail } => {
            tracing::info!(session, eid, state, detail, "state acknowledged")
        }
        SessionEvent::Script { .. } => {}
    }
}

/// The event that an observer sees. Scripts have none: their commands have.
pub(super) fn observed(session: String, eid: Eid, event: SessionEvent) -> Option<Event> {
    Some(match event {
        SessionEvent::Work { work, resumed } => Event::Work {
            session,
            eid,
            work,
            resumed,
        },
        SessionEvent::Apdu(Answered {
            description,
            command,
            status,
        }) => Event::Apdu {
            session,
            eid,
            description,
            command,
            sw: status,
        },
        SessionEvent::Progress { step, steps } => Event::Progress {
            session,
            eid,
            step,
            steps,
        },
        SessionEvent::State { state, detail } => Event::State {
            session,
            eid,
            state,
            detail,
        },
        SessionEvent::Script { .. } => return None,
    })
}
