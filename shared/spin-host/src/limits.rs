//! Counters of calls and of refused callers in the key-value store, which all instances share, and in a cluster all nodes.

use spin_sdk::experimental::wasi::keyvalue::{atomics, batch, store};

use operations::Limits;

/// Label of the store in the manifest.
const LABEL: &str = "limits";

/// The store. A failure holds nobody back, and is a line in the operator's log.
pub(crate) struct SharedLimits;

impl Limits for SharedLimits {
    fn increment(&self, key: &str, delta: i64) -> Option<i64> {
        reached(open().and_then(|bucket| atomics::increment(&bucket, key, delta)))
    }

    fn keys(&self) -> Vec<String> {
        let listed = open().and_then(|bucket| bucket.list_keys(None));
        reached(listed).map(|listed| listed.keys).unwrap_or_default()
    }

    fn delete(&self, keys: &[String]) {
        reached(open().and_then(|bucket| batch::delete_many(&bucket, keys)));
    }
}

fn open() -> Result<store::Bucket, store::Error> {
    store::open(LABEL)
}

fn reached<T>(result: Result<T, store::Error>) -> Option<T> {
    if result.is_err() {
        eprintln!(r#"{{"level":"error","event":"limits_unreachable"}}"#);
    }
    result.ok()
}
