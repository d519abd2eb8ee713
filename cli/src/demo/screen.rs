//! Output of the demonstration: one line for each event, in the order of the events.
//!
//! Lines come from several tasks; each is written whole. It must never show a key; the events carry none.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Width of the source column, in characters.
const SOURCE_WIDTH: usize = 9;
/// Most characters of a line; longer hex dumps are cut.
const MAX_LINE_CHARS: usize = 150;

/// The output of the process; cheap to clone.
#[derive(Clone)]
pub(crate) struct Screen(Arc<Shared>);

struct Shared {
    started: Instant,
    colour: bool,
    // Held while a line is written; a poisoned lock still writes.
    writing: Mutex<()>,
}

impl Screen {
    /// Writes to standard output, in colour if it is a terminal.
    pub(crate) fn new() -> Self {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self(Arc::new(Shared {
            started: Instant::now(),
            colour,
            writing: Mutex::new(()),
        }))
    }

    /// Writes a heading.
    pub(crate) fn heading(&self, title: &str) {
        self.write(&format!("\n{}", self.paint("1", title)));
    }

    /// Writes one line with its source, for example `client`.
    pub(crate) fn line(&self, source: &str, text: &str) {
        let seconds = self.0.started.elapsed().as_secs_f32();
        let colour = match source {
            "client" | "admin" => "36",
            "platform" => "32",
            "gateway" => "33",
            "module" | "chip" => "35",
            _ => "2",
        };
        let mut text: String = text.to_owned();
        if text.chars().count() > MAX_LINE_CHARS {
            text = text.chars().take(MAX_LINE_CHARS - 1).chain(['…']).collect();
        }
        self.write(&format!(
            "{seconds:7.2} {} {text}",
            self.paint(colour, &format!("{source:<SOURCE_WIDTH$}"))
        ));
    }

    /// Writes a check with its outcome.
    pub(crate) fn check(&self, holds: bool, text: &str) {
        let mark = if holds {
            self.paint("32", "✔")
        } else {
            self.paint("31", "✘")
        };
        self.write(&format!("        {mark} {text}"));
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
                description,
                command,
                sw,
                ..
            } => {
                let command = command.as_deref().unwrap_or("(key material, not shown)");
                self.line("gateway", &format!("  {description:<28} → {sw:04X}  {command}"));
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
            // The gateway's events show the same commands with their bytes.
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
