//! Which keys belong to a PSK identity: asked of the platform, and cached for seconds.
//!
//! The platform decides about every identity; the gateway derives keys only for a chip that it names. An
//! answer of "unknown" is cached too, a missing answer is not, nor keys that cannot be used. It must never cache more identities than its bound, nor
//! show one.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, anyhow};
use gateway_protocol::{KeysAnswer, KeysRequest};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use uicc::Eid;

use super::client::{PlatformClient, PlatformError};
use crate::failed_handshakes::FailureCounts;
use crate::keys::{Key, LinkKey, MasterKeys, PSK_BYTES, Purpose, eid_of_identity};
use crate::metrics::{Metrics, Outcome};
use crate::settings::Settings;
use crate::ttl_map::TtlMap;

/// A chip and its keys.
#[derive(Clone)]
pub(crate) struct ChipKeys {
    /// EID of the chip.
    pub(crate) eid: Eid,
    /// Last byte of the identifiers of its sessions; none from a platform of an earlier version.
    pub(crate) home: Option<u8>,
    /// Version of its keys (KVN).
    pub(crate) key_version: u8,
    /// Key of the TLS session.
    pub(crate) psk: Key,
    /// Key that wraps key material.
    pub(crate) dek: Key,
}

impl fmt::Debug for ChipKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChipKeys({}, version {})", self.eid.masked(), self.key_version)
    }
}

/// The gateway has no master key of the version of the chip's keys.
const NO_MASTER_KEY: &str = "no_master_key";
/// What the platform sent does not open under the link key, or is no key.
const KEYS_UNUSABLE: &str = "keys_unusable";

/// Why there are no keys for an identity that may be known.
enum NoKeys {
    /// The platform gave no usable answer.
    Unanswered(anyhow::Error),
    /// The platform knows the chip; this gateway has no usable keys for it.
    Unusable {
        eid: Eid,
        failure: &'static str,
        error: anyhow::Error,
    },
}

/// Finds the keys of PSK identities.
pub(crate) struct KeyDirectory {
    client: PlatformClient,
    link_key: LinkKey,
    master_keys: MasterKeys,
    lookups: Semaphore,
    cache: Mutex<TtlMap<Vec<u8>, Option<ChipKeys>>>,
    metrics: Arc<Metrics>,
    failed_handshakes: Arc<FailureCounts>,
}

impl KeyDirectory {
    /// A directory of the platform behind `client`, which counts chips without usable keys in `failed_handshakes`.
    ///
    /// # Errors
    /// When `link_key` or `master_keys` is malformed.
    pub(crate) fn new(
        settings: &Settings,
        client: PlatformClient,
        metrics: Arc<Metrics>,
        failed_handshakes: Arc<FailureCounts>,
    ) -> anyhow::Result<Self> {
        let limits = &settings.limits;
        Ok(Self {
            client,
            link_key: LinkKey::parse(settings.link_key.expose())?,
            master_keys: MasterKeys::parse(settings.master_keys.expose())?,
            lookups: Semaphore::new(limits.max_key_lookups),
            cache: Mutex::new(TtlMap::new(limits.key_cache(), limits.key_cache_entries)),
            metrics,
            failed_handshakes,
        })
    }

    /// The key that unwraps what the platform sends.
    pub(crate) fn link_key(&self) -> &LinkKey {
        &self.link_key
    }

    /// The versions of the master keys.
    pub(crate) fn key_versions(&self) -> Vec<u8> {
        self.master_keys.versions().collect()
    }

    /// The keys of `identity`, named from `address`; none for an unknown one.
    ///
    /// # Errors
    /// When the platform gave no usable answer, so that the identity may be known or unknown; when this gateway has no
    /// usable keys for a known chip, which is counted.
    pub(crate) async fn find(&self, identity: &[u8], address: IpAddr) -> std::io::Result<Option<ChipKeys>> {
        if let Some(known) = self.cached(identity) {
            self.count("remembered");
            return Ok(known);
        }
        let _permit = self.lookups.acquire().await.map_err(std::io::Error::other)?;
        // Another session of the same chip may have asked meanwhile.
        if let Some(known) = self.cached(identity) {
            self.count("remembered");
            return Ok(known);
        }
        let keys = match self.ask(identity, address).await {
            Ok(keys) => keys,
            Err(NoKeys::Unanswered(error)) => {
                self.count("unavailable");
                tracing::warn!(error = %format!("{error:#}"), "no keys for an identity");
                return Err(std::io::Error::other("the platform gave no keys"));
            }
            Err(NoKeys::Unusable { eid, failure, error }) => {
                self.count("unusable");
                self.failed_handshakes.add(eid, failure);
                tracing::error!(eid = eid.masked(), failure, error = %format!("{error:#}"), "no usable keys for a chip");
                return Err(std::io::Error::other("no usable keys"));
            }
        };
        self.count(if keys.is_some() { "found" } else { "unknown" });
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.put(identity.to_vec(), keys.clone(), Instant::now());
        Ok(keys)
    }

    fn cached(&self, identity: &[u8]) -> Option<Option<ChipKeys>> {
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(identity, Instant::now())
    }

    async fn ask(&self, identity: &[u8], address: IpAddr) -> Result<Option<ChipKeys>, NoKeys> {
        let request = KeysRequest {
            psk_identity: hex::encode(identity),
            eid: eid_of_identity(identity).map(|eid| eid.to_string()),
            address: Some(address.to_canonical().to_string()),
        };
        match self.client.keys(&request).await {
            Ok(answer) => self.keys_from(&answer).map(Some),
            Err(PlatformError::Refused { status, reason, .. }) => {
                tracing::info!(status, reason, "identity refused by the platform");
                Ok(None)
            }
            Err(error) => Err(NoKeys::Unanswered(error.into())),
        }
    }

    fn keys_from(&self, answer: &KeysAnswer) -> Result<ChipKeys, NoKeys> {
        let eid = Eid::parse(&answer.eid).context("EID in the platform's answer");
        let eid = eid.map_err(NoKeys::Unanswered)?;
        let unusable = |failure| move |error| NoKeys::Unusable { eid, failure, error };
        let key = |wrapped: &Option<String>, purpose| match wrapped {
            Some(wrapped) => self.link_key.unwrap_hex(wrapped).map_err(unusable(KEYS_UNUSABLE)),
            None => self
                .master_keys
                .derive(purpose, &eid, answer.key_version)
                .with_context(|| format!("no master key of version {}", answer.key_version))
                .map_err(unusable(NO_MASTER_KEY)),
        };
        let psk = key(&answer.psk_wrapped, Purpose::Psk)?;
        if !PSK_BYTES.contains(&psk.expose().len()) {
            let error = anyhow!("a PSK must have {PSK_BYTES:?} bytes");
            return Err(unusable(KEYS_UNUSABLE)(error));
        }
        Ok(ChipKeys {
            psk,
            dek: key(&answer.dek_wrapped, Purpose::Dek)?,
            eid,
            home: answer.home,
            key_version: answer.key_version,
        })
    }

    fn count(&self, result: &'static str) {
        self.metrics.key_lookups.get_or_create(&Outcome { result }).inc();
    }
}
