//! How a proactive command ended (TS 102 223 §8.12).
//!
//! It must never judge by the general result alone where an additional byte is mandatory.

use crate::Result;
use crate::byte_enum::byte_enum;
use crate::tlv::comprehension::Object;

byte_enum! {
    /// First byte of a result.
    pub enum GeneralResult {
        /// Performed successfully.
        Ok = 0x00,
        /// Performed with partial comprehension.
        Partial = 0x01,
        /// Performed, with missing information.
        MissingInformation = 0x02,
        /// REFRESH performed with additional EFs read.
        AdditionalEfsRead = 0x03,
        /// Performed, but the requested icon could not be displayed.
        IconNotDisplayed = 0x04,
        /// Performed, but modified by call control.
        ModifiedByCallControl = 0x05,
        /// Performed, limited service.
        LimitedService = 0x06,
        /// Performed with modification.
        Modified = 0x07,
        /// REFRESH performed but the indicated NAA was not active.
        NaaNotActive = 0x08,
        /// The user ended the proactive session.
        EndedByUser = 0x10,
        /// The user wanted to go back.
        BackwardMove = 0x11,
        /// No response from the user.
        NoUserResponse = 0x12,
        /// The user did not accept.
        NotAcceptedByUser = 0x22,
        /// The terminal is unable at the moment; one more byte has the cause.
        TerminalUnable = 0x20,
        /// The network is unable at the moment; one more byte has the cause.
        NetworkUnable = 0x21,
        /// Beyond the terminal's capabilities.
        BeyondCapability = 0x30,
        /// Command type not understood.
        TypeNotUnderstood = 0x31,
        /// Command data not understood.
        DataNotUnderstood = 0x32,
        /// Command number not known.
        NumberUnknown = 0x33,
        /// Required values are missing.
        ValuesMissing = 0x36,
        /// Bearer independent protocol error; one more byte is a [`BipError`].
        BipError = 0x3A,
        /// Access technology unable to process.
        AccessTechnologyUnable = 0x3B,
        /// Frames error.
        FramesError = 0x3C,
    }
}

byte_enum! {
    /// Additional information of a bearer independent protocol error, TS 102 223 §8.12.11.
    pub enum BipError {
        /// No specific cause.
        NoCause = 0x00,
        /// No channel available.
        NoChannel = 0x01,
        /// Channel closed.
        ChannelClosed = 0x02,
        /// Channel identifier not valid.
        InvalidChannel = 0x03,
        /// Requested buffer size not available.
        BufferNotAvailable = 0x04,
        /// Security error (unsuccessful authentication).
        Security = 0x05,
        /// Requested transport level not available.
        TransportNotAvailable = 0x06,
        /// Remote device not reachable.
        RemoteUnreachable = 0x07,
        /// Service error.
        Service = 0x08,
        /// Service identifier unknown.
        ServiceUnknown = 0x09,
        /// Port not available.
        PortNotAvailable = 0x10,
        /// Launch parameters missing or incorrect.
        LaunchParameters = 0x11,
        /// Application launch failed.
        LaunchFailed = 0x12,
    }
}

/// Result of a proactive command, TS 102 223 §8.12.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatResult {
    /// General result.
    pub general: GeneralResult,
    /// Additional information, empty if there is none.
    pub additional: Vec<u8>,
}

impl CatResult {
    /// The result "performed successfully".
    #[must_use]
    pub const fn ok() -> Self {
        Self::of(GeneralResult::Ok)
    }

    /// A result without additional information.
    #[must_use]
    pub const fn of(general: GeneralResult) -> Self {
        Self {
            general,
            additional: Vec::new(),
        }
    }

    /// Result `3A` with its cause.
    #[must_use]
    pub fn bip(error: BipError) -> Self {
        Self {
            general: GeneralResult::BipError,
            additional: vec![error.byte()],
        }
    }

    /// The cause, if this is a bearer independent protocol error.
    #[must_use]
    pub fn bip_error(&self) -> Option<BipError> {
        match (self.general, self.additional.first()) {
            (GeneralResult::BipError, Some(&cause)) => Some(BipError::from_byte(cause)),
            _ => None,
        }
    }

    /// The command was performed: `0X`.
    #[must_use]
    pub const fn is_performed(&self) -> bool {
        self.general.byte() & 0xF0 == 0
    }

    pub(super) fn read(object: &Object<'_>) -> Result<Self> {
        let mut reader = object.reader();
        let general = GeneralResult::from_byte(reader.u8("a general result")?);
        Ok(Self {
            general,
            additional: reader.rest().to_vec(),
        })
    }

    pub(super) fn value(&self) -> Vec<u8> {
        let mut value = vec![self.general.byte()];
        value.extend_from_slice(&self.additional);
        value
    }
}
