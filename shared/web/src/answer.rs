//! Answers: a JSON document whose `code` equals the HTTP status (clause 7.1.1), with the fields of the clause and
//! nothing else, or a file; and the headers of every answer.
//!
//! A handler answers with its fields or a refusal; the language layer writes the document. `content-length` is always
//! set, except of an export, which is sent in parts: Spin sends head and body in two segments, and with a chunked answer a caller on a kept-alive connection waits
//! for its delayed acknowledgement.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::__dev::ComposeSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::budget::show_budget;
use super::refusal::{Problem, Refusal};
use domain::error::{Error, Lang};
use domain::{Budget, TaskId};

/// Seconds after which a caller should try again when the platform is unavailable.
const RETRY_AFTER_SECS: u32 = 2;

/// What a handler answers: the fields of a success, or a refusal.
pub type Answer<T> = Result<Success<T>, Refusal>;

/// The success of a call. It is not shown in `Debug`: it may hold secrets.
pub struct Success<T> {
    fields: T,
    budget: Option<(&'static str, Budget)>,
    task: Option<TaskId>,
}

impl<T: Serialize> Success<T> {
    /// A success with these fields, in their order.
    pub fn new(fields: T) -> Self {
        Self {
            fields,
            budget: None,
            task: None,
        }
    }

    /// Adds what the client has left of its limit of an operation.
    #[must_use]
    pub fn with_budget(mut self, operation: &'static str, budget: Budget) -> Self {
        self.budget = Some((operation, budget));
        self
    }

    /// Names the task of the call, for the call log.
    #[must_use]
    pub fn about(mut self, task: TaskId) -> Self {
        self.task = Some(task);
        self
    }
}

impl<T: PartialSchema> ComposeSchema for Success<T> {
    /// The fields, after `code` and `message`.
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let text = |zh_en: &str| {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some(zh_en))
        };
        let code = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some("响应码，200 表示成功 / 200 for success"))
            .enum_values(Some([200]));
        let fields = match T::schema() {
            RefOr::T(Schema::Object(fields)) => fields,
            _ => Object::new(),
        };
        let mut object = ObjectBuilder::from(fields)
            .property("code", code)
            .property("message", text("响应信息 / message").examples(["成功"]))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .build();
        object
            .required
            .splice(0..0, ["code", "message"].map(str::to_owned));
        object.into()
    }
}

impl<T: ToSchema> ToSchema for Success<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Success")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

/// A file in place of a document, to be saved.
#[derive(Debug)]
pub struct CsvFile {
    /// Letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// The whole file.
    pub text: String,
}

/// The fields of a success that is not written yet, as a JSON object.
#[derive(Clone)]
struct Fields(Bytes);

/// The task that an answer is about, for the call log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskOfCall(pub(crate) TaskId);

/// The refusal of a call, for the outer layers.
#[derive(Clone, Debug)]
pub(crate) struct Refused(pub(crate) Arc<Refusal>);

impl<T: Serialize> IntoResponse for Success<T> {
    fn into_response(self) -> Response {
        let object = match serde_json::to_vec(&self.fields) {
            Ok(object) => Fields(object.into()),
            Err(problem) => return Refusal::from(Error::internal(problem)).into_response(),
        };
        let mut response = Response::new(Body::empty());
        let extensions = response.extensions_mut();
        extensions.insert(object);
        if let Some(task) = self.task {
            extensions.insert(TaskOfCall(task));
        }
        if let Some((operation, budget)) = self.budget {
            show_budget(response.headers_mut(), operation, budget);
        }
        response
    }
}

impl IntoResponse for CsvFile {
    fn into_response(self) -> Response {
        let length = self.text.len();
        let mut response = Response::new(Body::from(self.text));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8"),
        );
        if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", self.name)) {
            headers.insert(header::CONTENT_DISPOSITION, value);
        }
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        let status = StatusCode::from_u16(self.reason().status());
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(Refused(Arc::new(self)));
        response
    }
}

/// The document of a success, before the fields of the operation.
#[derive(Serialize)]
struct Head<'a> {
    code: u16,
    message: &'a str,
}

/// The document of a refusal.
#[derive(Serialize)]
struct Explanation<'a> {
    code: u16,
    message: String,
    reason: &'static str,
    remedy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Entry<'a>>,
    request_id: &'a str,
}

/// One of several problems.
#[derive(Serialize)]
struct Entry<'a> {
    field: Option<&'a str>,
    message: String,
    reason: &'static str,
}

/// The fields of a success that is not written yet, as a JSON object.
pub(crate) fn fields_of(response: &Response) -> Option<&[u8]> {
    let Fields(fields) = response.extensions().get()?;
    Some(fields)
}

/// Writes the document of an answer in the caller's language, and the headers of every answer.
pub(crate) fn written(mut response: Response, lang: Lang, request_id: &str) -> Response {
    let document = match (response.extensions_mut().remove(), response.extensions().get()) {
        (Some(fields), _) => Some(success(&fields, lang)),
        (None, Some(Refused(refusal))) => {
            let refusal = Arc::clone(refusal);
            set_remedial_headers(response.headers_mut(), &refusal);
            Some(explanation(&refusal, lang, request_id))
        }
        (None, None) => None,
    };
    if let Some(document) = document {
        let length = document.len();
        *response.body_mut() = Body::from(document);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// `code` and `message`, then the fields in their order.
fn success(fields: &Fields, lang: Lang) -> Vec<u8> {
    let head = Head {
        code: 200,
        message: match lang {
            Lang::Zh => "成功",
            Lang::En => "success",
        },
    };
    // Numbers and text always become JSON.
    let mut document = serde_json::to_vec(&head).unwrap_or_default();
    // Both are objects, so the fields follow in place of the closing bracket.
    if fields.0.len() > "{}".len() {
        document.pop();
        document.push(b',');
        document.extend_from_slice(&fields.0[1..]);
    }
    document
}

fn explanation<'a>(refusal: &'a Refusal, lang: Lang, request_id: &'a str) -> Vec<u8> {
    let (first, reason) = (refusal.first(), refusal.reason());
    let entry = |problem: &'a Problem| Entry {
        field: problem.field.as_deref(),
        message: problem.error.message(lang),
        reason: problem.error.reason().code(),
    };
    let errors = if refusal.count() > 1 {
        refusal.problems().map(entry).collect()
    } else {
        Vec::new()
    };
    let explanation = Explanation {
        code: reason.status(),
        message: first.error.message(lang),
        reason: reason.code(),
        remedy: reason.remedy(lang),
        field: first.field.as_deref(),
        errors,
        request_id,
    };
    // Text always becomes JSON.
    serde_json::to_vec(&explanation).unwrap_or_default()
}

fn set_remedial_headers(headers: &mut HeaderMap, refusal: &Refusal) {
    match refusal.reason().status() {
        401 => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        429 | 503 => {
            let wait = refusal.first().error.wait();
            let secs = wait.map_or(RETRY_AFTER_SECS, |wait| wait.secs);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        _ => {}
    }
}
