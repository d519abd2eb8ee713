//! A whole small world on loopback: platform, gateway, callback receiver, inventory, one client, one network.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use card_sim::{Module, ModuleSettings, Personalisation, VirtualNetwork};
use ota_gateway::keys::{MasterKeys, Purpose};
use serde_json::{Value, json};
use tempfile::TempDir;
use uicc::ident::Eid;

use super::screen::Screen;
use crate::inventory::{ChipRow, Inventory, PROVINCE_CODE, SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};
use crate::receiver::Receiver;
use crate::secrets::Secrets;
use crate::stack::{Launch, Stack};

/// File that keeps the components' log lines, in the temporary directory.
const LOG_FOLDER: &str = "log";
/// A megabyte as the standard's MB: decimal.
const BYTES_PER_MB: u64 = 1_000_000;

/// Everything the demonstration needs, running.
pub struct World {
    /// Platform and gateway.
    pub stack: Stack,
    /// Where callbacks arrive.
    pub receiver: Receiver,
    /// What was imported.
    pub inventory: Inventory,
    /// The mobile network; it serves every IMSI of the inventory.
    pub network: Arc<VirtualNetwork>,
    /// The administrator's bearer.
    pub admin_secret: String,
    /// The client's token.
    pub token: String,
    keys: MasterKeys,
    folder: TempDir,
}

impl World {
    /// Starts everything and prepares it as §6.2.1 describes; `screen` is told if given.
    pub async fn start(root: PathBuf, inventory: Inventory, screen: Option<&Screen>) -> Result<Self> {
        let say = |who: &str, what: &str| {
            if let Some(screen) = screen {
                screen.line(who, what);
            }
        };
        let chapter = |title: &str| {
            if let Some(screen) = screen {
                screen.chapter(title);
            }
        };
        chapter("Start");
        let folder = tempfile::Builder::new().prefix("xieka-demo-").tempdir().context("no temporary directory")?;
        let receiver = Receiver::start().await?;
        let secrets = demo_secrets(&receiver)?;
        let keys = MasterKeys::parse(secrets.get("XIEKA_GATEWAY_MASTER_KEYS")?)?;
        let mut launch = Launch::on_loopback(root, folder.path().to_owned(), secrets);
        launch.logs = edge_host::Logs::Files(folder.path().join(LOG_FOLDER));
        launch.observer = screen.map(|screen| Arc::new(screen.clone()) as Arc<dyn ota_gateway::Observer>);
        let stack = launch.start().await?;
        say("platform", &format!("http://{}", stack.host.addr()));
        say("gateway", &format!("{} for chips, TLS with pre-shared keys", stack.gateway.addr()));
        say("client", &format!("callback receiver at {}", receiver.url()));

        chapter("Prepare (§6.2.1)");
        let admin_secret = launch.secrets.get("SPIN_VARIABLE_ADMIN_SECRET")?.to_owned();
        let client = create_client(&stack, &admin_secret, &receiver).await?;
        let client_id = text(&client, "client_id")?;
        say("admin", &format!("POST /admin/v1/clients → {client_id}, secrets shown once"));
        let owner = [("client_id", client_id.as_str())];
        let chips = import(&stack, &admin_secret, "chips", &owner, inventory.chips_csv()?).await?;
        say("admin", &format!("POST /admin/v1/chips:import → {chips}"));
        let numbers = import(&stack, &admin_secret, "numbers", &[], inventory.numbers_csv()?).await?;
        say("admin", &format!("POST /admin/v1/numbers:import → {numbers}"));
        let credentials =
            [("client_id", client_id.as_str()), ("client_secret", client["client_secret"].as_str().unwrap_or_default())];
        let answer = stack.api.get("/v1/token", &credentials).await?.ok("taking a token")?;
        say("client", &format!("GET /v1/token → valid for {} s", answer["expire_time"]));

        let imsis = inventory.chips.iter().map(|chip| chip.temp_imsi.clone());
        let imsis = imsis.chain(inventory.numbers.iter().map(|number| number.imsi.clone()));
        Ok(Self {
            network: Arc::new(VirtualNetwork::of(imsis)),
            token: text(&answer, "token")?,
            stack,
            receiver,
            inventory,
            admin_secret,
            keys,
            folder,
        })
    }

    /// Applies for a number of the sample's province for one chip (§7.2.2.2) and returns the answer.
    pub async fn apply(&self, eid: &str) -> Result<Value> {
        let query =
            [("token", self.token.as_str()), ("eid", eid), ("write_type", "1"), ("province_code", PROVINCE_CODE)];
        self.stack.api.get("/v1/write/apply", &query).await?.ok("applying")
    }

    /// Asks for a card's state (§7.2.2.3).
    pub async fn status(&self, eid: &str) -> Result<Value> {
        let query = [("token", self.token.as_str()), ("eid", eid)];
        self.stack.api.get("/v1/write/status", &query).await?.ok("asking for the status")
    }

    /// A module with the chip soldered in, not powered.
    pub fn module(&self, chip: &ChipRow) -> Result<Module> {
        let card = self.personalise(chip)?;
        Ok(Module::new(card, ModuleSettings::default(), self.network.clone()))
    }

    /// Where the components' log lines are.
    pub fn log_folder(&self) -> PathBuf {
        self.folder.path().join(LOG_FOLDER)
    }

    /// Keeps the temporary directory, for a look at what went wrong.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// What a card maker puts into the chip.
    fn personalise(&self, chip: &ChipRow) -> Result<Personalisation> {
        let eid: Eid = chip.eid.parse().with_context(|| format!("EID {}", chip.eid))?;
        let key = |purpose| -> Result<[u8; 16]> {
            let key = self.keys.derive(purpose, &eid, chip.key_version).context("no master key of this version")?;
            key.expose().try_into().context("a derived key has 16 bytes")
        };
        let gateway = self.stack.gateway.addr();
        Personalisation::builder(eid, key(Purpose::Psk)?, key(Purpose::Dek)?)
            .iccid(chip.temp_iccid.clone())
            .imsi(chip.temp_imsi.clone())
            .msisdn(format!("86{}", chip.temp_msisdn))
            .key_version(chip.key_version)
            .allowance(u64::from(chip.allowance_mb) * BYTES_PER_MB)
            .gateway(gateway)
            .host(gateway.to_string())
            .uri("/adminagent")
            .build()
            .context("the chip cannot be made")
    }
}

fn demo_secrets(receiver: &Receiver) -> Result<Secrets> {
    let mut secrets = Secrets::generate()?;
    let transport = format!("{SAMPLE_TRANSPORT_KEY_NAME}:{}", hex::encode(SAMPLE_TRANSPORT_KEY));
    secrets.set("SPIN_VARIABLE_TRANSPORT_KEYS", transport);
    secrets.set("SPIN_VARIABLE_CALLBACK_ALLOW_HTTP", "true");
    secrets.set("SPIN_VARIABLE_CALLBACK_EXTRA_HOST", receiver.origin());
    Ok(secrets)
}

async fn create_client(stack: &Stack, admin_secret: &str, receiver: &Receiver) -> Result<Value> {
    let client = json!({
        "name": "demonstration",
        "phone": "13800000000",
        "ips": ["127.0.0.1/32"],
        "permissions": ["write.apply", "write.status"],
        "callback_url": receiver.url(),
    });
    let client = stack.api.post_json(admin_secret, "/admin/v1/clients", &client).await?.ok("creating the client")?;
    receiver.set_secret(&text(&client, "callback_secret")?);
    Ok(client)
}

async fn import(stack: &Stack, admin_secret: &str, kind: &str, query: &[(&str, &str)], csv: String) -> Result<Value> {
    let what = format!("importing {kind}");
    let path = format!("/admin/v1/{kind}:import");
    let mut report = stack.api.post_csv(admin_secret, &path, query, csv).await?.ok(&what)?;
    if let Some(fields) = report.as_object_mut() {
        fields.remove("code");
        fields.remove("message");
    }
    Ok(report)
}

fn text(document: &Value, field: &str) -> Result<String> {
    Ok(document[field].as_str().with_context(|| format!("the answer has no {field}"))?.to_owned())
}
