//! The true address of the caller.

use super::*;
use crate::layers::TrueAddress;

/// The address that the layers inside and outside learn, or the refusal.
fn address(sent: Sent) -> Result<[IpAddr; 2], (Reason, bool)> {
    let request = arrived(&TestHost::new().app(), sent);
    let response = through(TrueAddress, request, |request| {
        let inside: CallerAddress = *request.extensions().get().unwrap();
        let mut response = empty();
        response.extensions_mut().insert(inside.0);
        response
    });
    let extensions = response.extensions();
    if let Some(Refused(refusal)) = extensions.get() {
        return Err((refusal.reason(), refusal.first().error.cause().is_some()));
    }
    let CallerAddress(outside) = extensions.get().unwrap();
    Ok([*extensions.get().unwrap(), *outside])
}

#[test]
fn inner_and_outer_layers_learn_it() {
    assert_eq!(address(Sent::get("/")), Ok([FROM; 2]));
    let proxied = Sent::get("/")
        .without("spin-client-addr")
        .header("spin-client-addr", "10.0.0.1:80")
        .header("x-forwarded-for", "203.0.113.9, 10.0.0.7");
    assert_eq!(address(proxied), Ok([FROM; 2]));
}

#[test]
fn a_forged_one_is_the_callers_business_and_an_unknown_one_the_operators() {
    let forged = Sent::get("/").header("spin-client-addr", "203.0.113.9:1");
    assert_eq!(address(forged), Err((Reason::HeaderForged, false)));
    let unknown = Sent::get("/").without("spin-client-addr");
    assert_eq!(address(unknown), Err((Reason::AddressUnknown, true)));
    let unreadable = Sent::get("/")
        .without("spin-client-addr")
        .header("spin-client-addr", "10.0.0.1:80")
        .header("x-forwarded-for", "somebody");
    assert_eq!(address(unreadable), Err((Reason::AddressUnknown, true)));
}

// It is not believed, but the refusal counts against it.
#[test]
fn a_refusal_names_the_peer_that_the_host_saw() {
    for sent in [
        Sent::get("/")
            .header("spin-full-url", "http://a/")
            .header("spin-full-url", "http://b/"),
        Sent::get("/")
            .without("spin-client-addr")
            .header("spin-client-addr", "10.0.0.1:80")
            .header("x-forwarded-for", "somebody"),
    ] {
        let request = arrived(&TestHost::new().app(), sent);
        let response = stopped(TrueAddress, request);
        let CallerAddress(peer) = response.extensions().get().unwrap();
        assert!(
            ["203.0.113.9", "10.0.0.1"].contains(&peer.to_string().as_str()),
            "{peer}"
        );
    }
}
