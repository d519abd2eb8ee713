//! The fields of a schema as rows for people.

use serde_json::Value;

use super::example::{Fields, example, resolved};

/// Deepest field that is shown.
const MAX_DEPTH: usize = 4;

/// A parameter, or a field of a document or an answer.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name; `provinces[].code` for a field of the elements of `provinces`.
    pub(super) name: String,
    /// Whether it must be given.
    pub(super) is_required: bool,
    /// What it means, in Chinese and English.
    pub(super) meaning: [String; 2],
    /// What it may hold.
    pub(super) example: String,
}

/// `中文 / English` as two texts; the same one twice when there is only one.
pub(super) fn both(text: &str) -> [&str; 2] {
    match text.split_once(" / ") {
        Some((zh, en)) => [zh, en],
        None => [text, text],
    }
}

/// A parameter as a row.
pub(super) fn of_parameter(parameter: &Value, schemas: &Value) -> Field {
    let schema = &parameter["schema"];
    let text = match parameter["description"].as_str() {
        Some(text) => text,
        None => described(schema, schemas),
    };
    row(
        parameter["name"].as_str().unwrap_or_default().to_owned(),
        parameter["required"] == true,
        text,
        schema,
        schemas,
    )
}

/// The fields of a schema as rows: the required ones in their order, then the others.
pub(super) fn of_schema(schema: &Value, schemas: &Value) -> Vec<Field> {
    let mut rows = Vec::new();
    add(&mut rows, "", schema, schemas, MAX_DEPTH);
    rows
}

fn add(rows: &mut Vec<Field>, prefix: &str, schema: &Value, schemas: &Value, depth: usize) {
    let Some((suffix, object)) = object_in(schema, schemas, depth) else {
        return;
    };
    let prefix = match (prefix, suffix) {
        ("", "") => String::new(),
        (prefix, suffix) => format!("{prefix}{suffix}."),
    };
    let required: Vec<&str> = object["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let place = |name: &str| required.iter().position(|known| *known == name);
    let Some(properties) = object["properties"].as_object() else {
        return;
    };
    let mut fields: Vec<_> = properties.iter().collect();
    fields.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
    for (name, schema) in fields {
        let full = format!("{prefix}{name}");
        let is_required = place(name).is_some();
        rows.push(row(
            full.clone(),
            is_required,
            described(schema, schemas),
            schema,
            schemas,
        ));
        if depth > 1 {
            add(rows, &full, schema, schemas, depth - 1);
        }
    }
}

/// The object that a schema is, refers to, or has as its elements; with what to add to the name.
fn object_in<'a>(schema: &'a Value, schemas: &'a Value, depth: usize) -> Option<(&'static str, &'a Value)> {
    if depth == 0 {
        return None;
    }
    let schema = plain(schema, schemas);
    if schema.get("properties").is_some() {
        return Some(("", schema));
    }
    let (suffix, inner) = match (schema.get("items"), schema.get("additionalProperties")) {
        (Some(items), _) => ("[]", items),
        (None, Some(values)) if values.is_object() => (".*", values),
        _ => return None,
    };
    let inner = plain(inner, schemas);
    inner.get("properties").map(|_| (suffix, inner))
}

/// A schema without references, and without the choice of null.
fn plain<'a>(mut schema: &'a Value, schemas: &'a Value) -> &'a Value {
    for _ in 0..MAX_DEPTH {
        let choices = ["oneOf", "anyOf", "allOf"]
            .iter()
            .find_map(|key| schema[*key].as_array());
        schema = match (schema["$ref"].as_str(), choices) {
            (Some(reference), _) => resolved(reference, schemas),
            (None, Some(choices)) => match choices.iter().find(|choice| choice["type"] != "null") {
                Some(choice) => choice,
                None => return schema,
            },
            (None, None) => return schema,
        };
    }
    schema
}

/// The description of a schema or of what it may be beside null, or else of the one that it refers to.
fn described<'a>(schema: &'a Value, schemas: &'a Value) -> &'a str {
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    let own = choices
        .chain([schema])
        .find_map(|schema| schema["description"].as_str());
    own.or_else(|| plain(schema, schemas)["description"].as_str())
        .unwrap_or_default()
}

fn row(name: String, is_required: bool, text: &str, schema: &Value, schemas: &Value) -> Field {
    // The fields of objects have rows of their own.
    let example = match object_in(schema, schemas, 1) {
        Some(_) => Value::Null,
        None => example(schema, schemas, Fields::Required),
    };
    Field {
        name,
        is_required,
        meaning: both(text.trim()).map(str::to_owned),
        example: match example {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        },
    }
}
