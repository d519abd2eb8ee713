//! `cargo run -p xtask -- COMMAND`.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main()
}
