//! The access token of a client (§7.1.2). The client is read anew with every call, so that disabling it or changing
//! its secret stops its tokens at once.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;

use super::{Arrival, CallerAddress, Inner, Middleware, Next, Pairs, found, refused, with_extension};
use crate::credential;
use crate::refusal::Refusal;
use operations::{Verified, verify_token};

/// The client of a request.
#[derive(Clone, Debug)]
pub(crate) struct Client(pub(crate) Arc<Verified>);

/// Opens an operation to clients with a valid token, from their own addresses.
#[derive(Clone)]
pub(crate) struct RequireToken;

impl Middleware for RequireToken {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        match client(request).await {
            Ok(client) => with_extension(request, next, client).await,
            Err(refusal) => refused(refusal),
        }
    }
}

async fn client(request: &Request) -> Result<Client, Refusal> {
    let extensions = request.extensions();
    let arrival: &Arrival = found(extensions)?;
    let Pairs(pairs) = found(extensions)?;
    let CallerAddress(from) = found(extensions)?;
    let connections = arrival.connect().await?;
    let context = arrival.context(&connections);
    let token = credential::token(request.headers(), pairs)?;
    let verified = verify_token(&context, token, *from).await?;
    Ok(Client(Arc::new(verified)))
}
