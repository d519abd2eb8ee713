//! How long a large import takes, in parts as `xieka import` sends them, and how much memory the component needs for it.

use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use operations::{TableKind, table_parts};
use xieka::api::Api;
use xieka::inventory::{Inventory, SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};

use crate::platform::MeasuredPlatform;
use crate::table::goal;

/// The longest time for a table, in seconds.
const MAX_SECS: f64 = 60.0;
/// The largest memory of the component, in MB of 1,000,000 bytes.
const MAX_MEMORY_MB: f64 = 64.0;

/// Imports a table of `rows` numbers and one of as many chips.
pub(crate) async fn imports(rows: u32) -> Result<()> {
    println!("\n### Imports of {rows} rows\n");
    let made = Inventory::generate(1, rows, SAMPLE_TRANSPORT_KEY_NAME, &SAMPLE_TRANSPORT_KEY)?;
    let platform = MeasuredPlatform::with(0).await?;
    let owner = [("client_id", platform.client_id()?)];
    for (kind, path, query, csv) in [
        (
            TableKind::Numbers,
            "/admin/v1/numbers:import",
            &[][..],
            made.numbers_csv()?,
        ),
        (
            TableKind::Chips,
            "/admin/v1/chips:import",
            &owner[..],
            made.chips_csv()?,
        ),
    ] {
        let started = Instant::now();
        import(&platform, kind, path, query, &csv, rows).await?;
        goal(
            &format!("{rows} {}, s", format!("{kind:?}").to_lowercase()),
            started.elapsed().as_secs_f64(),
            MAX_SECS,
            false,
        );
    }
    #[expect(clippy::cast_precision_loss, reason = "a memory is far below 2^52 bytes")]
    let memory = platform.host.largest_memory_bytes() as f64 / 1e6;
    goal("largest memory of a component, MB", memory, MAX_MEMORY_MB, false);
    platform.shutdown().await;
    Ok(())
}

async fn import(
    platform: &MeasuredPlatform,
    kind: TableKind,
    path: &str,
    query: &[(&str, &str)],
    csv: &str,
    rows: u32,
) -> Result<()> {
    let api = Api::new(format!("http://{}", platform.host.addr()));
    let admin = platform.admin_secret()?;
    let parts = table_parts(csv.as_bytes(), kind, false, |_| None).map_err(|problem| anyhow!("{problem}"))?;
    let mut imported = 0;
    for part in parts {
        let answer = api
            .post_csv(&admin, path, query, part.csv)
            .await?
            .ok("importing")?;
        imported += answer["imported"].as_u64().unwrap_or_default();
    }
    ensure!(
        imported == u64::from(rows),
        "{imported} of {rows} rows were imported"
    );
    Ok(())
}
