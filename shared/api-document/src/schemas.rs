//! Schemas by name: generated clients get one type for each, and no type without a name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use web::Content;

use super::example::resolved;

/// Where schemas with a name are.
pub(super) const SCHEMAS: &str = "#/components/schemas/";
/// Begins the name that utoipa gives to an answer.
const ANSWER_PREFIX: &str = "Success_";
/// The media type of forms.
const FORM: &str = Content::Parameters.media_types()[0];
/// The name of the `code` of a success.
const SUCCESS_CODE: &str = "SuccessCode";

/// What describes a schema without changing what fits it.
const NOTES: [&str; 5] = ["description", "example", "examples", "title", "x-enum-varnames"];
/// What holds values or names, but no schemas.
const VALUES: [&str; 5] = ["default", "enum", "example", "examples", "required"];

/// A reference to the schema of this name.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("{SCHEMAS}{name}")})
}

/// Gives every answer, value and enumeration of the document its name, and removes schemas that nothing refers to.
pub(super) fn name(document: &mut Value) {
    flatten(document);
    remove_unused(document);
    shorten(document);
    let mut names = Names::of(document);
    each(document, "", &mut |place, schema| names.refer(place, schema));
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else {
        return;
    };
    for (name, schema) in names.known {
        schemas.entry(name).or_insert(schema);
    }
    each(document, "", &mut |_, schema| clean(schema));
    let schemas = document["components"]["schemas"].as_object_mut();
    schemas
        .into_iter()
        .flatten()
        .for_each(|(_, schema)| clean(schema));
    remove_unused(document);
    remove_null_from_parameters(document);
}

/// The names of schemas.
struct Names {
    known: BTreeMap<String, Value>,
    /// The names of enumerations, by what fits them.
    by_rule: BTreeMap<String, String>,
}

impl Names {
    fn of(document: &Value) -> Self {
        let present = document["components"]["schemas"].as_object().cloned();
        let mut known: BTreeMap<_, _> = present.unwrap_or_default().into_iter().collect();
        known.insert(
            SUCCESS_CODE.to_owned(),
            json!({"type": "integer", "description": "响应码，200 表示成功 / 200 for success", "enum": [200],
                "x-enum-varnames": ["OK"]}),
        );
        let enumerations = known.iter().filter(|(_, schema)| schema.get("enum").is_some());
        let by_rule = enumerations
            .map(|(name, schema)| (rule(schema), name.clone()))
            .collect();
        Self { known, by_rule }
    }

    /// Puts a reference in place of a value or an enumeration that stands in the middle of another schema. Its title is
    /// its name, or else what `place` it has.
    fn refer(&mut self, place: &str, schema: &mut Value) {
        let Some((mut bare, may_be_null)) = without_null(schema) else {
            return;
        };
        if !is_simple(&bare) {
            return;
        }
        let title = bare["title"].as_str().map(str::to_owned);
        let is_enumeration = bare.get("enum").is_some();
        let known = || {
            is_enumeration
                .then(|| self.by_rule.get(&rule(&bare)).cloned())
                .flatten()
        };
        let unnamed = || is_enumeration.then(|| pascal(place));
        let Some(named) = title.or_else(known).or_else(unnamed) else {
            return;
        };
        let present = self.known.entry(named.clone()).or_insert_with(|| bare.clone());
        assert_eq!(rule(present), rule(&bare), "two schemas would be called {named}");
        self.by_rule.insert(rule(&bare), named.clone());
        let description = bare["description"].take();
        let is_own = description.is_null() || present["description"] == description;
        *schema = reference(&named);
        if may_be_null {
            *schema = json!({"oneOf": [{"type": "null"}, schema.take()]});
        }
        if !is_own {
            schema["description"] = description;
        }
    }
}

/// A schema of one type, and whether it may be null as well.
fn without_null(schema: &Value) -> Option<(Value, bool)> {
    let mut bare = schema.as_object()?.clone();
    let Some(Value::Array(kinds)) = bare.get("type") else {
        return Some((bare.into(), false));
    };
    let kinds: Vec<_> = kinds.iter().filter(|kind| *kind != "null").cloned().collect();
    let [kind] = kinds.as_slice() else { return None };
    bare.insert("type".to_owned(), kind.clone());
    Some((bare.into(), true))
}

/// A parameter that is left out is no null, although its type is an `Option`: neither in a query nor in a form.
fn remove_null_from_parameters(document: &mut Value) {
    let mut forms = BTreeSet::new();
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (_, item) in paths {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten() {
                remove_null(&mut parameter["schema"]);
            }
            let form = &operation["requestBody"]["content"][FORM]["schema"]["$ref"];
            forms.extend(
                form.as_str()
                    .and_then(|form| form.strip_prefix(SCHEMAS))
                    .map(str::to_owned),
            );
        }
    }
    for form in forms {
        let properties = document["components"]["schemas"][form]["properties"].as_object_mut();
        properties
            .into_iter()
            .flatten()
            .for_each(|(_, schema)| remove_null(schema));
    }
}

fn remove_null(schema: &mut Value) {
    if let Some((bare, true)) = without_null(schema) {
        *schema = bare;
    }
    let choices = schema["oneOf"].as_array().map(|choices| {
        let is_null = |choice: &&Value| choice["type"] == "null";
        choices
            .iter()
            .filter(|choice| !is_null(choice))
            .cloned()
            .collect::<Vec<_>>()
    });
    if let Some([only]) = choices.as_deref() {
        let description = schema["description"].take();
        *schema = only.clone();
        if !description.is_null() {
            schema["description"] = description;
        }
    }
}

/// Whether a schema is a text with a rule, or an enumeration.
fn is_simple(schema: &Value) -> bool {
    let is_text = schema["type"] == "string";
    let has_rule = ["pattern", "format"].iter().any(|key| schema.get(key).is_some());
    schema.get("enum").is_some() || is_text && has_rule
}

/// What fits a schema, as a text to compare.
fn rule(schema: &Value) -> String {
    let mut rule = schema.clone();
    if let Some(object) = rule.as_object_mut() {
        object.retain(|key, _| !NOTES.contains(&key.as_str()));
    }
    rule.to_string()
}

/// Removes the title, which was the name, and the ends of lines in the description.
fn clean(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    object.remove("title");
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

/// Makes one object of a schema that consists of several: the fields of one type among those of another.
fn flatten(document: &mut Value) {
    let known = document["components"]["schemas"].clone();
    let schemas = document["components"]["schemas"].as_object_mut();
    for (_, schema) in schemas.into_iter().flatten() {
        let Some(Value::Array(parts)) = schema.get("allOf").cloned() else {
            continue;
        };
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for part in &parts {
            let part = match part["$ref"].as_str() {
                Some(reference) => resolved(reference, &known),
                None => part,
            };
            properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
            required.extend(part["required"].as_array().cloned().unwrap_or_default());
        }
        let Some(object) = schema.as_object_mut() else {
            continue;
        };
        object.remove("allOf");
        object.insert("type".to_owned(), json!("object"));
        object.insert("properties".to_owned(), properties.into());
        object.insert("required".to_owned(), required.into());
    }
}

/// Names answers after their fields: `Success_Cancelled` is `Cancelled`, unless other answers contain one.
fn shorten(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else {
        return;
    };
    let taken: BTreeSet<String> = schemas.keys().cloned().collect();
    let mut names = BTreeMap::new();
    for name in &taken {
        let short = name.strip_prefix(ANSWER_PREFIX).map(|rest| rest.replace('_', ""));
        if let Some(short) = short {
            let short = if taken.contains(&short) {
                format!("{short}Answer")
            } else {
                short
            };
            names.insert(name.clone(), short);
        }
    }
    let old = std::mem::take(schemas);
    let renamed = old
        .into_iter()
        .map(|(name, schema)| (names.get(&name).cloned().unwrap_or(name), schema));
    *schemas = renamed.collect::<Map<_, _>>();
    each_reference(document, &mut |reference| {
        let name = reference.strip_prefix(SCHEMAS).and_then(|name| names.get(name));
        if let Some(name) = name {
            *reference = format!("{SCHEMAS}{name}");
        }
    });
}

fn remove_unused(document: &mut Value) {
    loop {
        let mut used = BTreeSet::new();
        each_reference(document, &mut |reference| {
            used.extend(reference.strip_prefix(SCHEMAS).map(str::to_owned));
        });
        let Some(schemas) = document["components"]["schemas"].as_object_mut() else {
            return;
        };
        let before = schemas.len();
        schemas.retain(|name, _| used.contains(name));
        if schemas.len() == before {
            return;
        }
    }
}

/// `write_type` as `WriteType`.
fn pascal(name: &str) -> String {
    let parts = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let upper = |part: &str| {
        let mut letters = part.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + letters.as_str()
        })
    };
    parts.map(upper).collect()
}

/// Visits every schema below `value`, the inner ones first, with its place: the path or the schema that it belongs to,
/// and the parameter or field. Schemas that have a name already are not visited themselves.
fn each(value: &mut Value, place: &str, visit: &mut impl FnMut(&str, &mut Value)) {
    let object = match value {
        Value::Array(items) => return items.iter_mut().for_each(|item| each(item, place, visit)),
        Value::Object(object) => object,
        _ => return,
    };
    let parameter = object.get("in").and(object.get("name")).and_then(Value::as_str);
    let place = parameter.map_or_else(|| place.to_owned(), |name| format!("{place} {name}"));
    for (key, inner) in object {
        match (key.as_str(), inner) {
            ("properties", Value::Object(fields)) => {
                for (field, schema) in fields {
                    let place = format!("{place} {field}");
                    each(schema, &place, visit);
                    visit(&place, schema);
                }
            }
            ("schemas", Value::Object(named)) => {
                named
                    .iter_mut()
                    .for_each(|(name, schema)| each(schema, name, visit));
            }
            ("oneOf" | "anyOf" | "allOf", Value::Array(choices)) => {
                for schema in choices {
                    each(schema, &place, visit);
                    visit(&place, schema);
                }
            }
            ("schema" | "items" | "additionalProperties" | "propertyNames", schema) => {
                each(schema, &place, visit);
                visit(&place, schema);
            }
            (path, item) if path.starts_with('/') => {
                each(item, path.rsplit('/').next().unwrap_or_default(), visit);
            }
            (key, inner) if !VALUES.contains(&key) => each(inner, &place, visit),
            _ => {}
        }
    }
}

fn each_reference(value: &mut Value, visit: &mut impl FnMut(&mut String)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_reference(item, visit)),
        Value::Object(object) => {
            for (key, inner) in object {
                match (key.as_str(), inner) {
                    ("$ref", Value::String(reference)) => visit(reference),
                    (_, inner) => each_reference(inner, visit),
                }
            }
        }
        _ => {}
    }
}
