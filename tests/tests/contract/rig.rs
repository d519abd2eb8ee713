//! A platform with a receiver of callbacks, and clients whose callbacks go there.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use edge_host::Host;
use operations::sign;
use serde_json::{Value, json};
use xieka::inventory::{Inventory, SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};

use crate::door::{Door, Reply, Sent};
use crate::receiver::{Arrived, Receiver};

/// First of the chips that these tests make, behind those of the door.
const FIRST_CHIP: u32 = 100;

/// A client whose callbacks go to one path of the receiver, with chips of its own.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) client_secret: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) chips: Vec<String>,
}

/// A platform and a receiver.
pub(crate) struct Rig {
    pub(crate) door: Door,
    pub(crate) receiver: Receiver,
    next_chip: std::cell::Cell<u32>,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(more: &[(&str, &str)]) -> Self {
        let receiver = Receiver::start().await;
        let host = format!("http://{}", receiver.addr);
        let mut variables = vec![
            ("callback_allow_http", "true"),
            ("callback_extra_host", host.as_str()),
        ];
        variables.extend(more);
        Self {
            door: Door::open_with(xieka_tests::reuse(), &variables).await,
            receiver,
            next_chip: FIRST_CHIP.into(),
        }
    }

    /// A client with `chips` chips whose callbacks go to `path`.
    pub(crate) async fn client(&self, path: &str, chips: u32) -> Client {
        let made = self
            .door
            .admin_post(
                "/admin/v1/clients",
                json!({"name": "c", "phone": "13800000000", "ips": ["127.0.0.1"],
                    "permissions": ["write.apply", "write.status"], "callback_url": self.receiver.url(path)}),
            )
            .await;
        let text = |field: &str| made.body[field].as_str().unwrap().to_owned();
        let id = text("client_id");
        let chips = self.chips_for(&id, chips).await;
        Client {
            token: self.door.token(&id, &text("client_secret")).await,
            client_secret: text("client_secret"),
            secret: text("callback_secret"),
            id,
            chips,
        }
    }

    /// Imports chips of a client, and as many numbers.
    pub(crate) async fn chips_for(&self, client: &str, chips: u32) -> Vec<String> {
        let first = self.next_chip.replace(self.next_chip.get() + chips);
        let part =
            Inventory::generate(first, chips, SAMPLE_TRANSPORT_KEY_NAME, &SAMPLE_TRANSPORT_KEY).unwrap();
        for (target, csv) in [
            (
                format!("/admin/v1/chips:import?client_id={client}"),
                part.chips_csv().unwrap(),
            ),
            ("/admin/v1/numbers:import".to_owned(), part.numbers_csv().unwrap()),
        ] {
            let sent = Sent::post(target, "text/csv", csv).bearer(&self.door.admin());
            let report = self.door.send(sent).await;
            assert_eq!(report.body["imported"], json!(chips), "{}", report.text);
        }
        part.chips.iter().map(|chip| chip.eid.clone()).collect()
    }

    /// A fresh token.
    pub(crate) async fn renew(&self, client: &mut Client) {
        client.token = self.door.token(&client.id, &client.client_secret).await;
    }

    pub(crate) async fn apply(&self, client: &Client, eid: &str) -> String {
        let target = format!("/v1/write/apply?eid={eid}&write_type=1&province_code=37");
        let applied = self.door.send(Sent::get(target).bearer(&client.token)).await;
        applied.body["task_id"].as_str().expect(&applied.text).to_owned()
    }

    /// Applies for a chip and fails to write it: one callback.
    pub(crate) async fn fail(&self, client: &Client, chip: usize) -> String {
        self.fail_eid(client, &client.chips[chip]).await
    }

    pub(crate) async fn fail_eid(&self, client: &Client, eid: &str) -> String {
        let task = self.apply(client, eid).await;
        let session = self.door.session_of(eid).await;
        let failed =
            json!({"kind": "failed", "failure": "card_error", "detail": "6F00", "chip_fault": false});
        self.door.report(&session, failed).await;
        task
    }

    /// Applies for a chip and writes it.
    pub(crate) async fn write(&self, client: &Client, eid: &str) {
        self.apply(client, eid).await;
        self.finish(eid).await;
    }

    /// Writes and verifies a card that was applied for.
    pub(crate) async fn finish(&self, eid: &str) {
        for event in ["written", "verified"] {
            let session = self.door.session_of(eid).await;
            self.door.report(&session, json!({"kind": event})).await;
        }
    }

    pub(crate) async fn tick(&self) -> Reply {
        self.tick_at(&self.door.host).await
    }

    pub(crate) async fn tick_at(&self, host: &Host) -> Reply {
        let cron = self.door.secret("cron_secret");
        let sent = Sent::post("/internal/cron", "application/json", "{}").bearer(&cron);
        let reply = self.door.send_to(host, sent).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply
    }

    /// The latest message to a client, as an administrator sees it.
    pub(crate) async fn latest(&self, client: &Client) -> Value {
        let path = format!("/admin/v1/callbacks?receiver={}", client.id);
        self.door.admin_get(&path).await["callbacks"][0].clone()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.door.admin_post(path, body).await.body
    }

    pub(crate) async fn alerts(&self) -> Vec<Value> {
        let list = self.door.admin_get("/admin/v1/alerts").await;
        list["alerts"].as_array().unwrap().clone()
    }
}

/// Whether `field` of a body is what `secret` signs it with.
pub(crate) fn is_signed(arrived: &Arrived, field: &str, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let fields: BTreeMap<&str, String> = arrived
        .body
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap().to_owned()))
        .collect();
    arrived.body[field] == json!(sign(&key, &fields))
}
