//! What clients may do, and the states of messages to them.

use utoipa::openapi::schema::Object;

use super::identifiers::one_of;
use super::{Kind, Parsed};
use domain::Malformed;

/// What a client may call, by its name.
pub type PermissionCode = Parsed<domain::Permission>;
/// State of a message.
pub type MessageState = Parsed<domain::MessageState>;
/// Why messages to an address are stopped.
pub type StopCause = Parsed<domain::StopCause>;

impl Kind for domain::Permission {
    const NAME: &'static str = "Permission";

    fn parse(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }

    fn object() -> Object {
        one_of(
            Self::ALL.into_iter().map(Self::code),
            "接口权限 / what a client may call",
            "write.apply",
        )
    }
}

macro_rules! codes {
    ($($kind:ident: $zh_en:literal, $example:literal;)+) => {$(
        impl Kind for domain::$kind {
            const NAME: &'static str = stringify!($kind);

            fn parse(text: &str) -> Result<Self, Malformed> {
                Self::from_code(text).ok_or(Malformed::new(
                    domain::Kind::Value,
                    "取值不在规定范围内",
                    "not one of the words that are allowed",
                ))
            }

            fn object() -> Object {
                one_of(Self::ALL.into_iter().map(Self::code), $zh_en, $example)
            }
        }
    )+};
}

codes! {
    MessageState: "推送状态：待发送、已送达、已放弃 / state of a message: to be sent, delivered, given up", "dead";
    StopCause: "停止原因：接收方已撤销（410）、持续失败 / why: the receiver answered 410, or every attempt fails", "gone";
}
