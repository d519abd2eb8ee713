//! `/admin/v1/chips…`, `/admin/v1/numbers:…`, `/admin/v1/imports…`, `/admin/v1/pools…` and `/admin/v1/gateways`, §5.3.1.1:
//! acts of administrators on chips and operator numbers, the imports and how one is withdrawn, the levels of the pools, and
//! what gateways can write. How chips and numbers get in is with the imports, what becomes of a card with the cards.
//!
//! Never shows key material.

#![forbid(unsafe_code)]

mod correct;
mod gateways;
mod imports;
mod numbers;
mod pools;
mod quarantine;
mod reprovision;
mod values;

use web::{Routes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new()
        .routes(routes!(reprovision::reprovision as "admin.chips.reprovision"))
        .routes(routes!(correct::correct as "admin.chips.correct"))
        .routes(routes!(reprovision::top_up as "admin.chips.top_up"))
        .routes(routes!(numbers::allot as "admin.numbers.allot"))
        .routes(routes!(numbers::release as "admin.numbers.release"))
        .routes(routes!(quarantine::end as "admin.numbers.end_quarantine"))
        .routes(routes!(numbers::suspend as "admin.numbers.suspend"))
        .routes(routes!(numbers::resume as "admin.numbers.resume"))
        .routes(routes!(numbers::retire as "admin.numbers.retire"))
        .routes(routes!(pools::list as "admin.pools"))
        .routes(routes!(pools::update as "admin.pools.update"))
        .routes(routes!(gateways::list as "admin.gateways"))
        .routes(routes!(imports::list as "admin.imports"))
        .routes(routes!(imports::withdraw as "admin.imports.withdraw"))
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
                "/admin/v1/chips:correct",
                "/admin/v1/chips:reprovision",
                "/admin/v1/chips:top-up",
                "/admin/v1/gateways",
                "/admin/v1/imports",
                "/admin/v1/imports:withdraw",
                "/admin/v1/numbers:allot",
                "/admin/v1/numbers:end-quarantine",
                "/admin/v1/numbers:release",
                "/admin/v1/numbers:resume",
                "/admin/v1/numbers:retire",
                "/admin/v1/numbers:suspend",
                "/admin/v1/pools",
                "/admin/v1/pools:update",
            ]
        );
    }
}
