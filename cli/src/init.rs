//! `xieka init` and `xieka inventory`: write a `.env` file and sample inventories.

use anyhow::{Context as _, Result};

use crate::args::{InitOptions, InventoryOptions};
use crate::inventory::Inventory;
use crate::secrets::Secrets;

/// Writes a `.env` file with fresh secrets.
pub(crate) fn run(options: &InitOptions) -> Result<()> {
    Secrets::generate()?.write_new(&options.file)?;
    println!("wrote {}; keep a copy in a safe place", options.file.display());
    Ok(())
}

/// Writes a sample inventory whose keys are wrapped under the first transport key.
pub(crate) fn inventory(options: &InventoryOptions) -> Result<()> {
    let (name, key) = Secrets::read(&options.env)?.transport_key()?;
    let key: [u8; 32] = key
        .try_into()
        .ok()
        .context("the first transport key must have 32 bytes")?;
    Inventory::generate(options.first, options.count, &name, &key)?.write_to(&options.folder)?;
    println!(
        "wrote {} chips and as many numbers into {}",
        options.count,
        options.folder.display()
    );
    Ok(())
}
