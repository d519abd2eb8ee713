//! Examples of what fits a schema, made from the examples of its parts.

use serde_json::{Map, Value, json};

/// Deepest schema of which an example is made, each reference counted.
const MAX_DEPTH: usize = 32;

/// Which fields an example has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fields {
    /// Every field.
    All,
    /// The required ones; where none is required, the first.
    Required,
}

/// An example of what fits `schema`. `schemas` has the ones that it refers to.
pub(super) fn example(schema: &Value, schemas: &Value, fields: Fields) -> Value {
    below(schema, schemas, fields, MAX_DEPTH)
}

fn below(schema: &Value, schemas: &Value, fields: Fields, depth: usize) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    let inner = |schema: &Value| below(schema, schemas, fields, depth - 1);
    let given = [
        &schema["examples"][0],
        &schema["example"],
        &schema["const"],
        &schema["enum"][0],
    ];
    if let Some(given) = given.into_iter().find(|given| !given.is_null()) {
        return given.clone();
    }
    if let Some(reference) = schema["$ref"].as_str() {
        return inner(resolved(reference, schemas));
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        let choices = schema[key].as_array().into_iter().flatten();
        if let Some(choice) = choices.into_iter().find(|choice| choice["type"] != "null") {
            return inner(choice);
        }
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.as_slice(),
        kind => std::slice::from_ref(kind),
    };
    let may_be_null = kinds.iter().any(|kind| kind == "null");
    let has_rule = ["pattern", "format"]
        .iter()
        .any(|rule| schema.get(rule).is_some());
    if may_be_null && has_rule {
        // What fits the rule is not known.
        return Value::Null;
    }
    let kind = kinds.iter().find(|kind| *kind != "null").and_then(Value::as_str);
    match kind {
        Some("object") => object(schema, fields, inner),
        Some("array") => json!([inner(&schema["items"])]),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("string") => json!("…"),
        _ => Value::Null,
    }
}

fn object(schema: &Value, fields: Fields, inner: impl Fn(&Value) -> Value) -> Value {
    let Some(properties) = schema["properties"].as_object() else {
        let value = &schema["additionalProperties"];
        return if value.is_object() {
            json!({"name": inner(value)})
        } else {
            json!({})
        };
    };
    let required = schema["required"].as_array();
    let is_required =
        |name: &str| required.is_some_and(|required| required.iter().any(|known| known == name));
    let has_required = required.is_some_and(|required| !required.is_empty());
    let chosen = properties
        .iter()
        .enumerate()
        .filter(|(at, (name, _))| match fields {
            Fields::All => true,
            Fields::Required => is_required(name) || !has_required && *at == 0,
        });
    let pairs = chosen.map(|(_, (name, schema))| (name.clone(), inner(schema)));
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// The schema that a reference names.
pub(super) fn resolved<'a>(reference: &str, schemas: &'a Value) -> &'a Value {
    let name = reference.rsplit('/').next().unwrap_or_default();
    &schemas[name]
}
