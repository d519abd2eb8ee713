//! The components of this checkout, built once for each test program, and the data that tests import into them.
//!
//! It must not use components that an earlier build left: tests examine the source as it is.

use std::path::PathBuf;
use std::sync::OnceLock;

use edge_host::Reuse;
use xieka::components;
use xieka::inventory::{Inventory, SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};

/// The application's root, with freshly built components.
pub fn root() -> PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let root = components::application_root().unwrap();
        components::build(&root).unwrap();
        root
    })
    .clone()
}

/// `count` chips and as many numbers, their keys wrapped under the sample's transport key.
#[must_use]
pub fn inventory(count: u32) -> Inventory {
    inventory_from(1, count)
}

/// The same, with serial numbers from `first`: others than those of an earlier inventory.
#[must_use]
pub fn inventory_from(first: u32, count: u32) -> Inventory {
    Inventory::generate(first, count, SAMPLE_TRANSPORT_KEY_NAME, &SAMPLE_TRANSPORT_KEY).unwrap()
}

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

/// Both policies under test: sixteen requests at a time in one instance, and an instance for each request.
#[must_use]
pub fn reuse_policies() -> [Reuse; 2] {
    [Reuse::default(), one_request_per_instance()]
}
