//! What the platform sends to a client's address (clause 7.3).

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Object, RefOr};
use web::values::{CardChange, CardState, Eid, Iccid, Msisdn, TaskId, Time};

use super::schemas::reference;

/// 写卡状态变更推送，没有值的字段不出现；后续版本可能增加文本字段，同样参与签名 / a change of state of a card; a field without a value
/// is absent; later versions may add text fields, which are signed as well
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Callback {
    /// 芯片 EID / EID of the chip
    eid: Eid,
    /// 写卡任务 ID，申请失败时没有 / identifier of the task; a refused application has none
    #[schema(nullable = false)]
    task_id: Option<TaskId>,
    /// 卡片状态（表 2） / state of the card (Table 2)
    card_status: CardState,
    /// 状态变更 / the change of state
    event: CardChange,
    /// 写卡结果，仅任务结束时 / result; only at the end of a task
    #[schema(schema_with = write_result, required = false)]
    write_result: Option<String>,
    /// 状态变更时间 / when the state changed
    event_time: Time,
    /// 写卡完成时间，仅写卡成功时 / when the card was written, only if it was
    #[schema(nullable = false)]
    write_time: Option<Time>,
    /// ICCID，仅任务结束时 / ICCID; only at the end of a task
    #[schema(nullable = false)]
    iccid: Option<Iccid>,
    /// 13 位物联网号码，仅任务结束时 / 13-digit IoT number; only at the end of a task
    #[schema(nullable = false)]
    msisdn: Option<Msisdn>,
    /// 状态描述 / description
    #[schema(examples("写卡完成，运营号通信正常"))]
    description: String,
    /// 签名时间，1970 年以来的秒数 / when it was signed, seconds since 1970
    #[schema(examples("1782864000"))]
    timestamp: String,
    /// 签名 / signature
    #[schema(examples("9f86d081…"))]
    sign: String,
    /// 失败类别或申请被拒绝的原因 / kind of failure, or why the application was refused
    #[schema(examples("file_refused"), nullable = false)]
    failure: Option<String>,
    /// 旧密钥的签名，仅密钥轮换期间 / signature of the secret before the present one, while both are good
    #[schema(examples("60303ae2…"), nullable = false)]
    sign_previous: Option<String>,
}

/// 业务需求方的应答 / what the client answers
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct CallbackReceipt {
    /// 200 表示已接收 / 200 for received
    #[schema(schema_with = code)]
    code: u16,
    /// 说明 / message
    #[schema(examples("接收成功"), nullable = false)]
    message: Option<String>,
}

fn write_result() -> Object {
    let names = ExtensionsBuilder::new().add("x-enum-varnames", ["SUCCEEDED", "FAILED"]);
    ObjectBuilder::new()
        .schema_type(Type::String)
        .title(Some("WriteResult"))
        .description(Some("写卡结果 / result"))
        .enum_values(Some(["成功", "失败"]))
        .extensions(Some(names.build()))
        .build()
}

fn code() -> Object {
    let code = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .enum_values(Some([200]));
    code.description(Some("200 表示已接收 / 200 for received"))
        .build()
}

/// The schemas of the callback and of what is answered to it.
pub(super) fn schemas() -> Value {
    fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
    let mut schemas = Vec::new();
    add::<Callback>(&mut schemas);
    add::<CallbackReceipt>(&mut schemas);
    let named = schemas.into_iter().map(|(name, schema)| (name, json!(schema)));
    Value::Object(named.collect::<Map<_, _>>())
}

/// The request that the platform sends. The document refers to it: clients are generated for what is below `paths` and
/// for webhooks in place, and nobody calls this one.
pub(super) fn operation() -> Value {
    json!({
        "operationId": "callback",
        "summary": "空写回调 / A change of state of a card (§7.3)",
        "description": "写卡状态变更时推送至业务需求方的回调地址，默认仅推送任务结果；签名见接入指南。\n\nSent to the client's callback \
            address when the state of a card changes, by default when a task has ended; the integration guide explains \
            its signatures.",
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
