//! Terminal response: result and data of a proactive command (TS 102 223 §6.8).
//!
//! It must never print channel data.

use core::fmt;

use super::objects::{Objects, put_plain, put_raw, put_required};
use super::{
    Bearer, CatResult, ChannelStatus, Device, MAX_RECEIVE_DATA_BYTES, PollDuration, ProactiveCommand,
    RawObject, TimerId, TimerValue, tag,
};
use crate::reader::Reader;
use crate::{Error, Result};

/// Command details, repeated from the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandDetails {
    /// Command number.
    pub number: u8,
    /// Type of command, see [`super::kind`].
    pub kind: u8,
    /// Command qualifier.
    pub qualifier: u8,
}

/// The terminal's response to a proactive command.
#[derive(Clone, PartialEq, Eq)]
pub struct TerminalResponse {
    /// Details of the command it responds to.
    pub details: CommandDetails,
    /// Result of the command.
    pub result: CatResult,
    /// POLL INTERVAL: the interval the terminal will keep.
    pub duration: Option<PollDuration>,
    /// TIMER MANAGEMENT: which timer.
    pub timer: Option<TimerId>,
    /// TIMER MANAGEMENT: the time left.
    pub timer_value: Option<TimerValue>,
    /// OPEN CHANNEL: the new channel; GET CHANNEL STATUS: every channel.
    pub channel_status: Vec<ChannelStatus>,
    /// OPEN CHANNEL: the bearer in use.
    pub bearer: Option<Bearer>,
    /// OPEN CHANNEL: the buffer granted, bytes.
    pub buffer_size: Option<u16>,
    /// RECEIVE DATA: the bytes. At most [`MAX_RECEIVE_DATA_BYTES`].
    pub channel_data: Option<Vec<u8>>,
    /// RECEIVE DATA: bytes still waiting; SEND DATA: free space. `FF` for 255 or more.
    pub channel_data_length: Option<u8>,
    /// Other objects, for example local information.
    pub others: Vec<RawObject>,
}

impl TerminalResponse {
    /// The answer to `command` with nothing but a result.
    #[must_use]
    pub fn to(command: &ProactiveCommand, result: CatResult) -> Self {
        let ProactiveCommand { number, command } = command;
        Self::with_details(
            CommandDetails {
                number: *number,
                kind: command.kind(),
                qualifier: command.qualifier(),
            },
            result,
        )
    }

    /// An answer with nothing but a result, also for a command that could not be parsed.
    #[must_use]
    pub const fn with_details(details: CommandDetails, result: CatResult) -> Self {
        Self {
            details,
            result,
            duration: None,
            timer: None,
            timer_value: None,
            channel_status: Vec::new(),
            bearer: None,
            buffer_size: None,
            channel_data: None,
            channel_data_length: None,
            others: Vec::new(),
        }
    }

    /// Parses the data field of TERMINAL RESPONSE.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let objects = Objects::read(Reader::new(bytes))?;
        let [number, kind, qualifier] = objects.details()?;
        objects.devices()?;
        let result = CatResult::read(objects.need(tag::RESULT, "a result")?)?;
        let mut response = Self::with_details(
            CommandDetails {
                number,
                kind,
                qualifier,
            },
            result,
        );
        for object in objects.all() {
            match object.tag {
                tag::COMMAND_DETAILS | tag::DEVICE_IDENTITIES | tag::RESULT => {}
                tag::DURATION => response.duration = Some(PollDuration::read(object)?),
                tag::TIMER_ID => response.timer = Some(TimerId::read(object)?),
                tag::TIMER_VALUE => response.timer_value = Some(TimerValue::read(object)?),
                tag::CHANNEL_STATUS => response.channel_status.push(ChannelStatus::read(object)?),
                tag::BEARER => response.bearer = Some(Bearer::read(object)?),
                tag::BUFFER_SIZE => {
                    let size = object.array("a buffer size of two bytes")?;
                    response.buffer_size = Some(u16::from_be_bytes(size));
                }
                tag::CHANNEL_DATA if object.value.len() > MAX_RECEIVE_DATA_BYTES => {
                    return Err(Error::new(object.offset, "at most 237 bytes of channel data"));
                }
                tag::CHANNEL_DATA => response.channel_data = Some(object.value.to_vec()),
                tag::CHANNEL_DATA_LENGTH => {
                    response.channel_data_length = Some(object.byte("a channel data length of one byte")?);
                }
                _ => response.others.push(object.into()),
            }
        }
        Ok(response)
    }

    /// The data field of TERMINAL RESPONSE.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let CommandDetails {
            number,
            kind,
            qualifier,
        } = self.details;
        put_required(&mut out, tag::COMMAND_DETAILS, &[number, kind, qualifier]);
        put_required(
            &mut out,
            tag::DEVICE_IDENTITIES,
            &[Device::Terminal.byte(), Device::Uicc.byte()],
        );
        put_plain(&mut out, tag::RESULT, &self.result.value());
        if let Some(duration) = self.duration {
            put_plain(&mut out, tag::DURATION, &duration.value());
        }
        if let Some(timer) = self.timer {
            put_plain(&mut out, tag::TIMER_ID, &[timer.get()]);
        }
        if let Some(value) = self.timer_value {
            put_plain(&mut out, tag::TIMER_VALUE, &value.encode());
        }
        if let Some(data) = &self.channel_data {
            put_plain(&mut out, tag::CHANNEL_DATA, data);
        }
        if let Some(length) = self.channel_data_length {
            put_plain(&mut out, tag::CHANNEL_DATA_LENGTH, &[length]);
        }
        for status in &self.channel_status {
            put_plain(&mut out, tag::CHANNEL_STATUS, &status.value());
        }
        if let Some(bearer) = &self.bearer {
            put_plain(&mut out, tag::BEARER, &bearer.value());
        }
        if let Some(size) = self.buffer_size {
            put_plain(&mut out, tag::BUFFER_SIZE, &size.to_be_bytes());
        }
        put_raw(&mut out, &self.others);
        out
    }
}

impl fmt::Debug for TerminalResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TerminalResponse")
            .field("details", &self.details)
            .field("result", &self.result)
            .field("channel_status", &self.channel_status)
            .field("channel_data", &self.channel_data.as_ref().map(Vec::len))
            .field("channel_data_length", &self.channel_data_length)
            .finish_non_exhaustive()
    }
}
