//! The addresses of receivers, the changes of state that they get, and the secrets that sign messages to them.

use domain::error::Reason;
use domain::{CardChange, Receiver};
use operations::{
    OVERLAP_SECS, ReceiverChange, ReceiverSecretView, ReceiverView, change_receiver, receiver_view,
    rotate_receiver_secret,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Json, Query, Staff, rights};
use web::values::{self, Parsed, Time};
use web::{Answer, Refusal, Success, codes, or_null};

const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownReceiver,
];

const UPDATE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::ParameterEmpty,
    Reason::ParameterNotApplicable,
    Reason::UnknownReceiver,
];

const ROTATE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownReceiver,
    Reason::SecretsInRotation,
];

/// Which receiver.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichReceiver {
    /// 接收方 / the receiver
    #[param(inline)]
    receiver: values::Receiver,
}

/// A receiver.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceiverShown {
    /// 接收方 / the receiver
    #[schema(value_type = values::Receiver)]
    receiver: String,
    /// 回调地址 / where messages go
    #[schema(required)]
    url: Option<String>,
    /// 地址设置时间 / when the address was entered
    entered_at: Time,
    /// 自何时起全部失败 / since when every message to it has failed
    #[schema(required)]
    failing_since: Option<Time>,
    /// 自何时起停止推送 / since when messages to it are stopped
    #[schema(required)]
    stopped_at: Option<Time>,
    /// 停止推送的原因 / why they are stopped
    #[schema(required)]
    stopped_for: Option<values::StopCause>,
    /// 业务需求方自何时起冻结，期间不推送 / since when nothing is sent to it, because its client is frozen
    #[schema(required)]
    held_at: Option<Time>,
    /// 地址是否可以为 http / whether its address may be plain http
    allow_http: bool,
    /// 推送的状态变更，仅业务需求方 / the changes of state that a client gets; empty for the operator
    changes: Vec<values::CardChange>,
    /// 正在推送的消息数 / how many messages are in flight
    in_flight: u32,
    /// 最近的回调密钥，最新在前 / its latest secrets, the newest first
    secrets: Vec<ReceiverSecret>,
}

/// A secret, without its value.
#[derive(Serialize, ToSchema)]
struct ReceiverSecret {
    /// 创建时间 / when it was created
    created_at: Time,
    /// 与后一密钥并存的截止时间 / end of its overlap with its successor
    #[schema(required)]
    expires_at: Option<Time>,
    /// 序号，自 1 起 / number among the receiver's secrets, from 1
    generation: i64,
    /// 是否用于签名 / whether messages are signed with it
    live: bool,
}

/// Returns a receiver's address, its failures, and its secrets without their values.
#[utoipa::path(
    get,
    path = "/admin/v1/receivers",
    summary = "查询接收方的地址与密钥 / Show the address and secrets of a receiver (§7.3)",
    params(WhichReceiver),
    responses((status = 200, body = Success<ReceiverShown>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn show(
    call: Call,
    _: Staff<rights::ReceiversShow>,
    Query(which): Query<WhichReceiver>,
) -> Answer<ReceiverShown> {
    let view = receiver_view(&call.context(), &which.receiver).await?;
    Ok(Success::new(shown(&call, &which.receiver, view)))
}

fn shown(call: &Call, to: &Receiver, view: ReceiverView) -> ReceiverShown {
    let secret = |secret: &ReceiverSecretView| ReceiverSecret {
        created_at: call.time(secret.created_at),
        expires_at: secret.expires_at.map(|at| call.time(at)),
        generation: secret.generation,
        live: secret.live,
    };
    ReceiverShown {
        receiver: to.code().to_owned(),
        url: view.url,
        entered_at: call.time(view.entered_at),
        failing_since: view.failing_since.map(|at| call.time(at)),
        stopped_at: view.stopped.map(|(at, _)| call.time(at)),
        stopped_for: view.stopped.map(|(_, cause)| cause.into()),
        held_at: view.held_at.map(|at| call.time(at)),
        allow_http: view.allow_http,
        changes: view.changes.into_iter().map(Into::into).collect(),
        in_flight: view.in_flight,
        secrets: view.secrets.iter().map(secret).collect(),
    }
}

/// What changes about a receiver: its address, whether that may be plain http, the changes of state that it gets.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReceiverUpdate {
    /// 接收方 / the receiver
    receiver: values::Receiver,
    /// 回调地址（https），null 表示删除；给出其他字段时可省略 / where messages go (https); null removes it; may be absent where
    /// another field is there
    #[serde(default, deserialize_with = "or_null")]
    #[schema(value_type = Option<String>)]
    url: Option<Option<String>>,
    /// 该接收方的地址是否可以为 http，特殊用途网络除外 / whether this receiver's address may be plain http; special-purpose networks
    /// stay closed
    allow_http: Option<bool>,
    /// 推送哪些状态变更，至少一项，仅业务需求方；默认为任务结果 / which changes of state a client gets, at least one; by default the
    /// outcomes of tasks
    changes: Option<Vec<values::CardChange>>,
}

/// A receiver that was changed.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceiverUpdated {
    /// 接收方 / the receiver
    #[schema(value_type = values::Receiver)]
    receiver: String,
    /// 运营方首次设置地址时的密钥，仅在此显示 / the secret that comes with the operator's first address; shown only here
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    secret: Option<String>,
}

/// Sets or removes a receiver's address, allows plain http for it, and selects the changes of state that it gets. The
/// operator's first address comes with a secret, which is shown only in this answer.
#[utoipa::path(
    post,
    path = "/admin/v1/receivers:update",
    summary = "修改接收方的地址与推送的状态变更 / Change the address of a receiver and what it gets (§7.3)",
    request_body = ReceiverUpdate,
    responses((status = 200, body = Success<ReceiverUpdated>)),
    extensions(("x-reasons" = json!(codes(UPDATE_REASONS))))
)]
pub(crate) async fn update(
    call: Call,
    _: Staff<rights::ReceiversUpdate>,
    Json(update): Json<ReceiverUpdate>,
) -> Answer<ReceiverUpdated> {
    let to = update.receiver.get();
    if update.url.is_none() && update.allow_http.is_none() && update.changes.is_none() {
        return Err(Refusal::of_field("url", Reason::ParameterMissing));
    }
    let changes: Option<Vec<CardChange>> = update
        .changes
        .map(|changes| changes.into_iter().map(Parsed::get).collect());
    let change = ReceiverChange {
        url: update.url.as_ref().map(Option::as_deref),
        allow_http: update.allow_http,
        callback_allow_http: call.settings().callback_allow_http,
        changes: changes.as_deref(),
    };
    let secret = change_receiver(&call.context(), &to, &change).await?;
    Ok(Success::new(ReceiverUpdated {
        receiver: to.code().to_owned(),
        secret: secret.map(|secret| secret.as_str().to_owned()),
    }))
}

/// A receiver that gets a new secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReceiverSecretRotation {
    /// 接收方 / the receiver
    receiver: values::Receiver,
    /// 原密钥继续签名的秒数，默认 86400，0 表示立即停用 / seconds for which the present one signs too, by default 86400
    overlap_secs: Option<u32>,
    /// 轮换期间是否替换最新的密钥（遗失或泄露） / whether it replaces the newest of two secrets, which was lost or leaked
    #[serde(default)]
    replace: bool,
}

/// A new secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceiverSecretRotated {
    /// 新回调密钥，仅在此显示 / the new secret; shown only here
    secret: String,
    /// 序号，自 1 起 / number among the receiver's secrets, from 1
    generation: i64,
    /// 原密钥停止签名的时间 / until when the previous secret signs too
    #[schema(required)]
    previous_expires_at: Option<Time>,
}

/// Gives a receiver a new secret beside its present one. It is shown only in this answer.
#[utoipa::path(
    post,
    path = "/admin/v1/receivers:rotate-secret",
    summary = "更换回调密钥 / Give a receiver a new secret beside its present one (§9.2.2)",
    request_body = ReceiverSecretRotation,
    responses((status = 200, body = Success<ReceiverSecretRotated>)),
    extensions(("x-reasons" = json!(codes(ROTATE_REASONS))))
)]
pub(crate) async fn rotate_secret(
    call: Call,
    _: Staff<rights::ReceiversRotateSecret>,
    Json(rotation): Json<ReceiverSecretRotation>,
) -> Answer<ReceiverSecretRotated> {
    let overlap = rotation.overlap_secs.unwrap_or(OVERLAP_SECS);
    let cx = call.context();
    let rotated = rotate_receiver_secret(&cx, &rotation.receiver, overlap, rotation.replace).await?;
    Ok(Success::new(ReceiverSecretRotated {
        secret: rotated.secret.as_str().to_owned(),
        generation: rotated.generation,
        previous_expires_at: rotated.previous_expires_at.map(|at| call.time(at)),
    }))
}
