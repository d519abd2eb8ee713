//! Identifiers, as texts.

use serde_json::json;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaFormat, Type};

use super::{Kind, Parsed};
use crate::extract::MAX_VALUE_CHARS;
use domain::Malformed;

/// Longest text of a code of few characters, in characters.
const MAX_CODE_CHARS: usize = 16;

/// An EID.
pub type Eid = Parsed<domain::Eid>;
/// An ICCID.
pub type Iccid = Parsed<domain::Iccid>;
/// An IMSI.
pub type Imsi = Parsed<domain::Imsi>;
/// An MSISDN.
pub type Msisdn = Parsed<domain::Msisdn>;
/// Identifier of an account of staff.
pub type AccountId = Parsed<domain::AccountId>;
/// Identifier of an act that waits for a second person.
pub type ApprovalId = Parsed<domain::ApprovalId>;
/// Identifier of a client.
pub type ClientId = Parsed<domain::ClientId>;
/// Identifier of a task.
pub type TaskId = Parsed<domain::TaskId>;
/// Identifier of a session.
pub type SessionId = Parsed<domain::SessionId>;
/// Identifier of a message.
pub type MessageId = Parsed<domain::MessageId>;
/// Identifier of an incident.
pub type IncidentId = Parsed<domain::IncidentId>;
/// Identifier of an import.
pub type ImportId = Parsed<domain::ImportId>;
/// Identifier of a batch.
pub type BatchId = Parsed<domain::BatchId>;
/// Identifier of an alert.
pub type AlertId = Parsed<domain::AlertId>;
/// Whom messages go to.
pub type Receiver = Parsed<domain::Receiver>;
/// A province, by its code.
pub type ProvinceCode = Parsed<domain::Province>;
/// How a number is chosen.
pub type WriteType = Parsed<domain::WriteType>;

/// A text with a pattern and an example.
pub(super) fn text(pattern: &str, zh_en: &str, example: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(zh_en))
        .pattern(Some(pattern))
        .max_length(Some(MAX_VALUE_CHARS))
        .examples([json!(example)])
        .build()
}

fn uuid(zh_en: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom("uuid".to_owned())))
        .description(Some(zh_en))
        .examples([json!("019f1a2b-3c4d-7e5f-8a6b-7c8d9e0f1a2b")])
        .build()
}

pub(super) fn one_of(values: impl Iterator<Item = &'static str>, zh_en: &str, example: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(zh_en))
        .enum_values(Some(values))
        .examples([json!(example)])
        .build()
}

/// One of a few codes.
fn code(values: impl Iterator<Item = &'static str>, zh_en: &str, example: &str) -> Object {
    ObjectBuilder::from(one_of(values, zh_en, example))
        .max_length(Some(MAX_CODE_CHARS))
        .build()
}

macro_rules! kinds {
    ($($kind:ident: $object:expr),+ $(,)?) => {$(
        impl Kind for domain::$kind {
            const NAME: &'static str = stringify!($kind);

            fn parse(text: &str) -> Result<Self, Malformed> {
                Self::parse(text).map_err(Into::into)
            }

            fn object() -> Object {
                $object
            }
        }
    )+};
}

kinds!(
    Eid: text(
        "^[0-9A-Fa-f]{32}$",
        "芯片 EID，32 位数字，末两位为校验码（ISO 7064）；平台设置允许时为 32 位十六进制字符 / EID: 32 digits, the last two of them check \
         digits (ISO 7064); where the platform's settings permit it, 32 hexadecimal digits",
        "89086030202200000000000000000123",
    ),
    Iccid: text(
        "^89[0-9A-Fa-f]{16}([0-9A-Fa-f][0-9A-Ea-e]|[0-9A-Ea-e][0-9A-Fa-f]?)$",
        "ICCID，20 位；19 位的 ICCID 末尾加 F，提交时可省略 / ICCID, 20 characters; one of 19 digits ends in F, which may be left \
         out when it is sent",
        "89860411269000000013",
    ),
    Imsi: text("^[0-9]{15}$", "IMSI / IMSI", "460001357924680"),
    Msisdn: text(
        "^1[0-9]{12}$",
        "13 位物联网号码 / 13-digit IoT number",
        "1440100000001",
    ),
    AccountId: uuid("账号标识 / identifier of an account"),
    ApprovalId: uuid("待第二人执行的操作的标识 / identifier of an act that waits for a second person"),
    ClientId: text(
        "^cl_[0-9a-f]{20}$",
        "业务需求方标识 / identifier of a client",
        "cl_0123456789abcdef0123",
    ),
    Receiver: text(
        "^(operator|cl_[0-9a-f]{20})$",
        "消息接收方：业务需求方标识或 operator / receiver of messages: a client, or operator",
        "operator",
    ),
    TaskId: uuid("写卡任务 ID / identifier of a task"),
    SessionId: uuid("会话标识 / identifier of a session"),
    MessageId: uuid("消息标识 / identifier of a message"),
    IncidentId: uuid("异常标识 / identifier of an incident"),
    ImportId: uuid("导入标识 / identifier of an import"),
    BatchId: uuid("批量任务标识 / identifier of a batch"),
    AlertId: uuid("告警标识 / identifier of an alert"),
    WriteType: code(
        ["0", "1"].into_iter(),
        "写卡方式：0 指定，1 自动 / 0 designated, 1 automatic",
        "1",
    ),
);

impl Kind for domain::Province {
    const NAME: &'static str = "ProvinceCode";

    fn parse(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }

    fn object() -> Object {
        code(
            Self::all().map(Self::code),
            "省份编码（GB/T 2260），亦可写作六位 / province code of GB/T 2260; six digits are accepted too",
            "37",
        )
    }
}
