//! What a gateway says of itself at its start and again and again: what it can carry out, and which chips it knows
//! whose handshakes failed.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::MAX_NAME_BYTES;

/// Announces a gateway in place of what it announced before. A repeated announcement is the same document and changes
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AnnounceRequest {
    /// 网关名称，每个网关各不相同 / name of the gateway, another one for each
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,64}$", examples("gw-1"))]
    pub gateway: String,
    /// 网关进程的标识，每次启动更新 / identifier of the gateway's process, a new one at each start
    #[schema(
        pattern = "^[A-Za-z0-9._:-]{1,64}$",
        examples("019f1a2b-3c4d-7e5f-8a6b-7c8d9e0f1a2b")
    )]
    pub instance: String,
    /// 进程内的公布序号，递增 / number of the announcement within the process, ascending
    pub seq: u64,
    /// 网关具有的卡片模板 / the card profiles that it has
    #[schema(max_items = 512, examples("qibiao-seed"))]
    pub profiles: Vec<String>,
    /// 网关具有的主密钥版本 / the versions of the master keys that it has
    #[schema(max_items = 16, examples(64))]
    pub key_versions: Vec<u8>,
    /// 自上次公布以来握手失败的已知芯片 / the known chips whose handshakes failed since the last announcement
    #[serde(default)]
    #[schema(max_items = 200)]
    pub failed_handshakes: Vec<FailedHandshakes>,
}

/// Whether a gateway, a process or a card profile may be announced under this name.
#[must_use]
pub fn is_announced_name(text: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(is_fit)
}

/// Failed handshakes of one chip.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct FailedHandshakes {
    /// 芯片 EID / the chip
    #[schema(pattern = "^[0-9]{32}$", examples("89086030202200000000000000000123"))]
    pub eid: String,
    /// 失败次数 / how many failed
    #[schema(maximum = 1000000)]
    pub count: u32,
    /// 最近一次失败的原因代码 / why the last one failed, as a stable snake_case word
    #[schema(examples("wrong_key"))]
    pub failure: String,
}

impl fmt::Debug for FailedHandshakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedHandshakes")
            .field("count", &self.count)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// The platform's acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AnnounceAnswer {
    /// 此公布先前已处理 / whether this announcement was processed before
    #[serde(default)]
    #[schema(required)]
    pub repeated: bool,
}
