//! What clients may do, and the states of their tasks and of messages to them.

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
    /// State of a task.
    pub TaskStatus = domain::TaskStatus {
        values: domain::TaskStatus::ALL,
        about: "任务状态：等待上电、写卡中、成功、失败、业务需求方取消、上电前因其他原因终止 / state of a task: waits for power-up, being \
            written, succeeded, failed, cancelled by its client, ended for another cause before the card powered up",
        wrong: "没有这种任务状态", "no such state of a task",
    }
    /// Why a task ended without a written card.
    pub TaskFailure = domain::TaskFailure {
        values: domain::TaskFailure::all(),
        about: "任务未成功的原因 / why a task ended without a written card",
        wrong: "没有这种原因", "no such failure",
    }
    /// State of a message.
    pub MessageState = domain::MessageState {
        values: domain::MessageState::ALL,
        about: "推送状态：待发送、已送达、已放弃、无地址 / state of a message: to be sent, delivered, given up, without an address",
        wrong: "应为 pending、delivered、dead 或 unaddressed", "not one of pending, delivered, dead, unaddressed",
    }
    /// A change of state of a card.
    pub CardChange = domain::CardChange {
        values: domain::CardChange::ALL,
        about: "状态变更：申请通过、申请失败、业务需求方取消、上电前因其他原因终止、开始写卡、写卡成功、写卡失败、允许更换运营号 / a change of state: application accepted, \
            refused, cancelled by its client, ended for another cause before power-up, writing began, written, failed, reopened for another number",
        wrong: "没有这种状态变更", "no such change of state",
    }
    /// Why messages to an address are stopped.
    pub StopCause = domain::StopCause {
        values: domain::StopCause::ALL,
        about: "停止原因：接收方已撤销（410）、持续失败 / why: the receiver answered 410, or every attempt fails",
        wrong: "应为 gone 或 failing", "neither gone nor failing",
    }
}
