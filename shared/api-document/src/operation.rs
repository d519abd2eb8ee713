//! The operations as a list, for tests.

use serde_json::{Map, Value};

use super::example::{Fields, example};
use super::routers::merged;
use domain::error::Reason;
use domain::{Permission, Right};
use web::{Access, Content, Role, STAFF};

/// Begins the paths of staff.
const STAFF_PATHS: &str = "/admin/";

/// Ends the identifier of an operation that is called by GET as well.
const POST_SUFFIX: &str = ".post";

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Identifier: `write.cancel.post`.
    pub id: String,
    /// Name in logs and limits, the same for GET and POST: `write.cancel`.
    pub name: String,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path below the application's root; `{code}` for a variable segment.
    pub path: String,
    /// Who may call it.
    pub access: Access,
    /// What its body holds, if it takes one.
    pub content: Option<Content>,
    /// Its parameters in the path and in the query.
    pub parameters: Vec<Parameter>,
    /// Why it refuses, besides what its access and its content bring along.
    pub own_reasons: Vec<Reason>,
    /// The query of an example request: what the same call has in its body by POST, or else the required parameters;
    /// where a client need give none, the first.
    pub example_query: Vec<(String, String)>,
    /// The body of an example request.
    pub example_body: Option<ExampleBody>,
}

/// A parameter of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Whether it is a segment of the path.
    pub is_in_path: bool,
    /// Whether a call without it is refused.
    pub is_required: bool,
    /// A value that it may have.
    pub example: String,
}

/// The body of an example request.
#[derive(Debug, Clone, PartialEq)]
pub struct ExampleBody {
    /// Its media type.
    pub media_type: String,
    /// A document, or the text of a file.
    pub value: Value,
}

impl Operation {
    /// The path of an example request.
    #[must_use]
    pub fn example_path(&self) -> String {
        let in_path = self.parameters.iter().filter(|parameter| parameter.is_in_path);
        in_path.fold(self.path.clone(), |path, parameter| {
            path.replace(&format!("{{{}}}", parameter.name), &parameter.example)
        })
    }
}

/// Every operation, by path and method.
///
/// # Panics
/// When the routers do not make a document; a test runs it.
#[must_use]
pub fn operations() -> Vec<Operation> {
    listed(&merged())
}

/// Every operation of a document, by path and method.
pub(super) fn listed(document: &Value) -> Vec<Operation> {
    let schemas = &document["components"]["schemas"];
    let paths = document["paths"].as_object().into_iter().flatten();
    let mut all: Vec<_> = paths
        .flat_map(|(path, item)| {
            ["get", "post"]
                .into_iter()
                .filter_map(move |method| Some(operation(path, method, item.get(method)?, schemas)))
        })
        .collect();
    for at in 0..all.len() {
        let by_post = all[at + 1..].first().filter(|next| next.name == all[at].name);
        let body = by_post.and_then(|by_post| by_post.example_body.as_ref()?.value.as_object());
        all[at].example_query = example_query(&all[at], body);
    }
    all
}

fn operation(path: &str, method: &str, documented: &Value, schemas: &Value) -> Operation {
    let id = documented["operationId"].as_str().unwrap_or_default();
    let body = documented["requestBody"]["content"].as_object();
    let parameters = documented["parameters"].as_array().into_iter().flatten();
    let own = documented["x-reasons"].as_array().into_iter().flatten();
    Operation {
        id: id.to_owned(),
        name: id.strip_suffix(POST_SUFFIX).unwrap_or(id).to_owned(),
        method: if method == "get" { "GET" } else { "POST" },
        path: path.to_owned(),
        access: access(path, &documented["security"]),
        content: body.and_then(content),
        parameters: parameters.map(|known| parameter(known, schemas)).collect(),
        own_reasons: own.filter_map(|code| Reason::from_code(code.as_str()?)).collect(),
        example_query: Vec::new(),
        example_body: body.and_then(|body| example_body(body, schemas)),
    }
}

/// The query of an example request. `same` is the body of one by POST.
fn example_query(operation: &Operation, same: Option<&Map<String, Value>>) -> Vec<(String, String)> {
    if let Some(same) = same {
        return same
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect();
    }
    let is_client = matches!(operation.access, Access::Client(_));
    let in_query = operation
        .parameters
        .iter()
        .filter(|parameter| !parameter.is_in_path);
    let in_query: Vec<_> = in_query.collect();
    let has_required = in_query.iter().any(|parameter| parameter.is_required);
    let chosen = in_query.into_iter().enumerate();
    chosen
        .filter(|(at, parameter)| parameter.is_required || is_client && !has_required && *at == 0)
        .map(|(_, parameter)| (parameter.name.clone(), parameter.example.clone()))
        .collect()
}

/// A value as it stands in a query.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Who may call an operation with this path and `security`.
fn access(path: &str, security: &Value) -> Access {
    let Some((scheme, scopes)) = security[0].as_object().and_then(|all| all.iter().next()) else {
        return match path.starts_with(STAFF_PATHS) {
            true => Access::SignIn,
            false => Access::Anyone,
        };
    };
    let role = [Role::Operator, Role::Gateway, Role::Timer]
        .into_iter()
        .find(|role| role.code() == scheme);
    let scope = || scopes[0].as_str();
    if scheme == STAFF {
        let right = scope().and_then(|code| Right::parse(code).ok());
        return Access::Staff(right.expect("an operation of staff names its right"));
    }
    let permission = || Permission::parse(scope()?).ok();
    role.map(Access::Secret)
        .or_else(|| permission().map(Access::Client))
        .unwrap_or_else(|| panic!("nobody is known who calls with {scheme}"))
}

fn content(body: &Map<String, Value>) -> Option<Content> {
    [
        Content::Parameters,
        Content::Json,
        Content::Table,
        Content::Ndjson,
    ]
    .into_iter()
    .find(|content| body.contains_key(content.media_types()[0]))
}

fn parameter(documented: &Value, schemas: &Value) -> Parameter {
    let value = match &documented["example"] {
        Value::Null => example(&documented["schema"], schemas, Fields::Required),
        given => given.clone(),
    };
    Parameter {
        name: documented["name"].as_str().unwrap_or_default().to_owned(),
        is_in_path: documented["in"] == "path",
        is_required: documented["required"] == true,
        example: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    }
}

fn example_body(body: &Map<String, Value>, schemas: &Value) -> Option<ExampleBody> {
    let (media_type, documented) = body.iter().next()?;
    let value = match &documented["example"] {
        Value::Null => example(&documented["schema"], schemas, Fields::Required),
        given => given.clone(),
    };
    Some(ExampleBody {
        media_type: media_type.clone(),
        value,
    })
}
