//! `xieka power`: powers simulated modules with the chips of a chip file up once, against a running gateway.
//!
//! The chips are as delivered each time; their contents end with the command.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use card_sim::{Module, ModuleSettings, VirtualNetwork, power_all};
use ota_gateway::keys::MasterKeys;

use crate::args::PowerOptions;
use crate::demo::card_text;
use crate::demo::screen::Screen;
use crate::inventory;
use crate::language::text;
use crate::personalise::personalise;
use crate::secrets::Secrets;

/// Modules that are powered at the same time.
const POWERED_AT_ONCE: usize = 16;

/// Powers the chips up.
///
/// # Errors
/// A chip whose last session did not finish.
pub(crate) async fn run(options: PowerOptions) -> Result<()> {
    let keys = MasterKeys::parse(Secrets::read(&options.env)?.get("XIEKA_GATEWAY_MASTER_KEYS")?)?;
    let path = options.chips.display();
    let file = std::fs::read_to_string(&options.chips)
        .with_context(|| text(format!("无法读取 {path}"), format!("cannot read {path}")))?;
    let network = Arc::new(VirtualNetwork::open());
    let mut modules = Vec::new();
    for chip in inventory::chips(&file)? {
        if options.eid.as_ref().is_none_or(|eid| *eid == chip.eid) {
            let card = personalise(&chip, &keys, options.gateway)?
                .build()
                .context(text("芯片无法个人化", "the chip cannot be personalised"))?;
            modules.push(Module::new(card, ModuleSettings::default(), network.clone()));
        }
    }
    if modules.is_empty() {
        bail!(text(
            format!("{path} 中没有这样的芯片"),
            format!("{path} has no such chip")
        ));
    }
    let screen = Screen::new();
    if let [module] = &mut modules[..] {
        module.observe(Arc::new(screen.clone()));
    }
    let mut unfinished = 0;
    power_all(modules, POWERED_AT_ONCE, |module, report| {
        screen.line(
            "module",
            &format!("{}: {}", module.id(), card_text::report(&report)),
        );
        unfinished += usize::from(!report.finished());
    })
    .await;
    if unfinished > 0 {
        bail!(text(
            format!("{unfinished} 个芯片的最后一次会话未完成"),
            format!("{unfinished} chips did not finish their last session")
        ));
    }
    Ok(())
}
