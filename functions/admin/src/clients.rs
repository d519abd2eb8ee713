//! Accounts of business systems (§6.2.1.1).

use serde::Deserialize;
use shared::operations::{NewClient, create_client};
use shared::spin::Connection;
use shared::web::{Call, Refusal, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientDocument {
    name: String,
    phone: String,
    ips: Vec<String>,
    permissions: Vec<String>,
    callback_url: Option<String>,
}

/// Creates an account. Both secrets are in this answer and never in another.
pub(crate) async fn create(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let wanted: ClientDocument = call.json()?;
    let new = NewClient {
        name: &wanted.name,
        phone: &wanted.phone,
        ips: &wanted.ips,
        permissions: &wanted.permissions,
        callback_url: wanted.callback_url.as_deref(),
        allow_http_callback: call.settings.callback_allow_http,
    };
    let created = create_client(call.cx, &new).await?;
    Ok(Reply::ok()
        .with("client_id", created.client_id.as_str())
        .with("client_secret", created.client_secret.as_str())
        .with("callback_secret", created.callback_secret.as_str()))
}
