//! What the demonstration shows: one line for each thing that happens, in the order it happens.
//!
//! Lines come from several tasks; each is written whole. Keys never get here: the observers do not hand them out.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Width of the column that says who speaks.
const WHO_WIDTH: usize = 9;
/// The longest line that is shown, in characters; hex dumps are cut here.
const MAX_LINE: usize = 150;

/// The terminal; cheap to clone.
#[derive(Clone)]
pub(crate) struct Screen(Arc<Shared>);

struct Shared {
    started: Instant,
    colour: bool,
    // Held while a line is written; a poisoned lock still writes.
    writing: Mutex<()>,
}

impl Screen {
    /// The process's standard output, coloured if it is a terminal.
    pub(crate) fn new() -> Self {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self(Arc::new(Shared {
            started: Instant::now(),
            colour,
            writing: Mutex::new(()),
        }))
    }

    /// A heading.
    pub(crate) fn chapter(&self, title: &str) {
        self.write(&format!("\n{}", self.paint("1", title)));
    }

    /// One line: who speaks, and what.
    pub(crate) fn line(&self, who: &str, what: &str) {
        let seconds = self.0.started.elapsed().as_secs_f32();
        let colour = match who {
            "client" | "admin" => "36",
            "platform" => "32",
            "gateway" => "33",
            "module" | "chip" => "35",
            _ => "2",
        };
        let mut what: String = what.to_owned();
        if what.chars().count() > MAX_LINE {
            what = what.chars().take(MAX_LINE - 1).chain(['…']).collect();
        }
        self.write(&format!(
            "{seconds:7.2} {} {what}",
            self.paint(colour, &format!("{who:<WHO_WIDTH$}"))
        ));
    }

    /// A check and its outcome.
    pub(crate) fn check(&self, holds: bool, what: &str) {
        let mark = if holds {
            self.paint("32", "✔")
        } else {
            self.paint("31", "✘")
        };
        self.write(&format!("        {mark} {what}"));
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.0.colour {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn write(&self, text: &str) {
        let _writing = self
            .0
            .writing
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // A closed pipe is no reason to stop writing a card.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
}

impl ota_gateway::Observer for Screen {
    fn event(&self, event: &ota_gateway::Event) {
        use ota_gateway::Event;
        match event {
            Event::Handshake { version, suite, .. } => {
                self.line("gateway", &format!("{version} {suite}, key of the chip found"))
            }
            Event::Work { work, resumed, .. } => {
                let resumed = if *resumed { ", the chip resumes" } else { "" };
                self.line("gateway", &format!("work for this session: {work}{resumed}"));
            }
            Event::Apdu {
                meaning, command, sw, ..
            } => {
                let command = command.as_deref().unwrap_or("(key material, not shown)");
                self.line("gateway", &format!("  {meaning:<28} → {sw:04X}  {command}"));
            }
            Event::Progress { step, steps, .. } => {
                self.line("gateway", &format!("script {step} of {steps} acknowledged"))
            }
            Event::State { state, detail, .. } => {
                let detail = detail
                    .as_deref()
                    .map(|detail| format!(": {detail}"))
                    .unwrap_or_default();
                self.line("gateway", &format!("reported {state}{detail}"));
            }
            Event::End {
                reason,
                bytes_up,
                bytes_down,
                ..
            } => {
                self.line(
                    "gateway",
                    &format!("session over ({reason}), {bytes_up} bytes up, {bytes_down} bytes down"),
                );
            }
            _ => {}
        }
    }
}

impl card_sim::Observer for Screen {
    fn event(&self, _chip: &card_sim::ChipId, event: &card_sim::Event) {
        use card_sim::Event;
        match event {
            // The gateway's side shows the same commands with their bytes.
            Event::Apdu { .. } => {}
            Event::Proactive { description, bytes } => {
                self.line("chip", &format!("{description}  {}", hex::encode_upper(bytes)));
            }
            Event::TlsEstablished { .. }
            | Event::Request { .. }
            | Event::Answer { .. }
            | Event::SessionEnded(_) => {
                self.line("chip", &event.to_string());
            }
            other => self.line("module", &other.to_string()),
        }
    }
}
