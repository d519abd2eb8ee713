//! Limits of the query and of the body, in bytes and in time. What arrived within them is decoded here, once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, Method};

use super::second_person::admit;
use super::{Arrival, Inner, Middleware, Next, found, refused, with_extension};
use crate::host::read_bounded;
use crate::ignored::IgnoredParameters;
use crate::operation::{Content, Operation};
use crate::query::{MAX_QUERY_BYTES, Pair, decode_form, decode_json};
use crate::refusal::Refusal;
use domain::error::{Error, Reason};
use domain::without_byte_order_mark;

/// How long a caller may take to send its body, in seconds.
const BODY_READ_SECS: u64 = 20;

/// The parameters of a request, decoded but not checked.
#[derive(Clone)]
pub(crate) struct Pairs(pub(crate) Arc<Vec<Pair>>);

/// The body of a request that is a document or a file; empty where it held parameters.
#[derive(Clone)]
pub(crate) struct Document(pub(crate) Bytes);

/// Reads and decodes requests within the limits of an operation.
#[derive(Clone)]
pub(crate) struct Limits(pub(crate) Arc<Operation>);

impl Middleware for Limits {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        let (parts, body) = std::mem::take(request).into_parts();
        let content = self.0.content;
        let arrival = match found::<Arrival>(&parts.extensions) {
            Ok(arrival) => arrival,
            Err(refusal) => return refused(refusal),
        };
        let body = if announces_a_body(&parts.method, &parts.headers) {
            let time = Duration::from_secs(BODY_READ_SECS);
            let read = read_bounded(arrival.app().host(), body, content.max_bytes(), time).await;
            read.map(Bytes::from)
        } else {
            Ok(Bytes::new())
        };
        match decode(content, &parts, body, &arrival.settings().ignored_parameters) {
            Ok((document, pairs)) => {
                ask(arrival, &self.0, parts.uri.path(), (&document, &pairs));
                if let Err(response) = admit(arrival, &self.0, &parts, (&document, &pairs)).await {
                    return response;
                }
                *request = Request::from_parts(parts, Body::empty());
                request.extensions_mut().insert(Document(document));
                with_extension(request, next, Pairs(Arc::new(pairs))).await
            }
            Err(refusal) => refused(refusal),
        }
    }
}

/// Tells the act of staff, if the request is one, what is asked for: the fields of a document, the parameters, the values
/// in the path, and of a file its size and its digest.
fn ask(arrival: &Arrival, operation: &Operation, path: &str, (body, pairs): (&Bytes, &[Pair])) {
    let Some(act) = arrival.act() else { return };
    let mut fields = serde_json::Map::new();
    for (template, text) in operation.path.split('/').zip(path.split('/')) {
        let name = template.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        fields.extend(name.map(|name| (name.to_owned(), text.into())));
    }
    fields.extend(
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into())),
    );
    let is_file = !body.is_empty() && operation.content != Content::Json;
    if !is_file && !body.is_empty() {
        fields.extend(serde_json::from_slice::<serde_json::Map<_, _>>(body).unwrap_or_default());
    }
    act.ask(&arrival.settings().vault, fields);
    // Last, so that no parameter of this name takes their place.
    if is_file {
        act.ask_file(body);
    }
}

/// A GET hardly ever has a body, and reading an absent one costs several calls of the host.
fn announces_a_body(method: &Method, headers: &HeaderMap) -> bool {
    method != Method::GET || headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING)
}

/// The body where it is a document or a file, and the parameters in query and body.
fn decode(
    content: Content,
    parts: &http::request::Parts,
    body: Result<Bytes, Reason>,
    ignored: &IgnoredParameters,
) -> Result<(Bytes, Vec<Pair>), Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    if query.len() > MAX_QUERY_BYTES {
        return Err(Reason::QueryTooLong.into());
    }
    let mut pairs = decode_form(query, ignored)?;
    let body = body?;
    if body.len() > content.max_bytes() {
        let limit = content.max_bytes();
        return Err(Error::new(Reason::BodyTooLarge)
            .with_detail(
                format!("上限 {limit} 字节"),
                format!("the limit is {limit} bytes"),
            )
            .into());
    }
    let text = without_byte_order_mark(&body);
    let body = body.slice_ref(text);
    if body.is_empty() {
        return Ok((body, pairs));
    }
    if parts.method == Method::GET {
        return Err(Reason::BodyUnexpected.into());
    }
    let sent = media_type(&parts.headers);
    if !content.media_types().contains(&sent.as_str()) {
        let accepted = content.media_types().join(", ");
        return Err(Error::new(Reason::MediaTypeUnsupported)
            .with_detail(&accepted, &accepted)
            .into());
    }
    if content != Content::Parameters {
        return Ok((body, pairs));
    }
    if sent == "application/json" {
        pairs.extend(decode_json(&body, ignored)?);
    } else {
        let form = std::str::from_utf8(&body).map_err(|_| Reason::BadUtf8)?;
        pairs.extend(decode_form(form, ignored)?);
    }
    Ok((Bytes::new(), pairs))
}

/// The media type without its parameters; a `charset` other than UTF-8 is found when the body is decoded.
fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let value = value.unwrap_or_default().split(';').next();
    value.unwrap_or_default().trim().to_ascii_lowercase()
}
