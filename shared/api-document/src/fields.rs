//! The meaning of parameters and answers: names, forms, examples, in Chinese and English.

use serde_json::{Value, json};

use domain::{CardStatus, NumberStatus, Province};
use operations::LineStatus;
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

/// Form of a time in an answer.
const TIME: &str = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}$";
pub(super) const EID: &str = "89086030202200000000000000000123";
const TASK: &str = "019f1a2b-3c4d-7e5f-8a6b-7c8d9e0f1a2b";
const MSISDN: &str = "1440100000001";
const ICCID: &str = "89860411269000000013";
const WHEN: &str = "2026-07-01T08:00:00+08:00";

fn field(name: &'static str, zh: &'static str, en: &'static str, schema: Value, example: Value) -> Field {
    Field {
        name,
        zh,
        en,
        schema,
        example,
    }
}

fn text(pattern: &str) -> Value {
    json!({"type": "string", "pattern": pattern})
}

/// The same schema, or null while the value is not known.
fn or_null(mut schema: Value) -> Value {
    let kind = schema["type"].take();
    schema["type"] = json!([kind, "null"]);
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
    schema
}

fn time(name: &'static str, zh: &'static str, en: &'static str) -> Field {
    field(
        name,
        zh,
        en,
        json!({"type": "string", "format": "date-time", "pattern": TIME}),
        json!(WHEN),
    )
}

fn volume(name: &'static str, zh: &'static str, en: &'static str, example: f64) -> Field {
    let schema = json!({"type": "number", "minimum": 0, "maximum": 999_999_999.999_999_f64});
    field(name, zh, en, schema, json!(example))
}

fn nullable(mut field: Field) -> Field {
    field.schema = or_null(field.schema);
    field
}

fn eid() -> Field {
    field(
        "eid",
        "芯片 EID",
        "EID of the chip",
        text(r"^\d{32}$"),
        json!(EID),
    )
}

fn msisdn() -> Field {
    field(
        "msisdn",
        "13 位物联网号码",
        "13-digit IoT number",
        text(r"^\d{13}$"),
        json!(MSISDN),
    )
}

fn iccid() -> Field {
    field("iccid", "ICCID", "ICCID", text(r"^[0-9A-F]{20}$"), json!(ICCID))
}

fn task_id() -> Field {
    field(
        "task_id",
        "写卡任务 ID",
        "identifier of the task",
        json!({"type": "string", "format": "uuid"}),
        json!(TASK),
    )
}

fn card_status() -> Field {
    let names: Vec<_> = CardStatus::ALL.iter().map(|status| status.zh()).collect();
    let schema = json!({"type": "string", "enum": names});
    field(
        "card_status",
        "卡片状态（表 2）",
        "state of the card (Table 2)",
        schema,
        json!("待开机上电"),
    )
}

fn number_status(names: Vec<&str>) -> Field {
    let schema = json!({"type": "string", "enum": names});
    field(
        "card_status",
        "码号状态",
        "state of the number",
        schema,
        json!("已写入"),
    )
}

fn province() -> Field {
    let names: Vec<_> = Province::all().map(Province::zh).collect();
    let schema = json!({"type": "string", "enum": names});
    field(
        "province",
        "归属地省份",
        "province the number belongs to",
        schema,
        json!("山东"),
    )
}

/// The fields of an interface's success after `code` and `message`, in their order.
pub(super) fn answer(interface: &str) -> Vec<Field> {
    match interface {
        "token" => vec![
            field(
                "token",
                "认证令牌",
                "access token",
                json!({"type": "string", "maxLength": 256}),
                json!("v1.cl_….1.1783036800000.…"),
            ),
            field(
                "expire_time",
                "有效期，秒",
                "validity in seconds",
                json!({"type": "integer", "minimum": 1}),
                json!(86_400),
            ),
        ],
        "write.provinces" => {
            let codes: Vec<_> = Province::all().map(Province::code).collect();
            let item = json!({"type": "object", "required": ["name", "code"], "additionalProperties": false, "properties": {
                "name": {"type": "string"}, "code": {"type": "string", "enum": codes}}});
            let schema = json!({"type": "array", "items": item});
            let example = json!([{"name": "山东", "code": "37"}]);
            vec![field("provinces", "省份列表", "provinces", schema, example)]
        }
        "write.apply" => vec![task_id(), card_status()],
        "write.status" => vec![
            eid(),
            nullable(task_id()),
            card_status(),
            field(
                "progress",
                "写卡进度",
                "progress",
                text(r"^(\d|[1-9]\d|100)%$"),
                json!("45%"),
            ),
            nullable(time(
                "write_time",
                "写卡时间，未完成则为空",
                "when the card was written; null until it is",
            )),
        ],
        "write.cancel" => vec![time("cancel_time", "取消时间", "when it was withdrawn")],
        "chip.read" => vec![
            eid(),
            nullable(field(
                "imei",
                "终端 IMEI",
                "IMEI of the module",
                text(r"^\d{15}$"),
                json!("490154203237518"),
            )),
            field(
                "chip_model",
                "芯片型号",
                "model of the chip",
                json!({"type": "string"}),
                json!("XK-1"),
            ),
            field(
                "temp_msisdn",
                "临时号码",
                "temporary number",
                text(r"^\d{13}$"),
                json!("1064800000001"),
            ),
            field(
                "temp_iccid",
                "临时 ICCID",
                "ICCID of the temporary number",
                text(r"^[0-9A-F]{20}$"),
                json!(ICCID),
            ),
            card_status(),
            volume(
                "remaining_flow",
                "剩余测试流量，MB（1 MB = 1 000 000 字节）",
                "test allowance left, in MB of 1,000,000 bytes",
                4.999_35,
            ),
        ],
        "number.read" => vec![
            msisdn(),
            iccid(),
            nullable(eid()),
            province(),
            number_status(NumberStatus::ALL.map(NumberStatus::zh).to_vec()),
            nullable(time("open_time", "开卡时间", "when the operator opened it")),
        ],
        "number.usage" => vec![
            msisdn(),
            iccid(),
            nullable(volume(
                "total_flow",
                "本月套餐总量，MB",
                "data of this month, in MB",
                100.0,
            )),
            nullable(volume("used_flow", "已使用流量，MB", "used of it, in MB", 30.5)),
            nullable(volume(
                "remaining_flow",
                "剩余流量，MB",
                "left of it, in MB",
                69.5,
            )),
            nullable(time("update_time", "更新时间", "when the operator counted")),
        ],
        "number.open_time" => vec![
            nullable(eid()),
            msisdn(),
            nullable(time("open_time", "开卡时间", "when the number was opened")),
            number_status(LineStatus::all().into_iter().map(LineStatus::zh).collect()),
            nullable(time(
                "expire_time",
                "临时号码过期时间，若有",
                "when a temporary number expires",
            )),
        ],
        "number.city" => vec![
            msisdn(),
            nullable(field(
                "city",
                "实时上网城市",
                "city it is online in",
                json!({"type": "string", "maxLength": 64}),
                json!("济南"),
            )),
            province(),
            nullable(time("location_time", "定位时间", "when it was located")),
        ],
        _ => Vec::new(),
    }
}

/// The fields of a callback (clause 7.3).
pub(super) fn callback() -> Vec<Field> {
    let plain = |name, zh, en, example| field(name, zh, en, json!({"type": "string"}), json!(example));
    vec![
        eid(),
        task_id(),
        card_status(),
        field(
            "write_result",
            "写卡结果",
            "result",
            json!({"type": "string", "enum": ["成功", "失败"]}),
            json!("成功"),
        ),
        time("write_time", "写卡完成时间", "when it ended"),
        iccid(),
        msisdn(),
        plain(
            "description",
            "状态描述",
            "description",
            "写卡完成，运营号通信正常",
        ),
        plain(
            "timestamp",
            "签名时间，1970 年以来的秒数",
            "when it was signed, seconds since 1970",
            "1782864000",
        ),
        plain("sign", "签名", "signature", "9f86d081…"),
    ]
}

/// The fields that a callback has only sometimes.
pub(super) fn callback_at_times() -> Vec<Field> {
    let plain = |name, zh, en, example| field(name, zh, en, json!({"type": "string"}), json!(example));
    vec![
        plain(
            "failure",
            "失败类别，仅失败时",
            "kind of failure, where it failed",
            "file_refused",
        ),
        plain(
            "sign_previous",
            "旧密钥的签名，仅密钥轮换期间",
            "signature of the secret before the present one, while both are good",
            "60303ae2…",
        ),
    ]
}

/// A parameter as documented.
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
