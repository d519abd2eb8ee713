//! A running platform on loopback, prepared for a demonstration: one client, an inventory, a mobile network.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use card_sim::personalisation::{Builder, SEED_K, SEED_OPC};
use card_sim::{Module, ModuleSettings, VirtualNetwork};
use ota_gateway::keys::MasterKeys;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::demo_env::DemoEnv;
use crate::api::Api;
use crate::inventory::{ChipRow, Inventory, PROVINCE_CODE, SAMPLE_TRANSPORT_KEY};
use crate::language::text;
use crate::personalise::personalise;
use crate::receiver::Receiver;

/// How often it is asked whether the gateway announced itself.
const ANNOUNCEMENT_TRIES: u32 = 40;
/// Wait between two questions.
const ANNOUNCEMENT_WAIT: Duration = Duration::from_millis(50);

/// A platform with a gateway, an inventory, one client and a mobile network. It does not own platform and gateway,
/// which may stop and start again.
pub struct World {
    /// Folder, secrets and callback receiver.
    pub demo_env: DemoEnv,
    /// A client of the platform.
    pub api: Api,
    /// Address that chips connect to.
    pub gateway: SocketAddr,
    /// The imported chips and numbers.
    pub inventory: Inventory,
    /// The mobile network; it serves every IMSI of the inventory, each with its own K and OPc.
    pub network: Arc<VirtualNetwork>,
    /// Bearer secret of the administrator.
    pub admin_secret: String,
    /// Identifier of the client.
    pub client_id: String,
    /// Secret of the client.
    pub client_secret: String,
    /// Token of the client.
    pub token: String,
    keys: MasterKeys,
}

impl World {
    /// Creates the client, imports the inventory and takes a token (§6.2.1). Calls `report` with the sender and the
    /// text of each step.
    ///
    /// # Errors
    /// The first call that the platform refuses.
    pub async fn prepare(
        demo_env: DemoEnv,
        api: Api,
        gateway: SocketAddr,
        inventory: Inventory,
        report: &dyn Fn(&str, String),
    ) -> Result<Self> {
        let admin_secret = demo_env.secrets.get("SPIN_VARIABLE_ADMIN_SECRET")?.to_owned();
        let client = create_client(&api, &admin_secret, &demo_env.receiver).await?;
        let client_id = field(&client, "client_id")?;
        let client_secret = field(&client, "client_secret")?;
        report(
            "admin",
            text(
                format!("POST /admin/v1/clients → {client_id}，密钥仅显示一次"),
                format!("POST /admin/v1/clients → {client_id}, secrets shown once"),
            ),
        );
        gateway_announced(&api, &admin_secret).await?;
        let owner = [("client_id", client_id.as_str())];
        let chips = import(&api, &admin_secret, "chips", &owner, inventory.chips_csv()?).await?;
        report("admin", format!("POST /admin/v1/chips:import → {chips}"));
        let numbers = import(&api, &admin_secret, "numbers", &[], inventory.numbers_csv()?).await?;
        report("admin", format!("POST /admin/v1/numbers:import → {numbers}"));
        let credentials = [
            ("client_id", client_id.as_str()),
            ("client_secret", client_secret.as_str()),
        ];
        let answer = api.get("/v1/token", &credentials).await?;
        let answer = answer.ok(text("获取令牌", "taking a token"))?;
        let seconds = &answer["expire_time"];
        report(
            "client",
            text(
                format!("GET /v1/token → 有效期 {seconds} s"),
                format!("GET /v1/token → valid for {seconds} s"),
            ),
        );
        Ok(Self {
            network: Arc::new(network_of(&inventory)?),
            token: field(&answer, "token")?,
            keys: MasterKeys::parse(demo_env.secrets.get("XIEKA_GATEWAY_MASTER_KEYS")?)?,
            demo_env,
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
        let answer = self.api.get("/v1/write/apply", &query).await?;
        answer.ok(text("申请写卡", "applying"))
    }

    /// Asks for a card's state (§7.2.2.3).
    pub async fn status(&self, eid: &str) -> Result<Value> {
        let query = [("token", self.token.as_str()), ("eid", eid)];
        let answer = self.api.get("/v1/write/status", &query).await?;
        answer.ok(text("查询状态", "asking for the status"))
    }

    /// Makes a module with the chip, switched off.
    pub fn module(&self, chip: &ChipRow) -> Result<Module> {
        self.module_with(chip, |card| card)
    }

    /// Makes a module with the chip, after `change` was applied to its personalisation.
    pub fn module_with(&self, chip: &ChipRow, change: impl FnOnce(Builder) -> Builder) -> Result<Module> {
        let card = change(personalise(chip, &self.keys, self.gateway)?)
            .build()
            .context(text("芯片无法个人化", "the chip cannot be personalised"))?;
        Ok(Module::new(card, ModuleSettings::default(), self.network.clone()))
    }
}

/// A network that knows K and OPc of every IMSI of the inventory.
fn network_of(inventory: &Inventory) -> Result<VirtualNetwork> {
    let network = VirtualNetwork::of([]);
    for chip in &inventory.chips {
        network.subscribe(&chip.temp_imsi, SEED_K, SEED_OPC);
    }
    for number in &inventory.numbers {
        let (k, opc) = number.keys(&SAMPLE_TRANSPORT_KEY)?;
        network.subscribe(&number.imsi, k, opc);
    }
    Ok(network)
}

/// Waits a little for the gateway to announce itself, so that the import can compare the chips with it. Without a
/// gateway it warns.
async fn gateway_announced(api: &Api, admin_secret: &str) -> Result<()> {
    for _ in 0..ANNOUNCEMENT_TRIES {
        let answer = api.get_as(admin_secret, "/admin/v1/gateways", &[]).await?;
        let answer = answer.ok(text("查询网关", "asking for the gateways"))?;
        if answer["gateways"]
            .as_array()
            .is_some_and(|gateways| !gateways.is_empty())
        {
            break;
        }
        sleep(ANNOUNCEMENT_WAIT).await;
    }
    Ok(())
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
        .ok(text("创建业务需求方", "creating the client"))?;
    receiver.set_secret(&field(&client, "callback_secret")?);
    Ok(client)
}

async fn import(
    api: &Api,
    admin_secret: &str,
    kind: &str,
    query: &[(&str, &str)],
    csv: String,
) -> Result<Value> {
    let what = text(format!("导入 {kind}"), format!("importing {kind}"));
    let path = format!("/admin/v1/{kind}:import");
    let mut report = api.post_csv(admin_secret, &path, query, csv).await?.ok(&what)?;
    if let Some(fields) = report.as_object_mut() {
        fields.remove("code");
        fields.remove("message");
    }
    Ok(report)
}

fn field(document: &Value, name: &str) -> Result<String> {
    Ok(document[name]
        .as_str()
        .with_context(|| text(format!("应答中没有 {name}"), format!("the answer has no {name}")))?
        .to_owned())
}
