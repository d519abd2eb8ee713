//! Describes toolkit messages in text, for events.
//!
//! The text must never contain channel data.

use uicc::cat::{Command, Envelope, LENGTH_255_OR_MORE, ProactiveCommand, TerminalResponse, TimerCommand};

/// Describes a proactive command.
#[must_use]
pub(super) fn command(command: &ProactiveCommand) -> String {
    let name = command.command.name();
    match &command.command {
        Command::SetUpEventList(events) => format!("{name} {events:?}"),
        Command::OpenChannel(open) => {
            let address = open
                .destination
                .map(|address| address.to_string())
                .unwrap_or_default();
            let port = open.transport.map(|transport| transport.port).unwrap_or_default();
            let apn = open
                .apn
                .as_ref()
                .map(|apn| format!(", APN {}", apn.as_str()))
                .unwrap_or_default();
            format!(
                "{name} TCP {address} port {port}, buffer {} bytes{apn}",
                open.buffer_size
            )
        }
        Command::CloseChannel { channel, .. } => format!("{name} {}", channel.get()),
        Command::SendData(send) => {
            format!("{name} channel {}, {} bytes", send.channel.get(), send.data.len())
        }
        Command::ReceiveData { channel, requested } => {
            format!("{name} channel {}, up to {requested} bytes", channel.get())
        }
        Command::TimerManagement(TimerCommand::Start(timer, value)) => {
            format!("{name} start {}, {} s", timer.get(), value.seconds())
        }
        Command::TimerManagement(TimerCommand::Deactivate(timer)) => format!("{name} stop {}", timer.get()),
        Command::Refresh(refresh) => format!("{name} {:?}", refresh.mode),
        _ => name.to_owned(),
    }
}

/// Describes a terminal response.
#[must_use]
pub(super) fn terminal_response(response: &TerminalResponse) -> String {
    let mut text = format!("{:?}", response.result.general);
    if let Some(error) = response.result.bip_error() {
        text += &format!(" ({error:?})");
    }
    if let Some(status) = response.channel_status.first().and_then(|status| status.channel) {
        text += &format!(", channel {}", status.get());
    }
    if let Some(data) = &response.channel_data {
        text += &format!(", {} bytes", data.len());
    }
    if let Some(length) = response.channel_data_length {
        text += &format!(
            ", {} {}",
            length_text(length),
            if response.channel_data.is_some() {
                "left"
            } else {
                "free"
            }
        );
    }
    text
}

/// Describes an envelope.
#[must_use]
pub(super) fn envelope(envelope: &Envelope) -> String {
    match envelope {
        Envelope::DataAvailable { waiting, .. } => {
            format!("data available, {} bytes", length_text(*waiting))
        }
        Envelope::ChannelStatus(status) if status.established => {
            "channel status: link established".to_owned()
        }
        Envelope::ChannelStatus(_) => "channel status: link dropped".to_owned(),
        Envelope::LocationStatus { service, .. } => format!("location status: {service:?} service"),
        Envelope::TimerExpiration { timer, .. } => format!("timer {} expired", timer.get()),
        other => format!("{other:?}"),
    }
}

fn length_text(length: u8) -> String {
    if length == LENGTH_255_OR_MORE {
        "255 or more".to_owned()
    } else {
        length.to_string()
    }
}
