//! Proactive commands to and from bytes: `D0 <length> <COMPREHENSION-TLV objects>` (TS 102 223 §6.6, §9).
//!
//! It must never give a command's objects another order than the specification's.

use super::channel::{address_value, read_address};
use super::objects::{Objects, put_devices, put_plain, put_raw, put_required};
use super::{
    Apn, Bearer, ChannelId, Command, Device, Event, OpenChannel, OtherCommand, PollDuration,
    ProactiveCommand, RawObject, Refresh, SendData, TimerCommand, TimerId, TimerValue, Transport, kind, tag,
};
use crate::reader::Reader;
use crate::tlv::ber::{self, Tlv};
use crate::{Error, Result};

/// Objects that every typed command accepts besides its own: texts and icons for the user.
const COMMON: [u16; 5] = [
    tag::COMMAND_DETAILS,
    tag::DEVICE_IDENTITIES,
    tag::ALPHA,
    tag::ICON,
    tag::TEXT_ATTRIBUTE,
];

impl ProactiveCommand {
    /// Parses `D0 …`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let tlv = Tlv::parse(bytes)?;
        if tlv.tag.get() != tag::PROACTIVE_COMMAND {
            return Err(Error::new(0, "D0, a proactive command"));
        }
        Self::read_objects(tlv.reader())
    }

    /// The command as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        ber::put(&mut out, tag::PROACTIVE_COMMAND, &self.encode_objects());
        out
    }

    /// The objects without the `D0` around them, as in a script's immediate action.
    pub(crate) fn read_objects(reader: Reader<'_>) -> Result<Self> {
        let objects = Objects::read(reader)?;
        let [number, kind, qualifier] = objects.details()?;
        let (_, destination) = objects.devices()?;
        let command = read_command(kind, qualifier, destination, &objects)?;
        Ok(Self { number, command })
    }

    pub(crate) fn encode_objects(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let command = &self.command;
        put_required(
            &mut out,
            tag::COMMAND_DETAILS,
            &[self.number, command.kind(), command.qualifier()],
        );
        put_devices(&mut out, Device::Uicc, command.destination());
        match command {
            Command::Refresh(refresh) => refresh.put(&mut out),
            Command::PollInterval(duration) => put_required(&mut out, tag::DURATION, &duration.value()),
            Command::SetUpEventList(events) => {
                let events: Vec<u8> = events.iter().map(|event| event.byte()).collect();
                put_required(&mut out, tag::EVENT_LIST, &events);
            }
            Command::TimerManagement(timer) => put_timer(&mut out, *timer),
            Command::OpenChannel(open) => put_open(&mut out, open),
            Command::ReceiveData { requested, .. } => {
                put_required(&mut out, tag::CHANNEL_DATA_LENGTH, &[*requested]);
            }
            Command::SendData(send) => put_required(&mut out, tag::CHANNEL_DATA, &send.data),
            Command::Other(other) => put_raw(&mut out, &other.objects),
            Command::ProvideLocalInformation(_)
            | Command::CloseChannel { .. }
            | Command::GetChannelStatus => {}
        }
        out
    }
}

fn read_command(kind: u8, qualifier: u8, destination: Device, objects: &Objects<'_>) -> Result<Command> {
    let knows = |own: &[u16]| objects.comprehend(&[&COMMON[..], own].concat());
    let channel = || channel_of(destination, objects);
    Ok(match kind {
        kind::REFRESH => {
            knows(&[tag::FILE_LIST, tag::AID])?;
            Command::Refresh(Refresh::read(qualifier, objects)?)
        }
        kind::POLL_INTERVAL => {
            knows(&[tag::DURATION])?;
            Command::PollInterval(PollDuration::read(objects.need(tag::DURATION, "a duration")?)?)
        }
        kind::SET_UP_EVENT_LIST => {
            knows(&[tag::EVENT_LIST])?;
            let events = objects.need(tag::EVENT_LIST, "an event list")?.value;
            Command::SetUpEventList(events.iter().map(|&byte| Event::from_byte(byte)).collect())
        }
        kind::PROVIDE_LOCAL_INFORMATION => {
            knows(&[])?;
            Command::ProvideLocalInformation(qualifier)
        }
        kind::TIMER_MANAGEMENT => {
            knows(&[tag::TIMER_ID, tag::TIMER_VALUE])?;
            Command::TimerManagement(read_timer(qualifier, objects)?)
        }
        kind::OPEN_CHANNEL => {
            knows(&OPEN_CHANNEL_OBJECTS)?;
            Command::OpenChannel(read_open(qualifier, objects)?)
        }
        kind::CLOSE_CHANNEL => {
            knows(&[])?;
            Command::CloseChannel {
                channel: channel()?,
                qualifier,
            }
        }
        kind::RECEIVE_DATA => {
            knows(&[tag::CHANNEL_DATA_LENGTH])?;
            let requested = objects.need(tag::CHANNEL_DATA_LENGTH, "a channel data length")?;
            Command::ReceiveData {
                channel: channel()?,
                requested: requested.byte("a channel data length of one byte")?,
            }
        }
        kind::SEND_DATA => {
            knows(&[tag::CHANNEL_DATA])?;
            let data = objects.need(tag::CHANNEL_DATA, "channel data")?.value.to_vec();
            Command::SendData(SendData {
                channel: channel()?,
                immediate: qualifier & 1 != 0,
                data,
            })
        }
        kind::GET_CHANNEL_STATUS => {
            knows(&[])?;
            Command::GetChannelStatus
        }
        _ => Command::Other(read_other(kind, qualifier, destination, objects)),
    })
}

fn channel_of(destination: Device, objects: &Objects<'_>) -> Result<ChannelId> {
    match destination {
        Device::Channel(channel) => Ok(channel),
        _ => {
            let devices = objects.need(tag::DEVICE_IDENTITIES, "device identities")?;
            Err(Error::new(
                devices.offset + 1,
                "a channel, 21 to 27, as destination",
            ))
        }
    }
}

fn read_other(kind: u8, qualifier: u8, destination: Device, objects: &Objects<'_>) -> OtherCommand {
    let head = [tag::COMMAND_DETAILS, tag::DEVICE_IDENTITIES];
    let others = objects.all().iter().filter(|object| !head.contains(&object.tag));
    OtherCommand {
        kind,
        qualifier,
        destination,
        objects: others.map(RawObject::from).collect(),
    }
}

fn read_timer(qualifier: u8, objects: &Objects<'_>) -> Result<TimerCommand> {
    let timer = TimerId::read(objects.need(tag::TIMER_ID, "a timer identifier")?)?;
    match qualifier & 0x03 {
        0 => {
            let value = TimerValue::read(objects.need(tag::TIMER_VALUE, "a timer value")?)?;
            Ok(TimerCommand::Start(timer, value))
        }
        1 => Ok(TimerCommand::Deactivate(timer)),
        2 => Ok(TimerCommand::Get(timer)),
        _ => {
            let details = objects.need(tag::COMMAND_DETAILS, "command details")?;
            Err(Error::new(
                details.offset + 2,
                "a timer qualifier: start, deactivate or get",
            ))
        }
    }
}

fn put_timer(out: &mut Vec<u8>, timer: TimerCommand) {
    let (TimerCommand::Start(id, _) | TimerCommand::Deactivate(id) | TimerCommand::Get(id)) = timer;
    put_required(out, tag::TIMER_ID, &[id.get()]);
    if let TimerCommand::Start(_, value) = timer {
        put_required(out, tag::TIMER_VALUE, &value.encode());
    }
}

const OPEN_CHANNEL_OBJECTS: [u16; 6] = [
    tag::BEARER,
    tag::BUFFER_SIZE,
    tag::NETWORK_ACCESS_NAME,
    tag::TEXT_STRING,
    tag::TRANSPORT,
    tag::OTHER_ADDRESS,
];

fn read_open(qualifier: u8, objects: &Objects<'_>) -> Result<OpenChannel> {
    let bit = |at: u8| qualifier >> at & 1 != 0;
    let value = |tag| objects.find(tag).map(|object| object.value.to_vec());
    let buffer_size = objects
        .need(tag::BUFFER_SIZE, "a buffer size")?
        .array("a buffer size of two bytes")?;
    // Login and password are both text strings, in this order.
    let mut texts = objects
        .all()
        .iter()
        .filter(|object| object.tag == tag::TEXT_STRING);
    let mut text = || texts.next().map(|object| object.value.to_vec());
    Ok(OpenChannel {
        immediate: bit(0),
        auto_reconnect: bit(1),
        background: bit(2),
        dns_request: bit(3),
        alpha: value(tag::ALPHA),
        bearer: Bearer::read(objects.need(tag::BEARER, "a bearer description")?)?,
        buffer_size: u16::from_be_bytes(buffer_size),
        apn: objects
            .find(tag::NETWORK_ACCESS_NAME)
            .map(|object| Apn::read(object.reader()))
            .transpose()?,
        login: text(),
        password: text(),
        transport: objects.find(tag::TRANSPORT).map(Transport::read).transpose()?,
        destination: objects
            .find(tag::OTHER_ADDRESS)
            .map(read_address)
            .transpose()?
            .flatten(),
    })
}

fn put_open(out: &mut Vec<u8>, open: &OpenChannel) {
    if let Some(alpha) = &open.alpha {
        put_plain(out, tag::ALPHA, alpha);
    }
    put_raw(out, &open.connection_objects());
}

impl OpenChannel {
    /// The objects from the bearer description on, which a SCP81 trigger contains too.
    #[must_use]
    pub fn connection_objects(&self) -> Vec<RawObject> {
        // A password is recognised only after a login, which may be empty.
        let login = self.login.clone().or(self.password.as_ref().map(|_| Vec::new()));
        let objects = [
            (tag::BEARER, Some(self.bearer.value())),
            (tag::BUFFER_SIZE, Some(self.buffer_size.to_be_bytes().to_vec())),
            (tag::NETWORK_ACCESS_NAME, self.apn.as_ref().map(Apn::encode)),
            (tag::TEXT_STRING, login),
            (tag::TEXT_STRING, self.password.clone()),
            (
                tag::TRANSPORT,
                self.transport.map(|transport| transport.value().to_vec()),
            ),
            (
                tag::OTHER_ADDRESS,
                self.destination.map(|_| address_value(self.destination)),
            ),
        ];
        let present = objects.into_iter().filter_map(|(tag, value)| Some((tag, value?)));
        present
            .map(|(tag, value)| RawObject {
                tag,
                required: false,
                value,
            })
            .collect()
    }
}
