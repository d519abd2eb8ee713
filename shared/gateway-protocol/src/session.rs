//! The work of a session, requested when the chip's agent makes its first request.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Announces a session and asks for its work. The same `session_id` again gets the same answer.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SessionRequest {
    /// 会话标识，由网关生成的第 7 版 UUID / UUID version 7, made by the gateway
    #[schema(format = "uuid", examples("019f1a2b-3c4d-7e5f-8a6b-7c8d9e0f1a2b"))]
    pub session_id: String,
    /// 芯片 EID，32 位数字 / the chip, 32 digits
    #[schema(pattern = "^[0-9]{32}$", examples("89086030202200000000000000000123"))]
    pub eid: String,
    /// 设备的地址与端口 / address and port of the device
    #[schema(examples("192.0.2.1:40000"))]
    pub peer: String,
    /// 芯片代理的 X-Admin-From 头部 / the X-Admin-From header of the chip's agent
    #[schema(examples("//se-id/eid/89086030202200000000000000000123"))]
    pub agent: Option<String>,
    /// 是否恢复中断的会话 / whether the chip resumes an interrupted session
    pub resumed: bool,
    /// 网关名称，每个网关各不相同 / name of the gateway, another one for each
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,64}$", examples("gw-1"))]
    pub gateway: Option<String>,
}

impl fmt::Debug for SessionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRequest")
            .field("session_id", &self.session_id)
            .field("resumed", &self.resumed)
            .finish_non_exhaustive()
    }
}

/// The work of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Write the operator number.
    Write,
    /// Verify that the card holds what was reserved and has registered with it.
    Verify,
    /// Nothing to do.
    None,
}

impl Work {
    /// Its name in JSON and in the database of the platform.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Verify => "verify",
            Self::None => "none",
        }
    }

    /// The work named `code`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Write, Self::Verify, Self::None]
            .into_iter()
            .find(|work| work.code() == code)
    }
}

/// The work of a session.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SessionAnswer {
    /// 要做的工作 / what is to be done
    pub work: Work,
    /// 写卡任务 ID，无工作时为空 / the task; null without work
    #[serde(default)]
    #[schema(required, format = "uuid", examples("019f1a2b-3c4d-7e5f-8a6b-7c8d9e0f1a2b"))]
    pub task_id: Option<String>,
    /// 芯片型号，供人阅读 / chip model, for people
    #[serde(default)]
    #[schema(required, examples("XK-1"))]
    pub chip_model: String,
    /// 卡片模板名称 / name of the card profile
    #[serde(default)]
    #[schema(required, examples("qibiao-seed"))]
    pub profile: String,
    /// 本任务的第几次写卡，从 1 起 / number of the write attempt of this task, from 1
    #[serde(default = "first_attempt")]
    #[schema(required)]
    pub attempt: u32,
    /// 会话双向可用字节数；无限制时为空 / bytes the session may cost in both directions; null for no limit
    #[serde(default)]
    #[schema(required)]
    pub allowance_bytes: Option<u64>,
    /// 本次写卡中卡片最后确认的步骤 / last step that the card acknowledged in this attempt
    #[serde(default)]
    #[schema(required)]
    pub resume_step: u32,
    /// 卡片应有的数据，写卡与验证时给出 / what the card must hold, for writing and verifying; null otherwise
    #[serde(default)]
    #[schema(required)]
    pub data: Option<CardData>,
}

const fn first_attempt() -> u32 {
    1
}

/// What a card must hold. Key material is present for writing only.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct CardData {
    /// ICCID / card identifier
    #[schema(pattern = "^[0-9]{2}[0-9A-F]{18}$", examples("89860411269000000013"))]
    pub iccid: String,
    /// IMSI / subscriber identity
    #[schema(pattern = "^[0-9]{15}$", examples("460001357924680"))]
    pub imsi: String,
    /// 封装的 K，仅写卡时 / K, wrapped; null unless the card is to be written
    #[serde(default)]
    #[schema(required, pattern = "^([0-9a-f]{2})+$")]
    pub k_wrapped: Option<String>,
    /// 13 位物联网号码 / subscriber number
    #[schema(pattern = "^[0-9]{13}$", examples("1440100000001"))]
    pub msisdn: String,
    /// 封装的 OPc，仅写卡时 / OPc, wrapped; null unless the card is to be written
    #[serde(default)]
    #[schema(required, pattern = "^([0-9a-f]{2})+$")]
    pub opc_wrapped: Option<String>,
    /// 短消息中心地址，无则为空 / address of the short message service centre; null if there is none
    #[serde(default)]
    #[schema(required, examples("+8613800100500"))]
    pub smsc: Option<String>,
}

impl fmt::Debug for CardData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardData").finish_non_exhaustive()
    }
}
