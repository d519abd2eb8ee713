//! Two reads of a database, and on SQLite a row of a log that is written with others: what a status query cannot do
//! without. The measure of the host's interfaces, without any work of a component.

mod postgres;
mod sqlite;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, HeaderValue};
use spin_sdk::http::{FullBody, IntoResponse, Request, Response};
use spin_sdk::http_service;
use spin_sdk::wasip3::random::random::get_random_bytes;

/// The client, of which there is one.
const CLIENT: &str = "SELECT id, name, limits FROM client ORDER BY id LIMIT 1";
/// The first chip from a random place on.
const CHIP: &str = "SELECT eid_index, client_id FROM chip WHERE eid_index >= $1 ORDER BY eid_index LIMIT 1";

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let done = match request.uri().path() {
        "/floor/sqlite" => sqlite::answer(),
        "/floor/postgres" => postgres::answer().await,
        _ => Err("an unknown path".to_owned()),
    };
    let (status, body) = match done {
        Ok(()) => (StatusCode::OK, "{\"code\":200}".to_owned()),
        Err(problem) => (StatusCode::INTERNAL_SERVER_ERROR, problem),
    };
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(FullBody::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

/// The first bytes of an index, at random: most chips are behind it.
fn random_place() -> Vec<u8> {
    let mut place = get_random_bytes(8);
    place[0] /= 2;
    place
}
