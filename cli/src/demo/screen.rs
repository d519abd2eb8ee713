//! Output of the demonstration: one line for each event, in the order of the events.
//!
//! Lines come from several tasks; each is written whole. It must never show a key; the events carry none.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::card_text;
use crate::language::text;

/// Width of the source column; a Chinese character has two columns.
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
    pub(crate) fn line(&self, source: &str, line: &str) {
        let seconds = self.0.started.elapsed().as_secs_f32();
        let colour = match source {
            "client" | "admin" => "36",
            "platform" => "32",
            "gateway" => "33",
            "module" | "chip" => "35",
            _ => "2",
        };
        let mut line: String = line.to_owned();
        if line.chars().count() > MAX_LINE_CHARS {
            line = line.chars().take(MAX_LINE_CHARS - 1).chain(['…']).collect();
        }
        self.write(&format!(
            "{seconds:7.2} {} {line}",
            self.paint(colour, &label(source))
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

/// The name of a source as it is shown, filled up to the width of the column.
fn label(source: &str) -> String {
    let zh = match source {
        "build" => "构建",
        "platform" => "平台",
        "gateway" => "网关",
        "client" => "业务系统",
        "admin" => "管理员",
        "module" => "模组",
        "chip" => "芯片",
        other => other,
    };
    let label = text(zh, source);
    let columns: usize = label
        .chars()
        .map(|next| if next.is_ascii() { 1 } else { 2 })
        .sum();
    format!("{label}{}", " ".repeat(SOURCE_WIDTH.saturating_sub(columns)))
}

impl ota_gateway::Observer for Screen {
    fn event(&self, event: &ota_gateway::Event) {
        if let Some(line) = gateway_text(event) {
            self.line("gateway", &line);
        }
    }
}

/// An event of the gateway in text. The words of the protocol (`write`, `verified`) stay as they are.
fn gateway_text(event: &ota_gateway::Event) -> Option<String> {
    use ota_gateway::Event;
    let line = match event {
        Event::Handshake { version, suite, .. } => text(
            format!("{version} {suite}，已找到芯片的密钥"),
            format!("{version} {suite}, key of the chip found"),
        ),
        Event::Work { work, resumed, .. } => {
            let resumes = text("，芯片续传", ", the chip resumes");
            let resumes = if *resumed { resumes } else { "" };
            text(
                format!("本次会话的工作：{work}{resumes}"),
                format!("work for this session: {work}{resumes}"),
            )
        }
        Event::Apdu {
            description,
            command,
            sw,
            ..
        } => {
            let hidden = text("（密钥材料，不显示）", "(key material, not shown)");
            let command = command.as_deref().unwrap_or(hidden);
            format!("  {description:<28} → {sw:04X}  {command}")
        }
        Event::Progress { step, steps, .. } => text(
            format!("脚本已确认：第 {step} 步，共 {steps} 步"),
            format!("script {step} of {steps} acknowledged"),
        ),
        Event::State { state, detail, .. } => {
            let detail = detail.as_deref().map(|detail| format!(": {detail}"));
            let detail = detail.unwrap_or_default();
            text(
                format!("已上报 {state}{detail}"),
                format!("reported {state}{detail}"),
            )
        }
        Event::End {
            reason,
            bytes_up,
            bytes_down,
            ..
        } => text(
            format!("会话结束（{reason}），上行 {bytes_up} 字节，下行 {bytes_down} 字节"),
            format!("session over ({reason}), {bytes_up} bytes up, {bytes_down} bytes down"),
        ),
        _ => return None,
    };
    Some(line)
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
                self.line("chip", &card_text::event(event));
            }
            other => self.line("module", &card_text::event(other)),
        }
    }
}
