//! The addresses of receivers and the secrets that sign messages to them.

use domain::Receiver;
use operations::{
    OVERLAP_SECS, ReceiverSecretView, ReceiverView, enter_receiver_address, receiver_view,
    rotate_receiver_secret,
};
use serde::Deserialize;
use serde_json::{Value, json};
use spin_host::Connection;
use web::{Call, Param, Refusal, Reply, field};

/// Returns a receiver's address, its failures, and its secrets without their values.
pub(crate) async fn show(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let to = call.params.required(Param::Receiver, Receiver::parse)?;
    let view = receiver_view(call.cx, &to).await?;
    Ok(reply(call, &to, view))
}

fn reply(call: &Call<'_, Connection>, to: &Receiver, view: ReceiverView) -> Reply {
    let secret = |secret: &ReceiverSecretView| {
        json!({
            "generation": secret.generation,
            "live": secret.live,
            "created_at": call.text_of(secret.created_at),
            "expires_at": secret.expires_at.map(|at| call.text_of(at)),
        })
    };
    Reply::ok()
        .with("receiver", to.code())
        .with("url", view.url)
        .with("entered_at", call.text_of(view.entered_at))
        .with("failing_since", view.failing_since.map(|at| call.text_of(at)))
        .with("stopped_at", view.stopped.map(|(at, _)| call.text_of(at)))
        .with("stopped_for", view.stopped.map(|(_, cause)| cause.code()))
        .with("in_flight", view.in_flight)
        .with("secrets", view.secrets.iter().map(secret).collect::<Vec<Value>>())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateRequest {
    receiver: String,
    // Null removes the address; an absent field is a mistake.
    #[serde(deserialize_with = "Option::deserialize")]
    url: Option<String>,
}

/// Sets or removes a receiver's address. The operator's first address comes with a secret, which is shown only in this
/// answer.
pub(crate) async fn update(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request: UpdateRequest = call.json()?;
    let to = receiver(&request.receiver)?;
    let allow_http = call.settings.callback_allow_http;
    let secret = enter_receiver_address(call.cx, &to, request.url.as_deref(), allow_http).await?;
    let reply = Reply::ok().with("receiver", to.code());
    Ok(match secret {
        Some(secret) => reply.with("secret", secret.as_str()),
        None => reply,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RotationRequest {
    receiver: String,
    overlap_secs: Option<u32>,
    #[serde(default)]
    replace: bool,
}

/// Gives a receiver a new secret beside its present one. It is shown only in this answer.
pub(crate) async fn rotate_secret(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request: RotationRequest = call.json()?;
    let overlap = request.overlap_secs.unwrap_or(OVERLAP_SECS);
    let rotated =
        rotate_receiver_secret(call.cx, &receiver(&request.receiver)?, overlap, request.replace).await?;
    let ends = rotated.previous_expires_at.map(|at| call.text_of(at));
    Ok(Reply::ok()
        .with("secret", rotated.secret.as_str())
        .with("generation", rotated.generation)
        .with("previous_expires_at", ends))
}

pub(crate) fn receiver(text: &str) -> Result<Receiver, Refusal> {
    field("receiver", Receiver::parse(text))
}
