//! Identifiers that the platform makes. Randomness and time are passed in.

use uuid::{Builder, Uuid};

use super::{Kind, Malformed, Timestamp};

/// Prefix of every client identifier.
const CLIENT_PREFIX: &str = "cl_";
/// Random bytes in a client identifier.
const CLIENT_RANDOM_BYTES: usize = 10;
/// Random bytes in a version 7 UUID.
const UUID_RANDOM_BYTES: usize = 10;
/// Bytes of a UUID.
const UUID_BYTES: usize = 16;
/// Characters of a UUID in its hyphenated form.
const UUID_CHARS: usize = 36;

/// Identifier of a client: `cl_` and 20 hexadecimal digits. Not secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(String);

impl ClientId {
    /// An identifier from `random`.
    #[must_use]
    pub fn new(random: [u8; CLIENT_RANDOM_BYTES]) -> Self {
        Self(format!("{CLIENT_PREFIX}{}", hex::encode(random)))
    }

    /// Reads an identifier.
    ///
    /// # Errors
    /// [`Malformed`] for a text that cannot be one.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let tail = text.strip_prefix(CLIENT_PREFIX).unwrap_or_default();
        let lower_hex = tail.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if tail.len() == 2 * CLIENT_RANDOM_BYTES && lower_hex {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                Kind::Id,
                "client_id 应为 cl_ 加 20 位小写十六进制字符",
                "a client_id is cl_ and 20 lower-case hexadecimal digits",
            ))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// A version 7 UUID from a time and randomness.
            #[must_use]
            pub fn new(now: Timestamp, random: [u8; UUID_RANDOM_BYTES]) -> Self {
                let millis = u64::try_from(now.millis()).unwrap_or(0);
                Self(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The same, of a home: its last byte. That of everything about one card is the same, and 0 where there
            /// is no card.
            #[must_use]
            pub fn at_home(now: Timestamp, random: [u8; UUID_RANDOM_BYTES], home: u8) -> Self {
                let [others @ .., _] = Self::new(now, random).0.into_bytes();
                let mut bytes = [home; UUID_BYTES];
                bytes[..others.len()].copy_from_slice(&others);
                Self(Uuid::from_bytes(bytes))
            }

            /// The first identifier that can be made at `at`; bounds a list by time.
            #[must_use]
            pub fn first(at: Timestamp) -> Self {
                Self::new(at, [0; UUID_RANDOM_BYTES])
            }

            /// The next possible identifier; a list that starts there leaves this one out.
            #[must_use]
            pub fn next(self) -> Self {
                Self(Uuid::from_u128(self.0.as_u128().saturating_add(1)))
            }

            /// An identifier greater than every one that is made.
            #[must_use]
            pub fn last() -> Self {
                Self(Uuid::max())
            }

            /// Reads the hyphenated form; capitals are accepted.
            ///
            /// # Errors
            /// [`Malformed`] for any other text.
            pub fn parse(text: &str) -> Result<Self, Malformed> {
                let wrong = Malformed::new(Kind::Id, "应为 UUID", "not a UUID");
                if text.len() != UUID_CHARS {
                    return Err(wrong);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| wrong)
            }

            /// The hyphenated form, small letters.
            #[must_use]
            pub fn text(&self) -> String {
                self.0.hyphenated().to_string()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    };
}

uuid_id! {
    /// Identifier of a writing task.
    TaskId
}
uuid_id! {
    /// Identifier of a device session, made by the gateway.
    SessionId
}
uuid_id! {
    /// Identifier of a message; the receiver's `webhook-id`.
    MessageId
}
uuid_id! {
    /// Identifier of an alert.
    AlertId
}
uuid_id! {
    /// Identifier of an incident.
    IncidentId
}
uuid_id! {
    /// Identifier of an import.
    ImportId
}
uuid_id! {
    /// Identifier of a batch.
    BatchId
}
uuid_id! {
    /// Identifier of an account of staff.
    AccountId
}
uuid_id! {
    /// Identifier of an API key.
    ApiKeyId
}
uuid_id! {
    /// Identifier of an act that waits for a second person.
    ApprovalId
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ClientId, TaskId, Timestamp};

    #[test]
    fn a_client_id_is_read_back() {
        let id = ClientId::new([0xab; 10]);
        assert_eq!(ClientId::parse(id.as_str()), Ok(id));
        for text in [
            "",
            "cl_",
            "cl_ABABABABABABABABABAB",
            "xx_abababababababababab",
            "cl_abababababababababa",
        ] {
            assert!(ClientId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn identifiers_of_a_time_lie_between_its_first_and_the_last() {
        let at = Timestamp(1_000);
        let (least, most) = (TaskId::new(at, [0; 10]), TaskId::new(at, [0xff; 10]));
        assert!(TaskId::first(at) <= least && most < TaskId::first(at.plus(1)));
        assert!(most.text() < TaskId::last().text());
    }

    proptest! {
        #[test]
        fn an_identifier_of_a_home_is_a_uuid_of_version_7_that_ends_in_it(
            millis in 0_i64..1 << 47, random: [u8; 10], home: u8,
        ) {
            let id = TaskId::at_home(Timestamp(millis), random, home);
            let bytes = uuid::Uuid::parse_str(&id.text()).unwrap().into_bytes();
            let mut time = [0; 8];
            time[2..].copy_from_slice(&bytes[..6]);
            prop_assert_eq!(u64::from_be_bytes(time), u64::try_from(millis).unwrap());
            // RFC 9562 §5.7: version 7 in the upper half of octet 6, variant 10 in the upper bits of octet 8.
            prop_assert_eq!((bytes[6] >> 4, bytes[8] >> 6), (7, 0b10));
            prop_assert_eq!(bytes[15], home);
            prop_assert_eq!(TaskId::parse(&id.text()), Ok(id));
            let at = Timestamp(millis);
            prop_assert!(TaskId::first(at) <= id && id < TaskId::first(at.plus(1)));
        }
    }

    #[test]
    fn task_ids_are_uuids_of_version_7_that_sort_by_time() {
        let early = TaskId::new(Timestamp(1_000), [0xff; 10]);
        let late = TaskId::new(Timestamp(1_001), [0; 10]);
        assert!(early < late && early.text() < late.text());
        assert_eq!(&early.text()[14..15], "7");
        assert_eq!(TaskId::parse(&early.text()), Ok(early));
        assert!(TaskId::parse("00000000000070008000000000000000").is_err());
    }
}
