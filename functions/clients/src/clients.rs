//! Accounts of business systems, and their secrets (§6.2.1.1, §9.2.1).

use std::collections::BTreeMap;

use domain::ClientId;
use operations::{
    self, ClientChange, ClientView, MAX_CLIENTS_PER_PAGE, NewClient, OVERLAP_SECS, SecretView, change_client,
    create_client, list_clients,
};
use serde::Deserialize;
use serde_json::{Value, json};
use spin_host::Connection;
use web::{Call, Param, Refusal, Reply, field, or_null};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientRequest {
    name: String,
    phone: String,
    ips: Vec<String>,
    permissions: Vec<String>,
    callback_url: Option<String>,
}

/// Creates an account. Both secrets are shown only in this answer.
pub(crate) async fn create(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request: ClientRequest = call.json()?;
    let new = NewClient {
        name: &request.name,
        phone: &request.phone,
        ips: &request.ips,
        permissions: &request.permissions,
        callback_url: request.callback_url.as_deref(),
        allow_http_callback: call.settings.callback_allow_http,
    };
    let created = create_client(call.cx, &new).await?;
    Ok(Reply::ok()
        .with("client_id", created.client_id.as_str())
        .with("client_secret", created.client_secret.as_str())
        .with("callback_secret", created.callback_secret.as_str()))
}

/// Returns the account of `client_id`, or a page of all accounts.
pub(crate) async fn list(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let only = call.params.optional(Param::ClientId, ClientId::parse)?;
    let after = call.params.optional(Param::Cursor, ClientId::parse)?;
    let limit = call.params.limit(MAX_CLIENTS_PER_PAGE)?;
    let page = list_clients(call.cx, only.as_ref(), after.as_ref(), limit).await?;
    let clients: Vec<Value> = page.clients.iter().map(|client| shown(call, client)).collect();
    Ok(Reply::ok()
        .with("clients", clients)
        .with("next", page.next.as_ref().map(ClientId::as_str)))
}

fn shown(call: &Call<'_, Connection>, client: &ClientView) -> Value {
    let secret = |secret: &SecretView| {
        json!({
            "generation": secret.generation,
            "live": secret.live,
            "created_at": call.text_of(secret.created_at),
            "expires_at": secret.expires_at.map(|at| call.text_of(at)),
            "revoked_at": secret.revoked_at.map(|at| call.text_of(at)),
        })
    };
    json!({
        "client_id": client.id.as_str(),
        "name": client.name,
        "phone": client.phone,
        "ips": client.ips,
        "permissions": client.permissions,
        "callback_url": client.callback_url,
        "callback_failing_since": client.callback_failing_since.map(|at| call.text_of(at)),
        "callback_stopped_at": client.callback_stopped.map(|(at, _)| call.text_of(at)),
        "callback_stopped_for": client.callback_stopped.map(|(_, cause)| cause.code()),
        "limits": client.limits,
        "active": client.active,
        "created_at": call.text_of(client.created_at),
        "changed_at": call.text_of(client.changed_at),
        "secrets": client.secrets.iter().map(secret).collect::<Vec<_>>(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeRequest {
    client_id: String,
    name: Option<String>,
    ips: Option<Vec<String>>,
    permissions: Option<Vec<String>>,
    // Absent leaves the address as it is, null removes it.
    #[serde(default, deserialize_with = "or_null")]
    callback_url: Option<Option<String>>,
    limits: Option<BTreeMap<String, u32>>,
    active: Option<bool>,
}

/// Changes the given fields of an account.
pub(crate) async fn update(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request: ChangeRequest = call.json()?;
    let client = client_id(&request.client_id)?;
    let change = ClientChange {
        name: request.name.as_deref(),
        ips: request.ips.as_deref(),
        permissions: request.permissions.as_deref(),
        callback_url: request.callback_url.as_ref().map(Option::as_deref),
        limits: request.limits.as_ref(),
        active: request.active,
        allow_http_callback: call.settings.callback_allow_http,
    };
    change_client(call.cx, &client, &change).await?;
    Ok(Reply::ok().with("client_id", client.as_str()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RotationRequest {
    client_id: String,
    overlap_secs: Option<u32>,
}

/// Gives a client a new secret beside its present one. It is shown only in this answer.
pub(crate) async fn rotate_secret(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request: RotationRequest = call.json()?;
    let client = client_id(&request.client_id)?;
    let overlap = request.overlap_secs.unwrap_or(OVERLAP_SECS);
    let rotated = operations::rotate_secret(call.cx, &client, overlap).await?;
    let ends = rotated.previous_expires_at.map(|at| call.text_of(at));
    Ok(Reply::ok()
        .with("client_secret", rotated.client_secret.as_str())
        .with("generation", rotated.generation)
        .with("previous_expires_at", ends))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretRequest {
    client_id: String,
    generation: i64,
}

/// Revokes one secret and the tokens taken with it.
pub(crate) async fn revoke_secret(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request: SecretRequest = call.json()?;
    operations::revoke_secret(call.cx, &client_id(&request.client_id)?, request.generation).await?;
    Ok(Reply::ok())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedRequest {
    client_id: String,
}

/// Revokes every token of a client.
pub(crate) async fn revoke_tokens(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request: NamedRequest = call.json()?;
    operations::revoke_tokens(call.cx, &client_id(&request.client_id)?).await?;
    Ok(Reply::ok())
}

fn client_id(text: &str) -> Result<ClientId, Refusal> {
    field("client_id", ClientId::parse(text))
}
