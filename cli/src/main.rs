//! The `xieka` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    xieka::main()
}
