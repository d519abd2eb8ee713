//! What happened in a session: reported by the gateway until the platform acknowledges it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::EventDocument;

/// Reports one event of a session. A repeated report is the same document and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ReportRequest {
    /// 会话标识 / identifier of the session
    #[schema(format = "uuid", examples("019f1a2b-3c4d-7e5f-8a6b-7c8d9e0f1a2b"))]
    pub session_id: String,
    /// 会话内的报告序号，从 1 起 / number of the report within the session, from 1
    pub seq: u64,
    /// 事件 / what happened
    pub event: EventDocument,
    /// 本会话迄今的上行 TCP 字节数 / TCP payload from the chip in this session so far, in bytes
    pub bytes_up: u64,
    /// 本会话迄今的下行 TCP 字节数 / TCP payload to the chip in this session so far, in bytes
    pub bytes_down: u64,
    /// 芯片 EID，仅用于未领取工作即结束的会话（事件为 closed） / the chip; only of a session that ended before it asked for
    /// work (event closed)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eid: Option<String>,
    /// 设备的地址与端口，与 eid 一同给出 / address and port of the device; together with eid
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
}

/// The platform's acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ReportAnswer {
    /// 会话可否继续；在 not_verified 之后也表示是否立即重写 / whether the session may go on; after not_verified also
    /// whether the card is to be written now
    #[serde(rename = "continue", default)]
    #[schema(required)]
    pub go_on: bool,
    /// 会话剩余字节数；无限制时为空 / bytes the session may still cost; null for no limit
    #[serde(default)]
    #[schema(required)]
    pub allowance_bytes: Option<u64>,
}
