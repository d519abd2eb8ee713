//! What clients may do, and the states of messages to them.

use utoipa::openapi::schema::Object;

use super::identifiers::one_of;
use super::words::words;
use super::{Kind, Parsed};
use domain::Malformed;

/// What a client may call, by its name.
pub type PermissionCode = Parsed<domain::Permission>;

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

words! {
    /// State of a message.
    MessageState = domain::MessageState {
        values: domain::MessageState::ALL,
        about: "推送状态：待发送、已送达、已放弃 / state of a message: to be sent, delivered, given up",
        wrong: "应为 pending、delivered 或 dead", "not one of pending, delivered, dead",
    }
    /// Why messages to an address are stopped.
    StopCause = domain::StopCause {
        values: domain::StopCause::ALL,
        about: "停止原因：接收方已撤销（410）、持续失败 / why: the receiver answered 410, or every attempt fails",
        wrong: "应为 gone 或 failing", "neither gone nor failing",
    }
}
