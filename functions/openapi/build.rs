//! Writes the document as it is served: without the spaces that make it readable.

use std::path::Path;
use std::{env, fs};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    println!("cargo::rerun-if-changed=openapi.json");
    let readable = fs::read(Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("openapi.json"))?;
    let document: serde_json::Value = serde_json::from_slice(&readable)?;
    fs::write(
        Path::new(&env::var("OUT_DIR")?).join("openapi.json"),
        document.to_string(),
    )?;
    Ok(())
}
