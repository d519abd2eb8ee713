//! The access token of a client.

use super::*;
use crate::layers::RequireToken;
use domain::{ClientId, HOUR_MS};

/// The client that the inner and the outer layers learn, or why there is none.
fn client(
    host: &TestHost,
    sent: Sent,
    parameters: &[(&str, &str)],
    from: [u8; 4],
) -> Result<ClientId, Reason> {
    let mut request = arrived(&host.app(), sent);
    request.extensions_mut().insert(pairs(parameters));
    request.extensions_mut().insert(CallerAddress(from.into()));
    let response = through(RequireToken, request, |request| {
        assert!(request.extensions().get::<Client>().is_some());
        empty()
    });
    match (response.extensions().get(), reason(&response)) {
        (Some(Client(client)), None) => Ok(client.caller.id.clone()),
        (_, reason) => Err(reason.unwrap()),
    }
}

// §7.1.2
#[test]
fn a_token_leads_to_its_client_from_either_place_and_from_its_own_addresses() {
    let host = TestHost::new();
    let (id, token) = host.add_client(&["write.status"]);
    let bearer = || Sent::get("/").header("authorization", &format!("Bearer {token}"));
    let parameter = [("token", token.as_str())];
    let (here, elsewhere) = ([203, 0, 113, 9], [203, 0, 113, 16]);
    assert_eq!(client(&host, bearer(), &[], here), Ok(id.clone()));
    assert_eq!(client(&host, Sent::get("/"), &parameter, here), Ok(id.clone()));
    assert_eq!(client(&host, bearer(), &parameter, here), Ok(id));
    assert_eq!(client(&host, bearer(), &[], elsewhere), Err(Reason::IpNotAllowed));
    host.set_time(NOW.plus(24 * HOUR_MS));
    assert_eq!(client(&host, bearer(), &[], here), Err(Reason::TokenExpired));
}

#[test]
fn without_one_sound_token_nobody_passes() {
    let host = TestHost::new();
    let (_, token) = host.add_client(&["write.status"]);
    let bearer = || Sent::get("/").header("authorization", &format!("Bearer {token}"));
    let (here, forged) = ([203, 0, 113, 9], format!("{}x", &token[..token.len() - 1]));
    for (sent, parameters, expected) in [
        (Sent::get("/"), vec![], Reason::TokenMissing),
        (
            Sent::get("/"),
            vec![("token", forged.as_str())],
            Reason::TokenInvalid,
        ),
        (bearer(), vec![("token", forged.as_str())], Reason::TokenConflict),
        (bearer().with_secret(), vec![], Reason::TokenConflict),
    ] {
        assert_eq!(client(&host, sent, &parameters, here), Err(expected));
    }
}

#[test]
fn without_the_database_a_token_can_be_neither_right_nor_wrong() {
    let host = TestHost::new();
    let (_, token) = host.add_client(&["write.status"]);
    host.lose_database();
    let bearer = Sent::get("/").header("authorization", &format!("Bearer {token}"));
    let found = client(&host, bearer, &[], [203, 0, 113, 9]);
    assert_eq!(found, Err(Reason::Unavailable));
}
