//! The keys of a chip, requested when it opens a TLS session.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Asks for the keys that belong to a PSK identity.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct KeysRequest {
    /// 芯片发送的 PSK 标识，十六进制，1 至 256 字节 / the identity as the chip sent it, in hexadecimal; 1 to 256 bytes
    #[schema(pattern = "^([0-9A-Fa-f]{2}){1,256}$", examples("80010203"))]
    pub psk_identity: String,
    /// 标识中的 EID（若为 SGP.02 格式），未经认证，仅供参考 / the EID, if the identity has the layout of SGP.02 and so
    /// carries one; a hint that nobody has authenticated
    #[schema(examples("89086030202200000000000000000123"))]
    pub eid: Option<String>,
    /// 芯片连接的来源 IP；标识未知时，拒绝计入该地址 / address that the chip connects from; refusals of unknown identities count
    /// against it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(examples("192.0.2.1"))]
    pub address: Option<String>,
}

impl fmt::Debug for KeysRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeysRequest").finish_non_exhaustive()
    }
}

/// The keys of a chip.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct KeysAnswer {
    /// 芯片 EID，32 位数字 / the chip, 32 digits
    #[schema(pattern = "^[0-9]{32}$", examples("89086030202200000000000000000123"))]
    pub eid: String,
    /// 归属字节：该芯片会话标识的最后一个字节，0 至 255 / its home: the last byte of the identifiers of its sessions, 0 to 255
    #[serde(default)]
    #[schema(required, minimum = 0, maximum = 255)]
    pub home: Option<u8>,
    /// 密钥版本（KVN），指明派生所用的主密钥 / version of its keys (KVN), which names the master key they are derived from
    pub key_version: u8,
    /// 封装的预共享密钥；由网关派生时为空 / its pre-shared key, wrapped; null when the gateway derives it
    #[schema(required, pattern = "^([0-9a-f]{2})+$")]
    pub psk_wrapped: Option<String>,
    /// 封装的数据加密密钥；由网关派生时为空 / its data encryption key, wrapped; null when the gateway derives it
    #[schema(required, pattern = "^([0-9a-f]{2})+$")]
    pub dek_wrapped: Option<String>,
}

impl fmt::Debug for KeysAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeysAnswer")
            .field("key_version", &self.key_version)
            .finish_non_exhaustive()
    }
}
