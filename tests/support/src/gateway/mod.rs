//! A gateway between a platform that answers as the test says and a card with its admin agent.
//!
//! The gateway is the product's own, in this process. It must not be used to test what the platform decides: the one
//! here decides nothing.

pub mod agent;
pub mod card;
pub mod platform;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use ota_gateway::keys::{MasterKeys, Purpose};
use ota_gateway::{Event, Gateway, Observer, Settings};
use tokio::sync::Notify;
use uicc::ident::Eid;

use crate::eid::EID;
use crate::http::{HttpClient, Reply, TestRequest};
use agent::Agent;
use platform::{PlatformBehaviour, PlatformStub};

/// The secret with which the gateway calls the routes of gateways.
pub const GATEWAY_SECRET: &str = "gateway-secret-of-the-tests";
/// The secret with which the gateway ticks the platform.
pub const CRON_SECRET: &str = "cron-secret-of-the-tests";

/// The key under which key material crosses the link, in hexadecimal.
#[must_use]
pub fn link_key() -> String {
    "11".repeat(32)
}

/// Master keys of the gateway: version 64.
#[must_use]
pub fn master_keys() -> String {
    format!("64:{}", "22".repeat(32))
}

/// The key of the chip, derived as the gateway derives it.
#[must_use]
pub fn chip_key(purpose: Purpose) -> Vec<u8> {
    let eid: Eid = EID.parse().unwrap();
    MasterKeys::parse(&master_keys())
        .unwrap()
        .derive(purpose, &eid, 64)
        .unwrap()
        .expose()
        .to_vec()
}

/// Settings for a gateway on loopback, against this platform.
#[must_use]
pub fn settings(platform: SocketAddr) -> Settings {
    let mut settings = Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        metrics_listen: ([127, 0, 0, 1], 0).into(),
        platform_url: format!("http://{platform}"),
        gateway_secret: GATEWAY_SECRET.into(),
        cron_secret: CRON_SECRET.into(),
        link_key: link_key().as_str().into(),
        master_keys: master_keys().as_str().into(),
        cron_interval_secs: 0,
        ..Settings::default()
    };
    settings.limits.report_retry_secs = 2;
    settings
}

/// A platform, a gateway, and what was observed.
pub struct GatewayFixture {
    /// What the gateway calls.
    pub platform: PlatformStub,
    /// The gateway.
    pub gateway: Gateway,
    /// What the gateway does.
    pub events: Arc<EventLog>,
}

impl GatewayFixture {
    /// A platform and a gateway with their defaults.
    pub async fn start() -> Self {
        Self::start_with(PlatformBehaviour::default(), |_| {}).await
    }

    /// A platform with this behaviour, a gateway with edited settings.
    pub async fn start_with(behaviour: PlatformBehaviour, edit: impl FnOnce(&mut Settings)) -> Self {
        let platform = PlatformStub::start(behaviour).await;
        let mut settings = settings(platform.addr());
        edit(&mut settings);
        let events = Arc::new(EventLog::default());
        let gateway = ota_gateway::start(settings, Some(Arc::clone(&events) as Arc<dyn Observer>))
            .await
            .unwrap();
        Self {
            platform,
            gateway,
            events,
        }
    }

    /// The chip's agent, connected and through its handshake.
    pub async fn agent(&self) -> Agent {
        Agent::connect(self.gateway.addr()).await
    }

    /// What the metrics listener answers at this path.
    pub async fn ops(&self, path: &str) -> Reply {
        get(self.gateway.metrics_addr(), path).await
    }

    /// Ends the gateway, so that every report and event has been sent; gives platform and events.
    pub async fn finish(self) -> (PlatformStub, Arc<EventLog>) {
        self.gateway.shutdown().await;
        (self.platform, self.events)
    }
}

/// Reads a path of a listener for operators.
pub async fn get(addr: SocketAddr, path: &str) -> Reply {
    HttpClient::default().send(addr, TestRequest::get(path)).await
}

/// Every event that was observed, in order.
#[derive(Default)]
pub struct EventLog {
    events: Mutex<Vec<Event>>,
    changed: Notify,
}

impl EventLog {
    /// Every event so far.
    #[must_use]
    pub fn all(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many sessions have ended: the gateway notices a broken link in its own time.
    pub async fn sessions_ended(&self, count: usize) {
        loop {
            let changed = self.changed.notified();
            if self.endings().len() >= count {
                return;
            }
            changed.await;
        }
    }

    /// Why each session ended.
    #[must_use]
    pub fn endings(&self) -> Vec<&'static str> {
        let events = self.all();
        events
            .iter()
            .filter_map(|event| {
                if let Event::End { reason, .. } = event {
                    Some(*reason)
                } else {
                    None
                }
            })
            .collect()
    }
}

impl Observer for EventLog {
    fn event(&self, event: &Event) {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event.clone());
        self.changed.notify_waiters();
    }
}
