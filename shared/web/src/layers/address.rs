//! The true address of the caller, or a refusal: the allow-list of clients depends on it (§6.2.1.1).

use std::net::IpAddr;

use axum::extract::Request;
use axum::response::Response;

use super::{Arrival, Inner, Middleware, Next, found, refused, with_extension};
use crate::address::{AddressProblem, peer_address, true_client_addr};
use crate::refusal::Refusal;
use domain::error::{Error, Reason};

/// The true address of a request's caller; on a refusal because it cannot be established, the peer that the host saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallerAddress(pub(crate) IpAddr);

/// Establishes the address of every caller.
#[derive(Clone)]
pub(crate) struct TrueAddress;

impl Middleware for TrueAddress {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        match address(request) {
            Ok(address) => with_extension(request, next, address).await,
            Err(refusal) => {
                let mut response = refused(refusal);
                // Not to be believed, but the refusal counts against it.
                if let Ok(peer) = peer_address(request.headers()) {
                    response.extensions_mut().insert(CallerAddress(peer));
                }
                response
            }
        }
    }
}

fn address(request: &Request) -> Result<CallerAddress, Refusal> {
    let arrival: &Arrival = found(request.extensions())?;
    let address = true_client_addr(request.headers(), &arrival.settings().trusted_proxies);
    let error = match address {
        Ok(address) => return Ok(CallerAddress(address)),
        Err(AddressProblem::Forged(header)) => Error::new(Reason::HeaderForged).with_detail(&header, &header),
        Err(problem @ (AddressProblem::NoPeer | AddressProblem::BadForwardedFor)) => {
            Error::new(Reason::AddressUnknown).with_cause(problem)
        }
    };
    Err(error.into())
}
