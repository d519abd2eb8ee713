//! Reads lines of now, secrets joined by commas, and base64 of the body, separated by tabs; says of each whether it is
//! valid.

use std::error::Error;
use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use xieka_samples::verify;

fn main() -> Result<(), Box<dyn Error>> {
    for line in io::stdin().lines() {
        let line = line?;
        let [now, secrets, body] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err("a line has not three parts".into());
        };
        let secrets: Vec<&str> = secrets.split(',').collect();
        let fields = verify(&STANDARD.decode(body)?, &secrets, now.parse()?);
        println!("{}", if fields.is_some() { "valid" } else { "invalid" });
    }
    Ok(())
}
