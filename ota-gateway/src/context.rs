//! What all tasks of a gateway share: settings, clients, counters, and the sessions that chips may resume.
//!
//! It must never start a task.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use openssl::ssl::SslContext;
use tokio::sync::Notify;
use uicc::ident::Eid;

use crate::admission::Admission;
use crate::failed_handshakes::FailureCounts;
use crate::metrics::Metrics;
use crate::observe::Observer;
use crate::platform::{KeyDirectory, PlatformClient};
use crate::profile::Catalogue;
use crate::session::{BusyCard, Shared, SuspendedSession};
use crate::settings::Settings;
use crate::tls;
use crate::ttl_map::TtlMap;

/// Interrupted sessions, by chip and session token.
pub(crate) type SuspendedSessions = Mutex<TtlMap<(Eid, String), SuspendedSession>>;

/// Time for which the gateway knows that a card was busy. Power-ups of a card may lie far apart.
const BUSY_CARD_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Work for which a card was busy until its session gave up, by chip.
pub(crate) type BusyCards = Mutex<TtlMap<Eid, BusyCard>>;

/// What every task needs.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) tls: SslContext,
    pub(crate) platform: PlatformClient,
    pub(crate) directory: KeyDirectory,
    pub(crate) shared: Arc<Shared>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) admission: Admission,
    pub(crate) suspended: SuspendedSessions,
    pub(crate) busy: BusyCards,
    /// Failed handshakes of known chips, until they are announced.
    pub(crate) failed_handshakes: Arc<FailureCounts>,
    /// Asks for a tick of the platform's scheduled work.
    pub(crate) tick: Notify,
}

impl Context {
    /// Reads card profiles and keys, and sets up TLS and the platform's client.
    ///
    /// # Errors
    /// A bad card profile, a malformed key, certificates that cannot be read.
    pub(crate) fn new(settings: Settings, observer: Option<Arc<dyn Observer>>) -> anyhow::Result<Self> {
        let metrics = Arc::new(Metrics::new());
        let catalogue = Catalogue::load(settings.profiles_dir.as_deref()).context("card profiles")?;
        let platform = PlatformClient::new(&settings, Arc::clone(&metrics))?;
        let failed_handshakes = Arc::new(FailureCounts::default());
        let counts = Arc::clone(&failed_handshakes);
        let directory = KeyDirectory::new(&settings, platform.clone(), Arc::clone(&metrics), counts)?;
        let shared = Arc::new(Shared {
            catalogue,
            link_key: directory.link_key().clone(),
        });
        let limits = &settings.limits;
        Ok(Self {
            tls: tls::context().context("TLS")?,
            admission: Admission::new(limits),
            suspended: Mutex::new(TtlMap::new(limits.resume(), limits.resume_entries)),
            busy: Mutex::new(TtlMap::new(BUSY_CARD_LIFETIME, limits.resume_entries)),
            failed_handshakes,
            tick: Notify::new(),
            platform,
            directory,
            shared,
            metrics,
            observer,
            settings,
        })
    }
}
