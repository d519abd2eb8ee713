//! The meaning of parameters and answers: names, forms, examples, in Chinese and English.

use serde_json::{Value, json};

use domain::Province;
use web::Param;

/// A field or a parameter.
#[derive(Clone)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
    /// JSON Schema of its value.
    pub(super) schema: Value,
    pub(super) example: Value,
}

pub(super) const EID: &str = "89086030202200000000000000000123";
pub(super) const TASK: &str = "019f1a2b-3c4d-7e5f-8a6b-7c8d9e0f1a2b";
pub(super) const MSISDN: &str = "1440100000001";
pub(super) const ICCID: &str = "89860411269000000013";

pub(super) fn field(
    name: &'static str,
    zh: &'static str,
    en: &'static str,
    schema: Value,
    example: Value,
) -> Field {
    Field {
        name,
        zh,
        en,
        schema,
        example,
    }
}

/// A parameter as it is sent.
pub(super) fn parameter(param: Param) -> Field {
    let schema =
        |pattern: &str| json!({"type": "string", "pattern": pattern, "maxLength": param.max_chars()});
    let (zh, en, schema, example) = match param {
        Param::ClientId => (
            "业务需求方标识",
            "identifier of the client",
            schema(r"\S"),
            json!("cl_…"),
        ),
        Param::ClientSecret => (
            "业务需求方密钥",
            "secret of the client",
            schema(r"\S"),
            json!("xks_…"),
        ),
        Param::Token => ("认证令牌", "access token", schema(r"\S"), json!("v1.…")),
        Param::Eid => (
            "芯片 EID，末两位为校验码（ISO 7064）",
            "EID; its last two digits are check digits (ISO 7064)",
            schema(r"^[0-9]{32}$"),
            json!(EID),
        ),
        Param::TaskId => (
            "写卡任务 ID",
            "identifier of the task",
            json!({"type": "string", "format": "uuid"}),
            json!(TASK),
        ),
        Param::WriteType => (
            "写卡方式：0 指定，1 自动",
            "0 designated, 1 automatic",
            json!({"type": "string", "enum": ["0", "1"]}),
            json!("1"),
        ),
        Param::ProvinceCode => {
            let codes: Vec<_> = Province::all().map(Province::code).collect();
            let schema = json!({"type": "string", "enum": codes});
            (
                "省份编码（GB/T 2260），自动分配时必填；亦可写作六位",
                "province code of GB/T 2260, for automatic writing; six digits are accepted too",
                schema,
                json!("37"),
            )
        }
        Param::Iccid => (
            "ICCID，指定写卡时必填",
            "ICCID, for designated writing",
            schema(r"^[0-9]{2}[0-9A-F]{18}$"),
            json!(ICCID),
        ),
        Param::Msisdn => (
            "13 位物联网号码",
            "13-digit number of an IoT range",
            schema(r"^(1410|1440|1441|146|148|10646|10648|10649)[0-9]+$"),
            json!(MSISDN),
        ),
        _ => ("", "", json!({"type": "string"}), Value::Null),
    };
    field(param.name(), zh, en, schema, example)
}

/// The purpose of an interface.
pub(super) fn purpose(interface: &str) -> (&'static str, &'static str, &'static str) {
    match interface {
        "token" => ("§7.2.1", "获取认证令牌", "Take an access token"),
        "write.provinces" => (
            "§7.2.2.1",
            "查询当前可写入的省份",
            "Provinces that have a number to write",
        ),
        "write.apply" => (
            "§7.2.2.2",
            "提交写卡申请；参数相同的重复申请返回同一任务",
            "Apply for a card to be written; the same application again answers the same task",
        ),
        "write.status" => (
            "§7.2.2.3",
            "查询写卡进度与卡片状态",
            "State and progress of a card",
        ),
        "write.cancel" => (
            "§7.2.2.4",
            "取消待开机上电的写卡申请",
            "Withdraw an application while the card waits for power-up",
        ),
        "chip.read" => ("§7.2.3.1", "查询芯片信息", "A chip"),
        "number.read" => ("§7.2.3.2", "查询码号信息", "A number"),
        "number.usage" => (
            "§7.2.3.3",
            "查询码号本月流量；未知时为空",
            "Data a number used this month; null while unknown",
        ),
        "number.open_time" => (
            "§7.2.3.4",
            "查询开卡时间与码号状态",
            "When a card's number was opened, and its state",
        ),
        "number.city" => (
            "§7.2.3.5",
            "查询码号实时上网城市；未知时为空",
            "City a number is online in; null while unknown",
        ),
        _ => ("", "", ""),
    }
}

/// The required parameters, and the pair of which one is required.
pub(super) fn needed(interface: &str) -> (&'static [Param], Option<[Param; 2]>) {
    match interface {
        "token" => (&[Param::ClientId, Param::ClientSecret], None),
        "write.apply" => (&[Param::Eid, Param::WriteType], None),
        "write.status" | "write.cancel" => (&[], Some([Param::Eid, Param::TaskId])),
        "chip.read" => (&[Param::Eid], None),
        "number.open_time" => (&[], Some([Param::Eid, Param::Msisdn])),
        "number.read" | "number.usage" | "number.city" => (&[], Some([Param::Msisdn, Param::Iccid])),
        _ => (&[], None),
    }
}
