//! The routers of all components, and what they document, in one.

use serde_json::{Map, Value, json};
use web::Routes;

use super::{callback, schemas};

/// The router of every component that has operations.
fn routers() -> Vec<Routes> {
    vec![
        accounts_router::router(),
        batches_router::router(),
        cards_router::router(),
        chip_router::router(),
        clients_router::router(),
        dispatcher_router::router(),
        gateway_router::router(),
        imports_router::router(),
        incidents_router::router(),
        ingest_router::router(),
        inventory_router::router(),
        maintenance_router::router(),
        messages_router::router(),
        number_router::router(),
        number_city_router::router(),
        number_open_time_router::router(),
        number_usage_router::router(),
        records_router::router(),
        token_router::router(),
        write_apply_router::router(),
        write_cancel_router::router(),
        write_provinces_router::router(),
        write_status_router::router(),
    ]
}

/// The paths and schemas of all routers and the callback, with the names that they have in the document.
///
/// # Panics
/// When two routers have different things of the same name; a test runs it.
pub(super) fn merged() -> Value {
    let (mut paths, mut known) = (Map::new(), Map::new());
    for router in routers() {
        let mut documented = serde_json::to_value(router.into_openapi()).unwrap_or_default();
        merge(&mut paths, documented["paths"].take());
        merge(&mut known, documented["components"]["schemas"].take());
    }
    merge(&mut known, callback::schemas());
    let mut all = json!({
        "paths": paths,
        "webhooks": {"callback": {"$ref": "#/components/pathItems/Callback"}},
        "components": {"pathItems": {"Callback": {"post": callback::operation()}}, "schemas": known},
    });
    schemas::name(&mut all);
    all
}

fn merge(known: &mut Map<String, Value>, more: Value) {
    let Value::Object(more) = more else { return };
    for (name, value) in more {
        let same = known.get(&name).is_none_or(|present| *present == value);
        assert!(same, "two routers have a different {name}");
        known.insert(name, value);
    }
}
