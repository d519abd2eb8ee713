//! A map whose entries expire, with a bound on their number.
//!
//! It must never grow past its bound: when it is full of entries that have not expired, it takes no new ones.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// A map from keys to values with a lifetime. The current time is an argument.
#[derive(Debug)]
pub(crate) struct TtlMap<K, V> {
    entries: HashMap<K, (Instant, V)>,
    lifetime: Duration,
    bound: usize,
}

impl<K: Eq + Hash, V: Clone> TtlMap<K, V> {
    /// An empty map whose entries live for `lifetime`, at most `bound` of them.
    pub(crate) fn new(lifetime: Duration, bound: usize) -> Self {
        Self {
            entries: HashMap::new(),
            lifetime,
            bound,
        }
    }

    /// A copy of the entry, if it exists and has not expired.
    pub(crate) fn get<Q>(&mut self, key: &Q, now: Instant) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let (since, value) = self.entries.get(key)?;
        if now.duration_since(*since) < self.lifetime {
            return Some(value.clone());
        }
        self.entries.remove(key);
        None
    }

    /// Removes the entry; gives it if it has not expired.
    pub(crate) fn take(&mut self, key: &K, now: Instant) -> Option<V> {
        let (since, value) = self.entries.remove(key)?;
        (now.duration_since(since) < self.lifetime).then_some(value)
    }

    /// Adds or replaces an entry, if there is room.
    pub(crate) fn put(&mut self, key: K, value: V, now: Instant) {
        if self.entries.len() >= self.bound {
            let lifetime = self.lifetime;
            self.entries
                .retain(|_, (since, _)| now.duration_since(*since) < lifetime);
        }
        if self.entries.len() < self.bound {
            self.entries.insert(key, (now, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_expires_after_its_lifetime() {
        let now = Instant::now();
        let mut map = TtlMap::new(Duration::from_secs(10), 8);
        map.put("a", 1, now);
        assert_eq!(map.get("a", now + Duration::from_secs(9)), Some(1));
        assert_eq!(map.get("a", now + Duration::from_secs(10)), None);
        assert!(map.entries.is_empty());
        map.put("a", 2, now);
        assert_eq!(map.take(&"a", now), Some(2));
        assert_eq!(map.take(&"a", now), None);
        map.put("a", 3, now);
        assert_eq!(map.take(&"a", now + Duration::from_secs(10)), None);
    }

    #[test]
    fn no_more_entries_than_the_bound_are_kept_and_old_ones_make_room() {
        let now = Instant::now();
        let mut map = TtlMap::new(Duration::from_secs(10), 2);
        for name in ["a", "b", "c"] {
            map.put(name, (), now);
        }
        assert_eq!(map.entries.len(), 2);
        assert_eq!(map.get("c", now), None);
        let later = now + Duration::from_secs(20);
        map.put("c", (), later);
        assert_eq!(map.get("c", later), Some(()));
        assert_eq!(map.entries.len(), 1);
    }
}
