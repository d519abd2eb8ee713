//! `xieka init` and `xieka inventory`: write a `.env` file and sample inventories.

use anyhow::{Context as _, Result};

use crate::args::{InitOptions, InventoryOptions};
use crate::inventory::Inventory;
use crate::language::text;
use crate::secrets::Secrets;

/// Writes a `.env` file with fresh secrets.
pub(crate) fn run(options: &InitOptions) -> Result<()> {
    Secrets::generate()?.write_new(&options.file)?;
    let file = options.file.display();
    println!(
        "{}",
        text(
            format!("已写入 {file}；请在安全的地方保存一份副本"),
            format!("wrote {file}; keep a copy in a safe place"),
        )
    );
    Ok(())
}

/// Writes a sample inventory whose keys are wrapped under the first transport key.
pub(crate) fn inventory(options: &InventoryOptions) -> Result<()> {
    let (name, key) = Secrets::read(&options.env)?.transport_key()?;
    let key: [u8; 32] = key.try_into().ok().context(text(
        "第一个传输密钥必须是 32 字节",
        "the first transport key must have 32 bytes",
    ))?;
    Inventory::generate(options.first, options.count, &name, &key)?.write_to(&options.folder)?;
    let (count, folder) = (options.count, options.folder.display());
    println!(
        "{}",
        text(
            format!("已向 {folder} 写入 {count} 个芯片与同样数量的码号"),
            format!("wrote {count} chips and as many numbers into {folder}"),
        )
    );
    Ok(())
}
