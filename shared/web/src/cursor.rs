//! Where a page of a list ends, bound to the query that found it: the conditions decide which rows come next, so a page
//! of another query would silently begin anywhere.
//!
//! A cursor is opaque to callers. It is not secret and not signed: whoever makes one of its own sees no more rows than
//! the conditions of its query show.

use http::request::Parts;
use sha2::{Digest as _, Sha256};

use super::credential::parameter_of;
use super::ignored::IgnoredParameters;
use super::layers::{Arrival, Called, Pairs, found};
use super::query::Pair;
use super::refusal::{Problem, Refusal};
use domain::error::Reason;
use domain::{Malformed, mask_identifiers};

/// The parameter that holds a cursor.
pub(crate) const CURSOR_PARAMETER: &str = "cursor";
/// The parameter that says how many rows a page has: another page may have another number.
const LIMIT_PARAMETER: &str = "limit";
/// Bytes of the digest of a query.
const DIGEST_BYTES: usize = 8;
/// Longest cursor, in characters.
pub(crate) const MAX_CURSOR_CHARS: usize = 512;

/// The operation and the conditions of a call.
#[derive(Clone)]
pub(crate) struct BoundQuery {
    called: Called,
    pairs: Pairs,
    ignored: IgnoredParameters,
}

impl BoundQuery {
    /// That of a request whose parameters are decoded.
    pub(crate) fn of(parts: &Parts) -> Result<Self, Refusal> {
        let arrival: &Arrival = found(&parts.extensions)?;
        Ok(Self {
            called: found::<Called>(&parts.extensions)?.clone(),
            pairs: found::<Pairs>(&parts.extensions)?.clone(),
            ignored: arrival.settings().ignored_parameters.clone(),
        })
    }

    /// The name of the operation.
    pub(crate) fn operation(&self) -> &str {
        &self.called.0.name
    }

    /// The conditions as `name=value`, with identifiers masked.
    pub(crate) fn conditions(&self) -> Vec<String> {
        let conditions = self.sorted().into_iter();
        conditions
            .map(|(name, value)| mask_identifiers(&format!("{name}={value}")))
            .collect()
    }

    fn sorted(&self) -> Vec<&Pair> {
        let credential = parameter_of(self.called.0.access).map(|(name, _)| name);
        let mut conditions: Vec<_> = self.pairs.0.iter().collect();
        conditions.retain(|(name, _)| {
            let is_condition = name != CURSOR_PARAMETER && name != LIMIT_PARAMETER;
            is_condition && credential != Some(name.as_str()) && !self.ignored.contains(name)
        });
        conditions.sort_unstable();
        conditions
    }

    /// The same for every page of a query: of the operation and its conditions, in any order.
    fn digest(&self) -> [u8; DIGEST_BYTES] {
        let mut digest = Sha256::new_with_prefix(self.operation());
        for (name, value) in self.sorted() {
            // The lengths keep names and values apart.
            digest.update((name.len() as u64).to_be_bytes());
            digest.update(name);
            digest.update((value.len() as u64).to_be_bytes());
            digest.update(value);
        }
        let mut bound = [0; DIGEST_BYTES];
        bound.copy_from_slice(&digest.finalize()[..DIGEST_BYTES]);
        bound
    }

    /// The cursor of the page that begins after this key.
    pub(crate) fn cursor(&self, key: &str) -> String {
        let mut bytes = self.digest().to_vec();
        bytes.extend_from_slice(key.as_bytes());
        hex::encode(bytes)
    }

    /// The key of a cursor that this query gave.
    pub(crate) fn key(&self, cursor: &str) -> Result<String, Problem> {
        let bytes = hex::decode(cursor).unwrap_or_default();
        let key = bytes.get(DIGEST_BYTES..).filter(|key| !key.is_empty());
        let Some(key) = key.and_then(|key| std::str::from_utf8(key).ok()) else {
            let malformed = Malformed::new(
                domain::Kind::Value,
                "应为上一页返回的 next",
                "not the next of a page before",
            );
            return Err(Problem::of_error(CURSOR_PARAMETER, malformed.of(cursor)));
        };
        if bytes[..DIGEST_BYTES] != self.digest() {
            return Err(Problem::with_field(CURSOR_PARAMETER, Reason::CursorMismatch));
        }
        Ok(key.to_owned())
    }
}
