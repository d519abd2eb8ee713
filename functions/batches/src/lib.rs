//! `/admin/v1/batches…`, §5.3.1.1: one act on many cards or numbers of a file, previewed, carried out by the periodic work,
//! stopped and resumed, with the result of each row.
//!
//! Never carries out a row itself.

#![forbid(unsafe_code)]

mod acts;
mod create;
mod list;
mod rows;
mod values;

use web::{Routes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new()
        .routes(routes!(
            list::list as "admin.batches",
            create::create as "admin.batches.create"
        ))
        .routes(routes!(rows::list as "admin.batches.rows"))
        .routes(routes!(rows::export as "admin.batches.rows.export"))
        .routes(routes!(acts::stop as "admin.batches.stop"))
        .routes(routes!(acts::resume as "admin.batches.resume"))
}

#[cfg(test)]
mod tests {
    use super::router;

    #[test]
    fn every_operation_is_documented() {
        let document = router().into_openapi();
        let paths: Vec<&str> = document.paths.paths.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "/admin/v1/batches",
                "/admin/v1/batches/rows",
                "/admin/v1/batches/rows:export",
                "/admin/v1/batches:resume",
                "/admin/v1/batches:stop",
            ]
        );
    }
}
