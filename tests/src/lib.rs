//! What tests and the chaos program share: parts of the product as processes that can be killed, and the chaos itself.

pub mod chaos;
pub mod part;
pub mod process;

use edge_host::Reuse;

/// An instance for each request.
#[must_use]
pub fn alone() -> Reuse {
    Reuse {
        max_requests: 1,
        max_concurrent: 1,
        ..Reuse::default()
    }
}

/// How the tests reuse instances: as Spin does, sixteen requests at a time in one; or, with `XIEKA_TEST_REUSE=1` in the
/// environment, an instance for each request.
#[must_use]
pub fn reuse() -> Reuse {
    match std::env::var("XIEKA_TEST_REUSE") {
        Ok(one) if one == "1" => alone(),
        _ => Reuse::default(),
    }
}
