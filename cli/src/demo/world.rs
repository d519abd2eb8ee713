//! A whole small world on loopback: platform, gateway, callback receiver, inventory, one client, one network.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use card_sim::personalisation::Builder;
use card_sim::{Module, ModuleSettings, VirtualNetwork};
use ota_gateway::keys::MasterKeys;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::api::Api;
use crate::inventory::{ChipRow, Inventory, PROVINCE_CODE, SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};
use crate::personalise::personalise;
use crate::receiver::Receiver;
use crate::secrets::Secrets;
use crate::stack::Launch;

/// Folder that keeps the components' log lines, in the temporary directory.
const LOG_FOLDER: &str = "log";

/// What a world is made of before anything runs: a folder, secrets, a callback receiver.
pub struct Ground {
    /// Secrets and variables, with callbacks allowed to the receiver.
    pub secrets: Secrets,
    /// Where callbacks arrive.
    pub receiver: Receiver,
    folder: TempDir,
}

impl Ground {
    /// A new temporary folder with fresh secrets.
    pub async fn new() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("xieka-demo-")
            .tempdir()
            .context("no temporary directory")?;
        let receiver = Receiver::start().await?;
        Ok(Self {
            secrets: demo_secrets(&receiver)?,
            receiver,
            folder,
        })
    }

    /// Folder of the database.
    pub fn state_dir(&self) -> &Path {
        self.folder.path()
    }

    /// Folder of the components' log lines.
    pub fn log_folder(&self) -> PathBuf {
        self.folder.path().join(LOG_FOLDER)
    }

    /// Platform and gateway on this ground, not started.
    pub fn launch(&self, root: PathBuf) -> Launch {
        let mut launch = Launch::on_loopback(root, self.state_dir().to_owned(), self.secrets.clone());
        launch.logs = edge_host::Logs::Files(self.log_folder());
        launch
    }
}

/// A platform with a gateway, an inventory, one client and a mobile network. It does not own what runs: that may
/// end and start again.
pub struct World {
    /// The ground it stands on.
    pub ground: Ground,
    /// A client of the platform.
    pub api: Api,
    /// Where chips connect.
    pub gateway: SocketAddr,
    /// What was imported.
    pub inventory: Inventory,
    /// The mobile network; it serves every IMSI of the inventory.
    pub network: Arc<VirtualNetwork>,
    /// The administrator's bearer.
    pub admin_secret: String,
    /// The client.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: String,
    /// The client's token.
    pub token: String,
    keys: MasterKeys,
}

impl World {
    /// Prepares a running platform as §6.2.1 describes, and says each step.
    pub async fn prepare(
        ground: Ground,
        api: Api,
        gateway: SocketAddr,
        inventory: Inventory,
        say: &dyn Fn(&str, String),
    ) -> Result<Self> {
        let admin_secret = ground.secrets.get("SPIN_VARIABLE_ADMIN_SECRET")?.to_owned();
        let client = create_client(&api, &admin_secret, &ground.receiver).await?;
        let client_id = text(&client, "client_id")?;
        let client_secret = text(&client, "client_secret")?;
        say(
            "admin",
            format!("POST /admin/v1/clients → {client_id}, secrets shown once"),
        );
        let owner = [("client_id", client_id.as_str())];
        let chips = import(&api, &admin_secret, "chips", &owner, inventory.chips_csv()?).await?;
        say("admin", format!("POST /admin/v1/chips:import → {chips}"));
        let numbers = import(&api, &admin_secret, "numbers", &[], inventory.numbers_csv()?).await?;
        say("admin", format!("POST /admin/v1/numbers:import → {numbers}"));
        let credentials = [
            ("client_id", client_id.as_str()),
            ("client_secret", client_secret.as_str()),
        ];
        let answer = api.get("/v1/token", &credentials).await?.ok("taking a token")?;
        say(
            "client",
            format!("GET /v1/token → valid for {} s", answer["expire_time"]),
        );
        let imsis = inventory.chips.iter().map(|chip| chip.temp_imsi.clone());
        let imsis = imsis.chain(inventory.numbers.iter().map(|number| number.imsi.clone()));
        Ok(Self {
            network: Arc::new(VirtualNetwork::of(imsis)),
            token: text(&answer, "token")?,
            keys: MasterKeys::parse(ground.secrets.get("XIEKA_GATEWAY_MASTER_KEYS")?)?,
            ground,
            api,
            gateway,
            inventory,
            admin_secret,
            client_id,
            client_secret,
        })
    }

    /// Applies for a number of the sample's province for one chip (§7.2.2.2) and returns the answer.
    pub async fn apply(&self, eid: &str) -> Result<Value> {
        let query = [
            ("token", self.token.as_str()),
            ("eid", eid),
            ("write_type", "1"),
            ("province_code", PROVINCE_CODE),
        ];
        self.api.get("/v1/write/apply", &query).await?.ok("applying")
    }

    /// Asks for a card's state (§7.2.2.3).
    pub async fn status(&self, eid: &str) -> Result<Value> {
        let query = [("token", self.token.as_str()), ("eid", eid)];
        self.api
            .get("/v1/write/status", &query)
            .await?
            .ok("asking for the status")
    }

    /// A module with the chip soldered in, not powered.
    pub fn module(&self, chip: &ChipRow) -> Result<Module> {
        self.module_with(chip, |card| card)
    }

    /// A module with a chip that differs from the usual in what `change` says.
    pub fn module_with(&self, chip: &ChipRow, change: impl FnOnce(Builder) -> Builder) -> Result<Module> {
        let card = change(personalise(chip, &self.keys, self.gateway)?)
            .build()
            .context("the chip cannot be made")?;
        Ok(Module::new(card, ModuleSettings::default(), self.network.clone()))
    }

    /// Keeps the temporary directory and says where the components' log lines are.
    pub fn keep_logs(self) -> PathBuf {
        self.ground.folder.keep().join(LOG_FOLDER)
    }
}

fn demo_secrets(receiver: &Receiver) -> Result<Secrets> {
    let mut secrets = Secrets::generate()?;
    let transport = format!(
        "{SAMPLE_TRANSPORT_KEY_NAME}:{}",
        hex::encode(SAMPLE_TRANSPORT_KEY)
    );
    secrets.set("SPIN_VARIABLE_TRANSPORT_KEYS", transport);
    secrets.set("SPIN_VARIABLE_CALLBACK_ALLOW_HTTP", "true");
    secrets.set("SPIN_VARIABLE_CALLBACK_EXTRA_HOST", receiver.origin());
    Ok(secrets)
}

async fn create_client(api: &Api, admin_secret: &str, receiver: &Receiver) -> Result<Value> {
    let client = json!({
        "name": "demonstration",
        "phone": "13800000000",
        "ips": ["127.0.0.1/32"],
        "permissions": ["write.apply", "write.status", "write.cancel"],
        "callback_url": receiver.url(),
    });
    let client = api
        .post_json(admin_secret, "/admin/v1/clients", &client)
        .await?
        .ok("creating the client")?;
    receiver.set_secret(&text(&client, "callback_secret")?);
    Ok(client)
}

async fn import(
    api: &Api,
    admin_secret: &str,
    kind: &str,
    query: &[(&str, &str)],
    csv: String,
) -> Result<Value> {
    let what = format!("importing {kind}");
    let path = format!("/admin/v1/{kind}:import");
    let mut report = api.post_csv(admin_secret, &path, query, csv).await?.ok(&what)?;
    if let Some(fields) = report.as_object_mut() {
        fields.remove("code");
        fields.remove("message");
    }
    Ok(report)
}

fn text(document: &Value, field: &str) -> Result<String> {
    Ok(document[field]
        .as_str()
        .with_context(|| format!("the answer has no {field}"))?
        .to_owned())
}
