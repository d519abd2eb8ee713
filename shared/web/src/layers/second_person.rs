//! Acts that need a second person (§10.1). The first call changes nothing and is refused; the refusal names an identifier, in
//! the header `x-approval` too. The second person sends the same call with this header.
//!
//! What an act says is known once its body is read, so the layer of limits asks here. Whoever has `admin_secret` is alone:
//! there is nobody else yet.

use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Arrival, refused};
use crate::operation::{Access, Content, Operation};
use crate::query::Pair;
use crate::refusal::Refusal;
use domain::error::{Error, Reason};
use domain::{ApprovalId, BatchKind, Right};
use operations::{CallDigest, agree, ask_for_approval};

/// The header with the identifier, in both directions.
const APPROVAL_HEADER: HeaderName = HeaderName::from_static("x-approval");

/// How a workbook begins: it is a ZIP file.
const WORKBOOK_START: &[u8] = b"PK";

/// Lets a call pass that needs no second person, or is that of the second person.
pub(super) async fn admit(
    arrival: &Arrival,
    operation: &Operation,
    parts: &Parts,
    (body, pairs): (&Bytes, &[Pair]),
) -> Result<(), Response> {
    let Access::Staff(right) = operation.access else {
        return Ok(());
    };
    let second = &arrival.settings().second_person;
    let document = match operation.content {
        Content::Json => serde_json::from_slice::<Value>(body).ok(),
        _ => None,
    };
    let rows = match operation.content {
        Content::Table if right == Right::BatchesCreate => lines(body),
        _ => document.as_ref().map_or(0, entries),
    };
    let is_needed = second.is_needed(done_by(right, pairs), rows);
    if !is_needed || is_preview(document.as_ref(), pairs) {
        return Ok(());
    }
    let Some(act) = arrival.act().filter(|act| act.is_of_account()) else {
        return Ok(());
    };
    let digest = digest(right, parts.uri.path(), (body, document), pairs);
    let connections = arrival.connect().await.map_err(refused)?;
    let context = arrival.context(&connections);
    match presented(parts).map_err(refused)? {
        Some(id) => agree(&context, act, &digest, id).await.map_err(refused),
        None => {
            let id = ask_for_approval(&context, act, &digest, second)
                .await
                .map_err(refused)?;
            Err(needed(&id.text()))
        }
    }
}

/// The right to what a call does: a batch does to each of its rows what its kind says.
fn done_by(right: Right, pairs: &[Pair]) -> Right {
    let kind = pairs.iter().find(|(name, _)| name == "kind");
    match kind.and_then(|(_, code)| BatchKind::from_code(code)) {
        Some(kind) if right == Right::BatchesCreate => kind.right(),
        _ => right,
    }
}

/// The lines of a table. Those of a workbook are not known here: it counts as more than any number.
fn lines(table: &[u8]) -> usize {
    if table.starts_with(WORKBOOK_START) {
        return usize::MAX;
    }
    let ends = |end: u8| table.iter().filter(|byte| **byte == end).count();
    ends(b'\n').max(ends(b'\r'))
}

/// Whether the call changes nothing because it is a preview. An operation that has none refuses the name.
fn is_preview(document: Option<&Value>, pairs: &[Pair]) -> bool {
    match document {
        Some(document) => document["preview"] == true,
        None => pairs
            .iter()
            .any(|(name, value)| name == "preview" && value == "true"),
    }
}

/// The most entries that a list of the document has.
fn entries(document: &Value) -> usize {
    let fields = document
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.values());
    fields
        .filter_map(Value::as_array)
        .map(Vec::len)
        .max()
        .unwrap_or(0)
}

/// The digest of a call. The order of parameters and of the fields of a document does not matter.
fn digest(right: Right, path: &str, (body, document): (&Bytes, Option<Value>), pairs: &[Pair]) -> CallDigest {
    let mut pairs: Vec<&Pair> = pairs.iter().collect();
    pairs.sort_unstable();
    let text = document.map(|document| document.to_string());
    let body = text.as_ref().map_or(body.as_ref(), |text| text.as_bytes());
    let mut hasher = Sha256::new();
    let parts = [right.code().as_bytes(), path.as_bytes(), body].into_iter();
    let named = pairs
        .iter()
        .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    for part in parts.chain(named) {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn presented(parts: &Parts) -> Result<Option<ApprovalId>, Refusal> {
    let Some(value) = parts.headers.get(APPROVAL_HEADER) else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|text| ApprovalId::parse(text).ok());
    let wrong = || Refusal::of_field(APPROVAL_HEADER.as_str(), Reason::ParameterMalformed);
    id.map(Some).ok_or_else(wrong)
}

fn needed(id: &str) -> Response {
    let mut response = refused(Error::new(Reason::SecondPersonNeeded).with_detail(id, id));
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(APPROVAL_HEADER, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(kind: &str) -> Vec<Pair> {
        vec![
            ("key".to_owned(), "k".to_owned()),
            ("kind".to_owned(), kind.to_owned()),
        ]
    }

    #[test]
    fn a_batch_does_what_its_kind_says_and_other_operations_do_what_they_are_for() {
        for (right, kind, expected) in [
            (Right::BatchesCreate, "retire", Right::NumbersRetire),
            (Right::BatchesCreate, "end", Right::TasksEnd),
            (Right::BatchesCreate, "RETIRE", Right::BatchesCreate),
            (Right::IncidentsOpen, "retire", Right::IncidentsOpen),
        ] {
            assert_eq!(done_by(right, &pairs(kind)), expected, "{} {kind}", right.code());
        }
        assert_eq!(done_by(Right::BatchesCreate, &[]), Right::BatchesCreate);
    }

    #[test]
    fn the_lines_of_a_table_are_counted_with_every_kind_of_end_and_a_workbook_has_too_many() {
        assert_eq!(lines(b"iccid\n1\n2\n"), 3);
        assert_eq!(lines(b"iccid\r\n1\r\n2\r\n"), 3);
        assert_eq!(lines(b"iccid\r1\r2\r"), 3);
        assert_eq!(lines(b"PK\x03\x04"), usize::MAX);
    }
}
