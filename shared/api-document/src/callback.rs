//! What the platform sends to a client's address (clause 7.3).

use serde_json::{Value, json};

use super::schemas::reference;

/// A reference with its own description.
fn described(name: &str, zh_en: &str) -> Value {
    let mut reference = reference(name);
    reference["description"] = json!(zh_en);
    reference
}

fn text(zh_en: &str, example: &str) -> Value {
    json!({"type": "string", "description": zh_en, "examples": [example]})
}

/// The schemas of the callback and of what is answered to it.
pub(super) fn schemas() -> Value {
    let result = json!({"type": "string", "description": "写卡结果 / result", "enum": ["成功", "失败"],
        "x-enum-varnames": ["SUCCEEDED", "FAILED"]});
    json!({
        "Callback": {
            "type": "object",
            // They are signed like the others.
            "description": "写卡结果推送；后续版本可能增加文本字段 / the result of writing a card; later versions may add text fields",
            "required": ["eid", "task_id", "card_status", "write_result", "write_time", "iccid", "msisdn", "description",
                "timestamp", "sign"],
            "properties": {
                "eid": described("Eid", "芯片 EID / EID of the chip"),
                "task_id": described("TaskId", "写卡任务 ID / identifier of the task"),
                "card_status": described("CardState", "卡片状态（表 2） / state of the card (Table 2)"),
                "write_result": described("WriteResult", "写卡结果 / result"),
                "write_time": described("Time", "写卡完成时间 / when it ended"),
                "iccid": described("Iccid", "ICCID / ICCID"),
                "msisdn": described("Msisdn", "13 位物联网号码 / 13-digit IoT number"),
                "description": text("状态描述 / description", "写卡完成，运营号通信正常"),
                "timestamp": text("签名时间，1970 年以来的秒数 / when it was signed, seconds since 1970", "1782864000"),
                "sign": text("签名 / signature", "9f86d081…"),
                "failure": text("失败类别，仅失败时 / kind of failure, where it failed", "file_refused"),
                "sign_previous": text("旧密钥的签名，仅密钥轮换期间 / signature of the secret before the present one, while \
                    both are good", "60303ae2…"),
            },
        },
        "CallbackReceipt": {
            "type": "object",
            "description": "业务需求方的应答 / what the client answers",
            "required": ["code"],
            "properties": {
                "code": reference("SuccessCode"),
                "message": text("说明 / message", "接收成功"),
            },
        },
        "WriteResult": result,
    })
}

/// The request that the platform sends. The document refers to it: clients are generated for what is below `paths` and
/// for webhooks in place, and nobody calls this one.
pub(super) fn operation() -> Value {
    json!({
        "operationId": "callback",
        "summary": "空写回调 / The result of writing a card (§7.3)",
        "description": "写卡结束后推送至业务需求方的回调地址；签名见接入指南。\n\nSent to the client's callback address when \
            writing has ended; the integration guide explains its signatures.",
        "tags": ["business"],
        "security": [],
        "requestBody": {
            "required": true,
            "content": {"application/json": {"schema": reference("Callback")}},
        },
        "responses": {
            "200": {
                "description": "接收成功 / received",
                "content": {"application/json": {"schema": reference("CallbackReceipt")}},
            },
        },
    })
}
