//! The card application toolkit as far as the bearer independent protocol needs it (ETSI TS 102 223):
//! the commands of the card ([`ProactiveCommand`]), the responses of the terminal
//! ([`TerminalResponse`]), its envelopes ([`Envelope`]) and its facilities
//! ([`TerminalProfile`]).
//!
//! These modules must never ignore an object the sender marked as comprehension required.

mod channel;
mod command;
mod command_codec;
mod envelope;
mod objects;
mod profile;
mod refresh;
mod response;
mod result;
mod timing;

pub use channel::{Apn, Bearer, ChannelId, ChannelInfo, ChannelStatus, Transport, TransportProtocol};
pub use command::{Command, OpenChannel, OtherCommand, ProactiveCommand, SendData, TimerCommand};
pub use envelope::{Envelope, LocationService};
pub use objects::{Device, Event, RawObject};
pub use profile::{Facility, TerminalProfile};
pub use refresh::{Refresh, RefreshMode};
pub use response::{CommandDetails, TerminalResponse};
pub use result::{BipError, CatResult, GeneralResult};
pub use timing::{PollDuration, TimeUnit, TimerId, TimerValue};

/// Most bytes of one proactive command: what one FETCH can carry.
pub const MAX_PROACTIVE_BYTES: usize = 256;
/// Most channel data bytes in the terminal response to RECEIVE DATA:
/// 255 − command details 5 − device identities 4 − result 3 − tag and length 3 − channel data length 3.
pub const MAX_RECEIVE_DATA_BYTES: usize = 237;
/// Most channel data bytes in one SEND DATA that every card's FETCH buffer takes: 256 less 3 + 5 + 4 + 3
/// of objects, and one byte of margin.
pub const MAX_SEND_DATA_BYTES: usize = 240;
/// "255 or more" in a channel data length (TS 102 223 §8.54).
pub const LENGTH_255_OR_MORE: u8 = 0xFF;

/// Types of proactive command, TS 102 223 §9.4.
pub mod kind {
    #![expect(missing_docs, reason = "the names are those of the specification")]
    pub const REFRESH: u8 = 0x01;
    pub const MORE_TIME: u8 = 0x02;
    pub const POLL_INTERVAL: u8 = 0x03;
    pub const POLLING_OFF: u8 = 0x04;
    pub const SET_UP_EVENT_LIST: u8 = 0x05;
    pub const SET_UP_MENU: u8 = 0x25;
    pub const PROVIDE_LOCAL_INFORMATION: u8 = 0x26;
    pub const TIMER_MANAGEMENT: u8 = 0x27;
    pub const OPEN_CHANNEL: u8 = 0x40;
    pub const CLOSE_CHANNEL: u8 = 0x41;
    pub const RECEIVE_DATA: u8 = 0x42;
    pub const SEND_DATA: u8 = 0x43;
    pub const GET_CHANNEL_STATUS: u8 = 0x44;
}

/// COMPREHENSION-TLV tags without the comprehension-required bit, TS 102 223 §9.3, TS 101 220 table 7.23.
pub mod tag {
    #![expect(missing_docs, reason = "the names are those of the specification")]
    pub const COMMAND_DETAILS: u16 = 0x01;
    pub const DEVICE_IDENTITIES: u16 = 0x02;
    pub const RESULT: u16 = 0x03;
    pub const DURATION: u16 = 0x04;
    pub const ALPHA: u16 = 0x05;
    pub const ADDRESS: u16 = 0x06;
    pub const SMS_TPDU: u16 = 0x0B;
    pub const TEXT_STRING: u16 = 0x0D;
    pub const FILE_LIST: u16 = 0x12;
    pub const LOCATION_INFORMATION: u16 = 0x13;
    pub const IMEI: u16 = 0x14;
    pub const EVENT_LIST: u16 = 0x19;
    pub const LOCATION_STATUS: u16 = 0x1B;
    pub const ICON: u16 = 0x1E;
    pub const TIMER_ID: u16 = 0x24;
    pub const TIMER_VALUE: u16 = 0x25;
    pub const AID: u16 = 0x2F;
    pub const BEARER: u16 = 0x35;
    pub const CHANNEL_DATA: u16 = 0x36;
    pub const CHANNEL_DATA_LENGTH: u16 = 0x37;
    pub const CHANNEL_STATUS: u16 = 0x38;
    pub const BUFFER_SIZE: u16 = 0x39;
    pub const TRANSPORT: u16 = 0x3C;
    pub const OTHER_ADDRESS: u16 = 0x3E;
    pub const DNS_SERVER: u16 = 0x40;
    pub const NETWORK_ACCESS_NAME: u16 = 0x47;
    pub const TEXT_ATTRIBUTE: u16 = 0x50;

    /// BER-TLV around a proactive command.
    pub const PROACTIVE_COMMAND: u16 = 0xD0;
    pub const SMS_PP_DOWNLOAD: u16 = 0xD1;
    pub const EVENT_DOWNLOAD: u16 = 0xD6;
    pub const TIMER_EXPIRATION: u16 = 0xD7;
}
