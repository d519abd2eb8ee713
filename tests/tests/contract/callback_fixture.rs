//! A platform with a receiver of callbacks, and clients whose callbacks go to it.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use edge_host::Host;
use operations::sign;
use serde_json::{Value, json};
use test_support::components::{inventory_from, reuse};
use test_support::http::{Reply, TestRequest};
use test_support::platform::TestPlatform;

use crate::test_receiver::{ReceivedRequest, TestReceiver};

/// Index of the first chip that the fixture creates, after those of [`TestPlatform`].
const FIRST_CHIP: u32 = 100;

/// A client whose callbacks go to one path of the receiver, with chips of its own.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) client_secret: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) chips: Vec<String>,
}

/// A platform whose callbacks go to a receiver of the test.
pub(crate) struct CallbackFixture {
    pub(crate) platform: TestPlatform,
    pub(crate) receiver: TestReceiver,
    next_chip: std::cell::Cell<u32>,
}

impl CallbackFixture {
    /// Starts both.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts both, with other application variables.
    pub(crate) async fn with(more: &[(&str, &str)]) -> Self {
        let receiver = TestReceiver::start().await;
        let host = format!("http://{}", receiver.addr);
        let mut variables = vec![
            ("callback_allow_http", "true"),
            ("callback_extra_host", host.as_str()),
        ];
        variables.extend(more);
        Self {
            platform: TestPlatform::start_with(reuse(), &variables).await,
            receiver,
            next_chip: FIRST_CHIP.into(),
        }
    }

    /// Creates a client with `chips` chips whose callbacks go to `path`.
    pub(crate) async fn client(&self, path: &str, chips: u32) -> Client {
        let created = self
            .platform
            .admin_post(
                "/admin/v1/clients",
                json!({"name": "c", "phone": "13800000000", "ips": ["127.0.0.1"],
                    "permissions": ["write.apply", "write.status"], "callback_url": self.receiver.url(path)}),
            )
            .await;
        let text = |field: &str| created.body[field].as_str().unwrap().to_owned();
        let id = text("client_id");
        let chips = self.import_chips(&id, chips).await;
        Client {
            token: self.platform.token(&id, &text("client_secret")).await,
            client_secret: text("client_secret"),
            secret: text("callback_secret"),
            id,
            chips,
        }
    }

    /// Imports chips of a client and as many numbers; returns the EIDs.
    pub(crate) async fn import_chips(&self, client: &str, chips: u32) -> Vec<String> {
        let first = self.next_chip.replace(self.next_chip.get() + chips);
        let part = inventory_from(first, chips);
        for (target, csv) in [
            (
                format!("/admin/v1/chips:import?client_id={client}"),
                part.chips_csv().unwrap(),
            ),
            ("/admin/v1/numbers:import".to_owned(), part.numbers_csv().unwrap()),
        ] {
            let request = TestRequest::post(target, "text/csv", csv).bearer(&self.platform.admin_secret());
            let report = self.platform.send(request).await;
            assert_eq!(report.body["imported"], json!(chips), "{}", report.text);
        }
        part.chips.iter().map(|chip| chip.eid.clone()).collect()
    }

    /// Takes a new token for the client.
    pub(crate) async fn renew_token(&self, client: &mut Client) {
        client.token = self.platform.token(&client.id, &client.client_secret).await;
    }

    /// Applies for a chip and returns the task's id.
    pub(crate) async fn apply(&self, client: &Client, eid: &str) -> String {
        let target = format!("/v1/write/apply?eid={eid}&write_type=1&province_code=37");
        let applied = self
            .platform
            .send(TestRequest::get(target).bearer(&client.token))
            .await;
        applied.body["task_id"].as_str().expect(&applied.text).to_owned()
    }

    /// Applies for a chip, at its index, whose writing then fails: one callback. Returns the task's id.
    pub(crate) async fn fail_at(&self, client: &Client, chip: usize) -> String {
        self.fail(client, &client.chips[chip]).await
    }

    /// Applies for a chip whose writing then fails, and returns the task's id.
    pub(crate) async fn fail(&self, client: &Client, eid: &str) -> String {
        let task = self.apply(client, eid).await;
        let session = self.platform.open_session(eid).await;
        let failed =
            json!({"kind": "failed", "failure": "card_error", "detail": "6F00", "chip_fault": false});
        self.platform.report(&session, failed).await;
        task
    }

    /// Applies for a chip, writes and verifies it.
    pub(crate) async fn write(&self, client: &Client, eid: &str) {
        self.apply(client, eid).await;
        self.write_and_verify(eid).await;
    }

    /// Writes and verifies a chip that was applied for.
    pub(crate) async fn write_and_verify(&self, eid: &str) {
        for event in ["written", "verified"] {
            let session = self.platform.open_session(eid).await;
            self.platform.report(&session, json!({"kind": event})).await;
        }
    }

    /// Runs one tick of the periodic work.
    pub(crate) async fn tick(&self) -> Reply {
        self.tick_at(&self.platform.host).await
    }

    /// Runs one tick on one of several nodes.
    pub(crate) async fn tick_at(&self, host: &Host) -> Reply {
        let cron = self.platform.secret("cron_secret");
        let request = TestRequest::post("/internal/cron", "application/json", "{}").bearer(&cron);
        let reply = self.platform.send_to(host, request).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply
    }

    /// The latest message to a client, as an administrator sees it.
    pub(crate) async fn latest_message(&self, client: &Client) -> Value {
        let path = format!("/admin/v1/callbacks?receiver={}", client.id);
        self.platform.admin_get(&path).await["callbacks"][0].clone()
    }

    /// Sends a document as an administrator and returns the answer.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.platform.admin_post(path, body).await.body
    }

    /// The open alerts.
    pub(crate) async fn alerts(&self) -> Vec<Value> {
        let list = self.platform.admin_get("/admin/v1/alerts").await;
        list["alerts"].as_array().unwrap().clone()
    }
}

/// Whether `field` holds the signature of the body under `secret`.
pub(crate) fn is_signed(received: &ReceivedRequest, field: &str, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let fields: BTreeMap<&str, String> = received
        .body
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap().to_owned()))
        .collect();
    received.body[field] == json!(sign(&key, &fields))
}
