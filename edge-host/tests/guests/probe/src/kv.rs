//! Key-value stores, through `spin:key-value` and `wasi:keyvalue`.

use serde_json::{Value, json};
use spin_sdk::experimental::wasi::keyvalue::{atomics, batch, store};
use spin_sdk::key_value::Store;

/// Sets, reads, lists and deletes through each interface what the other one wrote.
pub(crate) async fn round_trip(label: &str) -> anyhow::Result<Value> {
    let spin = Store::open(label).await?;
    let before = spin.get("absent").await?;
    spin.set("one", b"1").await?;
    let bucket = open(label)?;
    batch::set_many(
        &bucket,
        &[
            ("two".to_owned(), b"2".to_vec()),
            ("three".to_owned(), b"3".to_vec()),
        ],
    )
    .map_err(refused)?;
    let many = match batch::get_many(&bucket, &["one".to_owned(), "nine".to_owned()]) {
        Ok(many) => json!(many),
        Err(error) => json!({ "error": format!("{error:?}") }),
    };
    spin.delete("two").await?;
    batch::delete_many(&bucket, &["three".to_owned()]).map_err(refused)?;
    let mut keys = spin.get_keys().await.collect().await?;
    keys.sort();
    Ok(json!({
        "absent": before,
        "one": spin.get("one").await?,
        "two_exists": spin.exists("two").await?,
        "many": many,
        "keys": keys,
    }))
}

/// Adds one to a counter.
pub(crate) fn increment(label: &str, key: &str) -> anyhow::Result<Value> {
    Ok(json!(atomics::increment(&open(label)?, key, 1).map_err(refused)?))
}

/// Swaps a value that has changed since the handle was made, then swaps with the new handle.
pub(crate) fn swap(label: &str) -> anyhow::Result<Value> {
    let bucket = open(label)?;
    let handle = atomics::Cas::new(&bucket, "swapped").map_err(refused)?;
    bucket.set("swapped", b"theirs").map_err(refused)?;
    let (first, newer) = match atomics::swap(handle, b"mine") {
        Ok(()) => return Ok(json!("swapped although the value had changed")),
        Err(atomics::CasError::StoreError(error)) => return Err(refused(error)),
        Err(atomics::CasError::CasFailed(newer)) => (newer.current().map_err(refused)?, newer),
    };
    let second = atomics::swap(newer, b"mine").is_ok();
    let value = bucket.get("swapped").map_err(refused)?;
    Ok(json!({ "seen": first, "second": second, "value": value }))
}

fn open(label: &str) -> anyhow::Result<store::Bucket> {
    store::open(label).map_err(refused)
}

fn refused(error: store::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:?}")
}
