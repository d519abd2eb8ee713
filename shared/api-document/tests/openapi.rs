//! The committed description of the operations is what the code says. `UPDATE_DOCS=1` writes it anew.

use std::collections::BTreeSet;
use std::path::Path;

use api_document::{document, document_text, operations, page, reasons};
use serde_json::Value;

fn compare(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../functions/openapi")
        .join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, made).expect("written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "{name} is not what the code says: run with UPDATE_DOCS=1"
    );
}

#[test]
fn the_openapi_document_is_that_of_the_code() {
    let text = document_text();
    let read: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(read, document());
    compare("openapi.json", &text);
}

#[test]
fn the_page_is_that_of_the_code_and_takes_nothing_from_elsewhere() {
    let page = page();
    compare("page.html", &page);
    for foreign in ["<script", "http://", "https://", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn every_operation_has_an_identifier_of_its_own_a_summary_in_both_languages_and_reasons() {
    let (document, operations) = (document(), operations());
    let ids: BTreeSet<_> = operations.iter().map(|operation| &operation.id).collect();
    assert_eq!(ids.len(), operations.len());
    for operation in &operations {
        let documented = &document["paths"][&operation.path][operation.method.to_lowercase()];
        let summary = documented["summary"].as_str().unwrap_or_default();
        assert!(summary.contains(" / "), "{}: {summary}", operation.id);
        let codes: Vec<_> = reasons(operation).iter().map(|reason| reason.code()).collect();
        assert_eq!(documented["x-reasons"], serde_json::json!(codes));
    }
}

/// The places of schemas that say nothing of what fits them, and of enumerations without a name.
fn untyped(at: &str, value: &Value, found: &mut Vec<String>) {
    let Some(object) = value.as_object() else {
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            untyped(&format!("{at}/{index}"), item, found);
        }
        return;
    };
    for (key, inner) in object {
        let place = format!("{at}/{key}");
        match key.as_str() {
            "schema" | "items" | "additionalProperties" if *inner != Value::Bool(false) => {
                check(&place, inner, found)
            }
            "properties" => {
                for (field, schema) in inner.as_object().into_iter().flatten() {
                    check(&format!("{place}/{field}"), schema, found);
                    untyped(&format!("{place}/{field}"), schema, found);
                }
                continue;
            }
            "example" | "examples" | "enum" => continue,
            _ => {}
        }
        untyped(&place, inner, found);
    }
}

fn check(at: &str, schema: &Value, found: &mut Vec<String>) {
    let says = ["type", "$ref", "oneOf", "anyOf", "allOf"]
        .iter()
        .any(|key| schema.get(key).is_some());
    let is_open_object = schema["type"] == "object"
        && schema.get("properties").is_none()
        && !schema["additionalProperties"].is_object();
    if !says || is_open_object || schema.get("enum").is_some() {
        found.push(format!("{at}: {schema}"));
    }
}

#[test]
fn every_schema_says_what_fits_it_and_every_enumeration_has_a_name() {
    let mut found = Vec::new();
    untyped("", &document(), &mut found);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_field_has_a_text_in_both_languages() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let has_text = |schema: &Value| {
        schema["description"]
            .as_str()
            .is_some_and(|text| text.contains(" / "))
    };
    let refers = |schema: &Value| schema.get("$ref").is_some() || schema.get("oneOf").is_some();
    let mut found = Vec::new();
    for (name, schema) in schemas {
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            if !has_text(schema) && !refers(schema) {
                found.push(format!("{name}.{field}: {}", schema["description"]));
            }
        }
    }
    let paths = document["paths"].as_object().into_iter().flatten();
    for operation in paths.flat_map(|(_, item)| item.as_object().into_iter().flatten()) {
        let parameters = operation.1["parameters"].as_array().into_iter().flatten();
        let silent = parameters.filter(|parameter| !has_text(parameter));
        found
            .extend(silent.map(|parameter| format!("{}: {}", operation.1["operationId"], parameter["name"])));
    }
    assert!(found.is_empty(), "{found:#?}");
}
