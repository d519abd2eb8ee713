//! Answers: a JSON document whose `code` equals the HTTP status (clause 7.1.1), with the fields of the clause and
//! nothing else, and the headers of every answer.
//!
//! `content-length` is always set: Spin sends head and body in two segments, and with a chunked answer a caller on a
//! kept-alive connection waits for its delayed acknowledgement.

use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::interface::Interface;
use super::refusal::{Problem, Refusal};
use domain::Budget;
use domain::error::Lang;

/// The header of the request's identifier, in both directions.
pub(crate) const REQUEST_ID_HEADER: &str = "x-request-id";

/// Seconds after which a caller should try again when the platform is unavailable.
const RETRY_AFTER_SECS: u32 = 2;

/// The separator between the message of a success and a note, in Chinese and English.
const NOTE_MARK: [&str; 2] = ["；", "; "];

/// The window of rate limits, in seconds.
const WINDOW_SECS: u32 = 60;

/// The success of a call: its fields in the order of the clause.
#[derive(Debug, Default)]
pub struct Reply {
    fields: Vec<(&'static str, Value)>,
    budget: Option<Budget>,
    note: Option<[String; 2]>,
    file: Option<File>,
}

/// A file in place of a document.
#[derive(Debug, Clone)]
struct File {
    name: String,
    text: String,
}

impl Reply {
    /// A success without fields of its own.
    #[must_use]
    pub fn ok() -> Self {
        Self::default()
    }

    /// Adds a field; `None` becomes `null`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Adds a note for the caller's staff to the message, in Chinese and English.
    #[must_use]
    pub fn with_note(mut self, zh: String, en: String) -> Self {
        self.note = Some([zh, en]);
        self
    }

    /// A success that is a CSV file called `name`, to be saved. The name may have letters, digits, `-`, `_` and `.`.
    #[must_use]
    pub fn csv(name: String, text: String) -> Self {
        Self {
            file: Some(File { name, text }),
            ..Self::default()
        }
    }

    /// Adds what the client has left of its limit.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// A field that is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(field, _)| *field == name)?;
        value.as_str()
    }
}

/// `code` and `message` first, then the fields in order.
struct Document<'a> {
    code: u16,
    message: &'a str,
    fields: &'a [(&'static str, Value)],
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2 + self.fields.len()))?;
        map.serialize_entry("code", &self.code)?;
        map.serialize_entry("message", self.message)?;
        for (name, value) in self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Renders the result of a call as the answer.
pub fn render(
    interface: &Interface,
    outcome: &Result<Reply, Refusal>,
    lang: Lang,
    request_id: &str,
) -> Response<Vec<u8>> {
    let (code, message, fields) = match outcome {
        Ok(reply) => {
            let note = reply
                .note
                .as_ref()
                .map(|note| format!("{}{}", NOTE_MARK[lang as usize], note[lang as usize]));
            let message = format!("{}{}", success(lang), note.unwrap_or_default());
            (StatusCode::OK, message, reply.fields.clone())
        }
        Err(refusal) => {
            let code = StatusCode::from_u16(refusal.reason().status());
            let message = refusal.first().error.message(lang);
            (
                code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                message,
                explanation(refusal, lang, request_id),
            )
        }
    };
    let document = Document {
        code: code.as_u16(),
        message: &message,
        fields: &fields,
    };
    let file = outcome.as_ref().ok().and_then(|reply| reply.file.as_ref());
    let body = match file {
        Some(file) => file.text.clone().into_bytes(),
        // Keys are text and values are JSON already, so this cannot fail.
        None => serde_json::to_vec(&document).unwrap_or_default(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = code;
    let length = response.body().len();
    set_headers(response.headers_mut(), length, request_id);
    let headers = response.headers_mut();
    if let Some(file) = file {
        set_file_headers(headers, &file.name);
    }
    let budget = match outcome {
        Ok(reply) => reply.budget,
        Err(refusal) => {
            set_remedial_headers(headers, interface, refusal);
            refusal.budget()
        }
    };
    if let Some(budget) = budget {
        set_budget_headers(headers, interface, budget);
    }
    response
}

const fn success(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => "成功",
        Lang::En => "success",
    }
}

fn explanation(refusal: &Refusal, lang: Lang, request_id: &str) -> Vec<(&'static str, Value)> {
    let first = refusal.first();
    let mut fields = vec![
        ("reason", Value::from(refusal.reason().code())),
        ("remedy", Value::from(refusal.reason().remedy(lang))),
    ];
    if let Some(field) = &first.field {
        fields.push(("field", Value::from(field.as_str())));
    }
    if refusal.count() > 1 {
        fields.push((
            "errors",
            refusal.problems().map(|problem| entry(problem, lang)).collect(),
        ));
    }
    fields.push(("request_id", Value::from(request_id)));
    fields
}

fn entry(problem: &Problem, lang: Lang) -> Value {
    json!({
        "field": problem.field,
        "message": problem.error.message(lang),
        "reason": problem.error.reason().code(),
    })
}

fn set_headers(headers: &mut HeaderMap, length: usize, request_id: &str) {
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
    }
}

fn set_file_headers(headers: &mut HeaderMap, name: &str) {
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8"),
    );
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
}

fn set_remedial_headers(headers: &mut HeaderMap, interface: &Interface, refusal: &Refusal) {
    match refusal.reason().status() {
        401 => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        405 => headers.insert(
            header::ALLOW,
            HeaderValue::from_static(interface.methods.header()),
        ),
        429 | 503 => {
            let wait = refusal.first().error.wait();
            let secs = wait.map_or(RETRY_AFTER_SECS, |wait| wait.secs);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs))
        }
        _ => None,
    };
}

/// `RateLimit-Policy` and `RateLimit`, structured fields (RFC 9651) after draft-ietf-httpapi-ratelimit-headers-10: `q`
/// calls in `w` seconds; `r` calls are left, and all are back in `t` seconds.
fn set_budget_headers(headers: &mut HeaderMap, interface: &Interface, budget: Budget) {
    let name = interface.name;
    let policy = format!("\"{name}\";q={};w={WINDOW_SECS}", budget.limit);
    let remaining = format!("\"{name}\";r={};t={}", budget.left, budget.full_in_secs);
    for (header, text) in [("ratelimit-policy", policy), ("ratelimit", remaining)] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(HeaderName::from_static(header), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::{Reply, render};
    use crate::interface::ADMIN_INCIDENTS_REVIEW;
    use domain::error::Lang;

    #[test]
    fn a_file_is_saved_under_its_name_and_has_its_length() {
        let text = "code,name\r\nstuck_writing,写卡中\r\n";
        let outcome = Ok(Reply::csv("incidents-2026-07.csv".to_owned(), text.to_owned()));
        let response = render(&ADMIN_INCIDENTS_REVIEW, &outcome, Lang::Zh, "r-1");
        assert_eq!(
            (response.status().as_u16(), response.body().as_slice()),
            (200, text.as_bytes())
        );
        let header = |name| response.headers()[name].to_str().unwrap();
        assert_eq!(header(header::CONTENT_TYPE), "text/csv; charset=utf-8");
        assert_eq!(header(header::CONTENT_LENGTH), text.len().to_string());
        assert_eq!(
            header(header::CONTENT_DISPOSITION),
            "attachment; filename=\"incidents-2026-07.csv\""
        );
        assert_eq!(header(header::CACHE_CONTROL), "no-store");
    }
}
