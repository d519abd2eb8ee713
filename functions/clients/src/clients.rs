//! Accounts of business systems (§6.2.1.1).

use std::collections::BTreeMap;

use domain::ClientId;
use domain::error::Reason;
use operations::{
    ClientChange, ClientView, MAX_CLIENTS_PER_PAGE, SecretView, change_client, create_client, list_clients,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Json, Query, Staff, rights};
use web::values::{self, PageLimit, Rows, Time};
use web::{Answer, Success, codes, or_null};

use crate::freeze::UnderWay;

const LIST_REASONS: &[Reason] = &[Reason::ParameterMalformed, Reason::CursorMismatch];

const CREATE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterTooLong,
    Reason::ParameterMalformed,
];

const UPDATE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterTooLong,
    Reason::ParameterMalformed,
    Reason::UnknownClient,
    Reason::ClientFrozen,
    Reason::ClientClosed,
];

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewClient {
    /// 业务系统或其单位的名称 / name of the business system or its company
    name: String,
    /// 联系人电话，5 至 15 位数字，可以 + 开头 / telephone number of its contact: 5 to 15 digits, optionally after +
    phone: String,
    /// 可以调用的 IP 地址或 CIDR 网段，至少一个 / IP addresses or CIDR networks it may call from; at least one
    ips: Vec<String>,
    /// 可以调用的接口，至少一个 / what it may call; at least one
    permissions: Vec<values::PermissionCode>,
    /// 回调地址（https），不填则不回调 / where callbacks go (https); none are sent without it
    callback_url: Option<String>,
}

/// A new account with its secrets.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientCreated {
    /// 业务需求方标识 / identifier of the client
    #[schema(value_type = values::ClientId)]
    client_id: String,
    /// 接口密钥，仅在此显示 / the secret with which it takes tokens; shown only here
    client_secret: String,
    /// 回调密钥，仅在此显示 / the secret that signs callbacks to it; shown only here
    callback_secret: String,
}

/// Creates an account. Both secrets are shown only in this answer.
#[utoipa::path(
    post,
    path = "/admin/v1/clients",
    summary = "创建业务需求方 / Create a client (§6.2.1.1)",
    request_body = NewClient,
    responses((status = 200, body = Success<ClientCreated>)),
    extensions(("x-reasons" = json!(codes(CREATE_REASONS))))
)]
pub(crate) async fn create(
    call: Call,
    _: Staff<rights::ClientsCreate>,
    Json(new): Json<NewClient>,
) -> Answer<ClientCreated> {
    let new = operations::NewClient {
        name: &new.name,
        phone: &new.phone,
        ips: &new.ips,
        permissions: &names(&new.permissions),
        callback_url: new.callback_url.as_deref(),
        allow_http_callback: call.settings().callback_allow_http,
    };
    let created = create_client(&call.context(), &new).await?;
    Ok(Success::new(ClientCreated {
        client_id: created.client_id.as_str().to_owned(),
        client_secret: created.client_secret.as_str().to_owned(),
        callback_secret: created.callback_secret.as_str().to_owned(),
    }))
}

fn names(permissions: &[values::PermissionCode]) -> Vec<String> {
    permissions
        .iter()
        .map(|permission| permission.code().to_owned())
        .collect()
}

type ClientLimit = PageLimit<MAX_CLIENTS_PER_PAGE>;

/// Which accounts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientList {
    /// 仅查询该业务需求方 / only this client
    #[param(inline)]
    client_id: Option<values::ClientId>,
    /// 上一页应答的 next / the `next` of the page before
    #[param(inline, value_type = Option<values::Cursor>)]
    cursor: Option<values::ClientId>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<ClientLimit>,
}

/// A page of accounts.
#[derive(Serialize, ToSchema)]
pub(crate) struct Clients {
    /// 业务需求方，按标识排列 / the clients, by identifier
    clients: Vec<Client>,
    /// 下一页的 cursor，无下一页时为 null / `cursor` of the next page; null if there is none
    #[schema(required, value_type = Option<values::Cursor>)]
    next: Option<String>,
}

/// An account.
#[derive(Serialize, ToSchema)]
struct Client {
    /// 是否启用 / false when it is disabled
    active: bool,
    /// 回调自何时起全部失败 / since when every callback to it has failed
    #[schema(required)]
    callback_failing_since: Option<Time>,
    /// 回调自何时起停止 / since when callbacks to it are stopped
    #[schema(required)]
    callback_stopped_at: Option<Time>,
    /// 回调停止的原因 / why they are stopped
    #[schema(required)]
    callback_stopped_for: Option<values::StopCause>,
    /// 回调地址 / where callbacks go
    #[schema(required)]
    callback_url: Option<String>,
    /// 最近修改时间 / when it was last changed
    changed_at: Time,
    /// 业务需求方标识 / identifier of the client
    #[schema(value_type = values::ClientId)]
    client_id: String,
    /// 销户时间 / since when it is closed
    #[schema(required)]
    closed_at: Option<Time>,
    /// 创建时间 / when it was created
    created_at: Time,
    /// 冻结时间 / since when it is frozen
    #[schema(required)]
    frozen_at: Option<Time>,
    /// 可以调用的网段 / networks it may call from
    ips: Vec<String>,
    /// 与默认值不同的限制：各接口每分钟次数 / limits that differ from the defaults: calls a minute by interface
    limits: BTreeMap<String, u32>,
    /// 名称 / name of the business system or its company
    name: String,
    /// 可以调用的接口 / what it may call
    #[schema(value_type = Vec<values::PermissionCode>)]
    permissions: Vec<String>,
    /// 联系人电话，掩码；无法解密时为 null / telephone number of its contact, masked; null if it cannot be opened
    #[schema(required)]
    phone: Option<String>,
    /// 最近的接口密钥，最新在前 / its latest secrets, the newest first
    secrets: Vec<ClientSecret>,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

/// A secret, without its value.
#[derive(Serialize, ToSchema)]
struct ClientSecret {
    /// 创建时间 / when it was created
    created_at: Time,
    /// 与后一密钥并存的截止时间 / end of its overlap with its successor
    #[schema(required)]
    expires_at: Option<Time>,
    /// 序号，自 1 起 / number among the client's secrets, from 1
    generation: i64,
    /// 是否有效 / whether it is valid
    live: bool,
    /// 撤销时间 / when it was revoked
    #[schema(required)]
    revoked_at: Option<Time>,
}

/// Returns the account of `client_id`, or a page of all accounts.
#[utoipa::path(
    get,
    path = "/admin/v1/clients",
    summary = "查询业务需求方 / List the clients (§6.2.1.1)",
    params(ClientList),
    responses((status = 200, body = Success<Clients>)),
    extensions(("x-reasons" = json!(codes(LIST_REASONS))))
)]
pub(crate) async fn list(
    call: Call,
    _: Staff<rights::ClientsList>,
    Query(which): Query<ClientList>,
) -> Answer<Clients> {
    let only = which.client_id.as_deref();
    let after = which.cursor.as_deref();
    let page = list_clients(&call.context(), only, after, Rows::of(which.limit)).await?;
    let clients = page.clients.into_iter().map(|client| shown(&call, client));
    Ok(Success::new(Clients {
        clients: clients.collect(),
        next: call.next(page.next.as_ref().map(|id| id.as_str().to_owned())),
    }))
}

fn shown(call: &Call, client: ClientView) -> Client {
    let secret = |secret: &SecretView| ClientSecret {
        created_at: call.time(secret.created_at),
        expires_at: secret.expires_at.map(|at| call.time(at)),
        generation: secret.generation,
        live: secret.live,
        revoked_at: secret.revoked_at.map(|at| call.time(at)),
    };
    Client {
        active: client.active,
        callback_failing_since: client.callback_failing_since.map(|at| call.time(at)),
        callback_stopped_at: client.callback_stopped.map(|(at, _)| call.time(at)),
        callback_stopped_for: client.callback_stopped.map(|(_, cause)| cause.into()),
        callback_url: client.callback_url,
        changed_at: call.time(client.changed_at),
        client_id: client.id.as_str().to_owned(),
        created_at: call.time(client.created_at),
        closed_at: client.closed_at.map(|at| call.time(at)),
        frozen_at: client.frozen_at.map(|at| call.time(at)),
        ips: client.ips,
        limits: client.limits,
        name: client.name,
        permissions: client.permissions,
        phone: client.phone,
        secrets: client.secrets.iter().map(secret).collect(),
        unreadable: client.unreadable,
    }
}

/// The fields of an account to change. Absent ones stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientUpdate {
    /// 业务需求方标识 / identifier of the client
    client_id: values::ClientId,
    /// 名称 / name of the business system or its company
    name: Option<String>,
    /// 可以调用的 IP 地址或 CIDR 网段，至少一个 / IP addresses or CIDR networks it may call from; at least one
    ips: Option<Vec<String>>,
    /// 可以调用的接口，至少一个 / what it may call; at least one
    permissions: Option<Vec<values::PermissionCode>>,
    /// 回调地址（https），null 表示删除 / where callbacks go (https); null removes it
    #[serde(default, deserialize_with = "or_null")]
    #[schema(value_type = Option<String>)]
    callback_url: Option<Option<String>>,
    /// 各接口每分钟次数，替换原有全部限制 / calls a minute by interface; replaces all limits
    limits: Option<BTreeMap<String, u32>>,
    /// 是否启用 / whether it may call at all
    active: Option<bool>,
}

/// A changed account.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientUpdated {
    /// 业务需求方标识 / identifier of the client
    #[schema(value_type = values::ClientId)]
    client_id: String,
    /// 停用时其进行中的卡片与消息，这些照常进行；仅提交 active=false 时出现 / what the client has under way, which goes on; only where
    /// active=false was sent
    #[serde(skip_serializing_if = "Option::is_none")]
    under_way: Option<UnderWay>,
}

/// Changes the given fields of an account.
#[utoipa::path(
    post,
    path = "/admin/v1/clients:update",
    summary = "修改业务需求方 / Change a client (§6.2.1.1)",
    request_body = ClientUpdate,
    responses((status = 200, body = Success<ClientUpdated>)),
    extensions(("x-reasons" = json!(codes(UPDATE_REASONS))))
)]
pub(crate) async fn update(
    call: Call,
    _: Staff<rights::ClientsUpdate>,
    Json(update): Json<ClientUpdate>,
) -> Answer<ClientUpdated> {
    let client: ClientId = update.client_id.get();
    let permissions = update.permissions.as_deref().map(names);
    let change = ClientChange {
        name: update.name.as_deref(),
        ips: update.ips.as_deref(),
        permissions: permissions.as_deref(),
        callback_url: update.callback_url.as_ref().map(Option::as_deref),
        limits: update.limits.as_ref(),
        active: update.active,
        allow_http_callback: call.settings().callback_allow_http,
    };
    let under_way = change_client(&call.context(), &client, &change).await?;
    Ok(Success::new(ClientUpdated {
        client_id: client.as_str().to_owned(),
        under_way: under_way.map(Into::into),
    }))
}
