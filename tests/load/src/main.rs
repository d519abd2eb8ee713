//! The `xieka-load` command.

fn main() -> anyhow::Result<()> {
    xieka_load::main()
}
