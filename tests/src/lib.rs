//! Shared by tests and the chaos program: parts of the product as processes that can be killed, and the chaos run.

pub mod chaos;
pub mod part;
pub mod process;

use edge_host::Reuse;

/// A reuse policy with a new instance for each request.
#[must_use]
pub fn one_request_per_instance() -> Reuse {
    Reuse {
        max_requests: 1,
        max_concurrent: 1,
        ..Reuse::default()
    }
}

/// The reuse policy of the tests: sixteen requests at a time in one instance, as in Spin; or, with
/// `XIEKA_TEST_REUSE=1` in the environment, a new instance for each request.
#[must_use]
pub fn reuse() -> Reuse {
    match std::env::var("XIEKA_TEST_REUSE") {
        Ok(one) if one == "1" => one_request_per_instance(),
        _ => Reuse::default(),
    }
}
