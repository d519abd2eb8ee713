//! Enumerations that are coded as one byte and keep unknown values.
//!
//! A decoder must never lose such a value, nor refuse a message because of it.

/// Declares an enumeration with `Other(u8)`, `from_byte` and `byte`.
macro_rules! byte_enum {
    (
        $(#[$outer:meta])*
        pub enum $name:ident { $($(#[$inner:meta])* $variant:ident = $value:literal,)+ }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$inner])* #[doc = concat!(" (`", stringify!($value), "`)")] $variant,)+
            /// An unknown value. Parsing never returns one of the above as `Other`.
            Other(u8),
        }

        impl $name {
            /// The meaning of a byte; every byte has one.
            #[must_use]
            pub const fn from_byte(byte: u8) -> Self {
                match byte {
                    $($value => Self::$variant,)+
                    other => Self::Other(other),
                }
            }

            /// The byte on the wire.
            #[must_use]
            pub const fn byte(self) -> u8 {
                match self {
                    $(Self::$variant => $value,)+
                    Self::Other(other) => other,
                }
            }
        }
    };
}

pub(crate) use byte_enum;
