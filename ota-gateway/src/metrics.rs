//! What the gateway counts, in the Prometheus text format.
//!
//! A label must never hold an identifier, nor anything else that a chip or a platform could make up: every value comes
//! from a fixed set.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds of the latency of a platform call, in seconds.
const PLATFORM_BUCKETS: [f64; 10] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Labels of a TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Handshake {
    pub(crate) result: &'static str,
    pub(crate) version: &'static str,
    pub(crate) suite: &'static str,
}

/// Label of an ending or a failure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Kind {
    pub(crate) kind: &'static str,
}

/// Label of a connection that was closed because of a limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Refused {
    pub(crate) limit: &'static str,
}

/// Label of a result.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Outcome {
    pub(crate) result: &'static str,
}

/// Label of a direction: `up` from the chip, `down` to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Direction {
    pub(crate) direction: &'static str,
}

/// Labels of a call to the platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Call {
    pub(crate) route: &'static str,
    pub(crate) result: &'static str,
}

/// Label of a route of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Route {
    pub(crate) route: &'static str,
}

/// All metrics of a gateway.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) connections: Gauge,
    pub(crate) refused_connections: Family<Refused, Counter>,
    pub(crate) handshakes: Family<Handshake, Counter>,
    pub(crate) sessions: Family<Kind, Counter>,
    pub(crate) scripts: Family<Outcome, Counter>,
    pub(crate) failures: Family<Kind, Counter>,
    pub(crate) bytes: Family<Direction, Counter<u64, AtomicU64>>,
    pub(crate) key_lookups: Family<Outcome, Counter>,
    pub(crate) calls: Family<Call, Counter>,
    pub(crate) call_seconds: Family<Route, Histogram>,
    pub(crate) ticks: Family<Outcome, Counter>,
}

impl Metrics {
    /// Metrics that count from zero.
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("xieka_gateway"),
            connections: Gauge::default(),
            refused_connections: Family::default(),
            handshakes: Family::default(),
            sessions: Family::default(),
            scripts: Family::default(),
            failures: Family::default(),
            bytes: Family::default(),
            key_lookups: Family::default(),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(|| Histogram::new(PLATFORM_BUCKETS)),
            ticks: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("connections", "Connections open now", self.connections.clone());
        registry.register(
            "refused_connections",
            "Connections closed by limit",
            self.refused_connections.clone(),
        );
        registry.register(
            "handshakes",
            "TLS handshakes by result, version and suite",
            self.handshakes.clone(),
        );
        registry.register("sessions", "Sessions by how they ended", self.sessions.clone());
        registry.register("scripts", "Scripts that chips answered", self.scripts.clone());
        registry.register(
            "failures",
            "Failed writings by kind of failure",
            self.failures.clone(),
        );
        registry.register_with_unit(
            "tcp",
            "TCP payload of device sessions",
            Unit::Bytes,
            self.bytes.clone(),
        );
        registry.register(
            "key_lookups",
            "Look-ups of PSK identities by result",
            self.key_lookups.clone(),
        );
        registry.register(
            "platform_calls",
            "Calls to the platform by route and result",
            self.calls.clone(),
        );
        registry.register_with_unit(
            "platform_call",
            "Latency of calls to the platform",
            Unit::Seconds,
            self.call_seconds.clone(),
        );
        registry.register(
            "ticks",
            "Ticks of the platform's scheduled work",
            self.ticks.clone(),
        );
    }

    /// All metrics in the Prometheus text format.
    ///
    /// # Errors
    /// When the text cannot be written.
    pub(crate) fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_what_was_counted() {
        let metrics = Metrics::new();
        metrics
            .failures
            .get_or_create(&Kind { kind: "file_refused" })
            .inc();
        metrics
            .bytes
            .get_or_create(&Direction { direction: "up" })
            .inc_by(12);
        metrics
            .call_seconds
            .get_or_create(&Route { route: "keys" })
            .observe(0.003);
        let text = metrics.encode().unwrap();
        for line in [
            "xieka_gateway_failures_total{kind=\"file_refused\"} 1",
            "xieka_gateway_tcp_bytes_total{direction=\"up\"} 12",
            "xieka_gateway_platform_call_seconds_bucket{le=\"0.005\",route=\"keys\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
