//! `/admin/v1/incidents…`, `/admin/v1/alerts…`, `/admin/v1/deviations`, `/admin/v1/health` and
//! `/admin/v1/clock:confirm`, §8, §10.2: incidents and their monthly review, alerts, what deviates from the standard, the
//! health of the periodic jobs, and the confirmation of the time.

#![forbid(unsafe_code)]

mod acts;
mod alerts;
mod clock;
mod deviations;
mod health;
mod incident;
mod kinds;
mod list;
mod review;
mod show;
mod values;

use web::{Routes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new()
        .routes(routes!(list::list as "admin.incidents"))
        .routes(routes!(show::show as "admin.incidents.show"))
        .routes(routes!(kinds::kinds as "admin.incidents.kinds"))
        .routes(routes!(acts::open as "admin.incidents.open"))
        .routes(routes!(acts::close as "admin.incidents.close"))
        .routes(routes!(acts::escalate as "admin.incidents.escalate"))
        .routes(routes!(acts::report as "admin.incidents.report"))
        .routes(routes!(acts::final_report as "admin.incidents.final_report"))
        .routes(routes!(review::review as "admin.incidents.review"))
        .routes(routes!(alerts::list as "admin.alerts"))
        .routes(routes!(alerts::note as "admin.alerts.note"))
        .routes(routes!(deviations::list as "admin.deviations"))
        .routes(routes!(health::health as "admin.health"))
        .routes(routes!(clock::confirm as "admin.clock.confirm"))
        .routes(routes!(list::export as "admin.incidents.export"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::router;

    fn document() -> Value {
        serde_json::to_value(router().into_openapi()).unwrap()
    }

    /// Every schema that is referred to.
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                let reference = fields.get("$ref").and_then(Value::as_str);
                found.extend(reference.map(str::to_owned));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => (),
        }
    }

    #[test]
    fn every_schema_that_is_referred_to_is_in_the_document() {
        let document = document();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn kinds_classes_and_severities_are_documented_by_name() {
        let document = document();
        let schemas = &document["components"]["schemas"];
        let values = |name: &str| schemas[name]["enum"].as_array().unwrap().len();
        assert_eq!((values("IncidentKind"), values("IncidentClass")), (16, 4));
        assert_eq!(schemas["Severity"]["enum"], json!(["general", "severe"]));
        assert_eq!(
            schemas["IncidentActor"]["enum"],
            json!(["platform", "admin", "client"])
        );
    }

    #[test]
    fn a_review_is_documented_as_json_and_as_csv() {
        let document = document();
        let content = &document["paths"]["/admin/v1/incidents/review"]["get"]["responses"]["200"]["content"];
        let mut formats: Vec<&str> = content.as_object().unwrap().keys().map(String::as_str).collect();
        formats.sort_unstable();
        assert_eq!(formats, ["application/json", "text/csv"]);
    }
}
