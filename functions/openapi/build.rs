//! Packs what is served, so that the component is small: the document without the spaces that make it readable, and the
//! page.

use std::path::Path;
use std::{env, fs};

type Failure = Box<dyn std::error::Error>;

/// The best that DEFLATE can do.
const LEVEL: u8 = 10;

fn main() -> Result<(), Failure> {
    println!("cargo::rerun-if-changed=openapi.json");
    println!("cargo::rerun-if-changed=page.html");
    let own = env::var("CARGO_MANIFEST_DIR")?;
    let document: serde_json::Value = serde_json::from_slice(&read(&own, "openapi.json")?)?;
    pack("openapi.json", document.to_string().as_bytes())?;
    pack("page.html", &read(&own, "page.html")?)
}

fn read(folder: &str, name: &str) -> Result<Vec<u8>, Failure> {
    Ok(fs::read(Path::new(folder).join(name))?)
}

/// Writes `text` for the program to include.
fn pack(name: &str, text: &[u8]) -> Result<(), Failure> {
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(text, LEVEL);
    let file = Path::new(&env::var("OUT_DIR")?).join(format!("{name}.zlib"));
    Ok(fs::write(file, packed)?)
}
