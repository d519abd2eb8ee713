//! Slots for connections: so many in all, so many for each key. A new one may push out an older one.
//!
//! The one that has to go is of the address that holds the most: who takes many slots pushes out themselves. Of
//! another address than that of the new one it is the oldest, at once. Of the same address it is one beyond its grace.
//! It must never wait.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::SetOnce;
use tokio::time::Instant;

/// Bits of an IPv6 address that a subscriber cannot choose.
const IPV6_PREFIX_BITS: u32 = 64;

/// Whose slots a connection counts to: an IPv4 address, or the network of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Source(IpAddr);

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = address.to_bits() & (u128::MAX << (u128::BITS - IPV6_PREFIX_BITS));
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
            address => address,
        })
    }
}

/// Which limit a connection ran into: the label of its metric.
pub(crate) type Limit = &'static str;

/// Tells one connection that it has to go.
#[derive(Debug, Default)]
pub(crate) struct Eviction(SetOnce<Limit>);

impl Eviction {
    /// Orders the connection to go. The first order counts.
    pub(crate) fn order(&self, limit: Limit) {
        let _ = self.0.set(limit);
    }

    /// The limit for which the connection has to go, if it has to.
    pub(crate) fn limit(&self) -> Option<Limit> {
        self.0.get().copied()
    }

    /// Waits until the connection has to go; gives the limit.
    pub(crate) async fn ordered(&self) -> Limit {
        *self.0.wait().await
    }
}

/// How many slots there are, and which limits they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Slots in all, with the limit's name.
    pub(crate) total: (usize, Limit),
    /// Slots of one key, with the limit's name.
    pub(crate) each: (usize, Limit),
    /// Age below which a connection keeps its slot against others of its address.
    pub(crate) grace: Duration,
    /// Which one has to go for another of its address.
    pub(crate) victim: Victim,
}

/// Which connection beyond its grace has to go for another of its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    /// The oldest: what is short and late will hardly end.
    Oldest,
    /// The youngest: the older ones are nearer to their end, so that some always finish.
    Youngest,
}

#[derive(Debug)]
struct Holder<K> {
    key: K,
    source: Source,
    since: Instant,
    eviction: Arc<Eviction>,
}

/// Holders by their address: those of one key, or all. Whoever has to go is found without a look at the others, because a
/// flood asks at each of its connections.
#[derive(Debug, Default)]
struct Group {
    /// The numbers of an address, the oldest first.
    of_source: HashMap<Source, BTreeSet<u64>>,
    /// How many each address holds, and its oldest: the last is the one that holds the most, of several the one with the
    /// oldest.
    ranks: BTreeSet<(usize, Reverse<u64>, Source)>,
    len: usize,
}

impl Group {
    fn add(&mut self, source: Source, number: u64) {
        self.change(source, |numbers| numbers.insert(number));
        self.len += 1;
    }

    fn remove(&mut self, source: Source, number: u64) {
        self.change(source, |numbers| numbers.remove(&number));
        self.len -= 1;
    }

    fn change(&mut self, source: Source, change: impl FnOnce(&mut BTreeSet<u64>) -> bool) {
        let rank = |numbers: &BTreeSet<u64>| {
            let oldest = numbers.first()?;
            Some((numbers.len(), Reverse(*oldest), source))
        };
        let numbers = self.of_source.entry(source).or_default();
        let before = rank(numbers);
        change(numbers);
        let after = rank(numbers);
        if after.is_none() {
            self.of_source.remove(&source);
        }
        if let Some(before) = before {
            self.ranks.remove(&before);
        }
        self.ranks.extend(after);
    }
}

#[derive(Debug)]
struct Inner<K> {
    next: u64,
    holders: HashMap<u64, Holder<K>>,
    all: Group,
    of_key: HashMap<K, Group>,
}

/// Slots by key.
#[derive(Debug)]
pub(crate) struct Slots<K> {
    bounds: Bounds,
    inner: Mutex<Inner<K>>,
}

impl<K: Copy + Eq + Hash> Slots<K> {
    /// Slots that are all free.
    pub(crate) fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            bounds,
            inner: Mutex::new(Inner {
                next: 0,
                holders: HashMap::new(),
                all: Group::default(),
                of_key: HashMap::new(),
            }),
        })
    }

    /// Takes a slot for `key`; `eviction` learns when another pushes it out.
    ///
    /// # Errors
    /// The limit, when no slot is free and none may be taken away.
    pub(crate) fn take(
        self: &Arc<Self>,
        key: K,
        source: Source,
        eviction: &Arc<Eviction>,
    ) -> Result<SlotGuard<K>, Limit> {
        let mut inner = self.lock();
        let ((total, total_name), (each, each_name)) = (self.bounds.total, self.bounds.each);
        if inner.of_key.get(&key).map_or(0, |group| group.len) >= each {
            self.evict(&mut inner, Some(key), source, each_name)?;
        }
        if inner.holders.len() >= total {
            self.evict(&mut inner, None, source, total_name)?;
        }
        let number = inner.next;
        inner.next += 1;
        inner.all.add(source, number);
        inner.of_key.entry(key).or_default().add(source, number);
        let holder = Holder {
            key,
            source,
            since: Instant::now(),
            eviction: Arc::clone(eviction),
        };
        inner.holders.insert(number, holder);
        Ok(SlotGuard {
            slots: Arc::clone(self),
            number,
        })
    }

    /// Pushes out one of the source that holds the most, among the holders of `key` or among all, for `newcomer`.
    fn evict(
        &self,
        inner: &mut Inner<K>,
        key: Option<K>,
        newcomer: Source,
        limit: Limit,
    ) -> Result<(), Limit> {
        let group = match key {
            Some(key) => inner.of_key.get(&key).ok_or(limit)?,
            None => &inner.all,
        };
        let (most, _, heaviest) = *group.ranks.last().ok_or(limit)?;
        // One address with several slots must not keep another one out.
        let grace = if heaviest != newcomer && most > 1 {
            Duration::ZERO
        } else {
            self.bounds.grace
        };
        let may_go = |number: &&u64| {
            let holder = inner.holders.get(number);
            holder.is_some_and(|holder| holder.since.elapsed() >= grace)
        };
        let numbers = group.of_source.get(&heaviest).ok_or(limit)?;
        let number = match self.bounds.victim {
            Victim::Youngest if heaviest == newcomer => numbers.iter().rev().find(may_go),
            // If not even the oldest may go, none may.
            _ => numbers.first().filter(may_go),
        };
        let number = number.copied().ok_or(limit)?;
        if let Some(holder) = inner.remove(number) {
            holder.eviction.order(limit);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner<K>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> Inner<K> {
    fn remove(&mut self, number: u64) -> Option<Holder<K>> {
        let holder = self.holders.remove(&number)?;
        self.all.remove(holder.source, number);
        if let Some(group) = self.of_key.get_mut(&holder.key) {
            group.remove(holder.source, number);
            if group.len == 0 {
                self.of_key.remove(&holder.key);
            }
        }
        Some(holder)
    }
}

/// A slot that is taken until this is dropped.
#[derive(Debug)]
pub(crate) struct SlotGuard<K: Copy + Eq + Hash> {
    slots: Arc<Slots<K>>,
    number: u64,
}

impl<K: Copy + Eq + Hash> Drop for SlotGuard<K> {
    fn drop(&mut self) {
        self.slots.lock().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn source(last: u8) -> Source {
        IpAddr::from([192, 0, 2, last]).into()
    }

    fn slots(total: usize, each: usize, grace: Duration) -> Arc<Slots<u8>> {
        Slots::new(Bounds {
            total: (total, "total"),
            each: (each, "each"),
            grace,
            victim: Victim::Oldest,
        })
    }

    fn take(slots: &Arc<Slots<u8>>, key: u8, from: u8) -> (Result<SlotGuard<u8>, Limit>, Arc<Eviction>) {
        let eviction = Arc::new(Eviction::default());
        (slots.take(key, source(from), &eviction), eviction)
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_with_several_places_keeps_no_other_out_whatever_their_age() {
        let slots = slots(10, 4, Duration::from_secs(5));
        let holders: Vec<_> = (0..4).map(|_| take(&slots, 1, 7)).collect();
        assert!(take(&slots, 1, 7).0.is_err(), "its own are within their grace");
        let (honest, _) = take(&slots, 1, 8);
        assert!(honest.is_ok());
        assert_eq!(holders[0].1.limit(), Some("each"));
    }

    #[tokio::test(start_paused = true)]
    async fn where_the_youngest_leaves_the_older_ones_get_to_their_end() {
        let slots = Slots::new(Bounds {
            total: (10, "total"),
            each: (3, "each"),
            grace: Duration::from_secs(5),
            victim: Victim::Youngest,
        });
        let mut holders = Vec::new();
        for _ in 0..3 {
            holders.push(take(&slots, 1, 7));
            tokio::time::advance(Duration::from_secs(4)).await;
        }
        // Their ages are 12, 8 and 4 seconds: the second is the youngest beyond its grace.
        let newcomer = take(&slots, 1, 7);
        assert!(newcomer.0.is_ok());
        let gone: Vec<_> = holders
            .iter()
            .map(|(_, eviction)| eviction.limit().is_some())
            .collect();
        assert_eq!(gone, [false, true, false]);
    }

    #[tokio::test]
    async fn the_oldest_of_a_full_key_has_to_go_and_others_stay() {
        let slots = slots(10, 2, Duration::ZERO);
        let holders: Vec<_> = [1, 2, 1, 1].map(|key| take(&slots, key, key)).into();
        let limits: Vec<_> = holders.iter().map(|(_, eviction)| eviction.limit()).collect();
        assert_eq!(limits, [Some("each"), None, None, None]);
        assert_eq!(holders[0].1.ordered().await, "each");
        drop(holders);
        assert!(slots.lock().holders.is_empty() && slots.lock().of_key.is_empty());
    }

    #[test]
    fn who_holds_the_most_places_gives_one_up() {
        let slots = slots(4, 4, Duration::ZERO);
        let holders: Vec<_> = [1, 2, 2, 2, 3].map(|from| take(&slots, from, from)).into();
        let limits: Vec<_> = holders.iter().map(|(_, eviction)| eviction.limit()).collect();
        assert_eq!(limits, [None, Some("total"), None, None, None]);
    }

    #[test]
    fn a_flood_for_one_key_pushes_out_itself_and_not_the_other_source() {
        let slots = slots(100, 3, Duration::ZERO);
        let (_honest, eviction) = take(&slots, 7, 1);
        let flood: Vec<_> = (0..20).map(|_| take(&slots, 7, 2)).collect();
        assert!(eviction.limit().is_none());
        assert_eq!(flood.iter().filter(|(_, e)| e.limit().is_some()).count(), 18);
    }

    #[tokio::test(start_paused = true)]
    async fn within_its_grace_a_place_is_kept_and_the_new_one_refused() {
        let slots = slots(10, 1, Duration::from_secs(5));
        let (_first, eviction) = take(&slots, 1, 1);
        assert_eq!(take(&slots, 1, 1).0.unwrap_err(), "each");
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(take(&slots, 1, 1).0.is_ok());
        assert_eq!(eviction.ordered().await, "each");
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_source() {
        let of = |text: &str| Source::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::2"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
        assert_eq!(of("::ffff:192.0.2.1"), source(1));
        assert_ne!(source(1), source(2));
    }

    /// Who has to go, by looking at every holder in the order of age: its number, key, source and age in seconds.
    fn by_counting(
        holders: &[(u64, u8, Source, u64)],
        key: Option<u8>,
        newcomer: Source,
        (grace, victim): (u64, Victim),
    ) -> Option<u64> {
        let among: Vec<_> = holders
            .iter()
            .filter(|one| key.is_none_or(|key| one.1 == key))
            .collect();
        let count = |source: Source| among.iter().filter(|one| one.2 == source).count();
        let most = among.iter().map(|one| count(one.2)).max()?;
        let heaviest = among.iter().find(|one| count(one.2) == most)?.2;
        let grace = if heaviest != newcomer && most > 1 {
            0
        } else {
            grace
        };
        let mut may_go = among.iter().filter(|one| one.2 == heaviest && one.3 >= grace);
        let one = match victim {
            Victim::Youngest if heaviest == newcomer => may_go.next_back(),
            _ => may_go.next(),
        };
        one.map(|one| one.0)
    }

    proptest! {
        #[test]
        fn who_has_to_go_is_who_it_is_by_counting_all(
            newcomers in prop::collection::vec((0..3_u8, 0..4_u8, 0..3_u64, prop::option::of(0..8_usize)), 0..60),
            youngest in any::<bool>(),
        ) {
            let victim = if youngest { Victim::Youngest } else { Victim::Oldest };
            let bounds = Bounds { total: (6, "total"), each: (3, "each"), grace: Duration::from_secs(2), victim };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async {
                let slots = Slots::new(bounds);
                let (mut held, mut seconds) = (Vec::new(), 0);
                for (key, from, wait, leaves) in newcomers {
                    if let Some(at) = leaves.filter(|at| *at < held.len()) {
                        held.remove(at);
                    }
                    tokio::time::advance(Duration::from_secs(wait)).await;
                    seconds += wait;
                    let holders: Vec<_> = held
                        .iter()
                        .map(|(guard, since, of): &(SlotGuard<u8>, u64, (u8, Source))| {
                            (guard.number, of.0, of.1, seconds - since)
                        })
                        .collect();
                    let mut left = holders.clone();
                    let mut is_refused = false;
                    for group in [Some(key), None] {
                        let limit = if group.is_some() { 3 } else { 6 };
                        let count = left.iter().filter(|one| group.is_none_or(|key| one.1 == key)).count();
                        if count >= limit && !is_refused {
                            match by_counting(&left, group, source(from), (2, victim)) {
                                Some(gone) => left.retain(|one| one.0 != gone),
                                None => is_refused = true,
                            }
                        }
                    }
                    let taken = take(&slots, key, from).0;
                    assert_eq!(taken.is_err(), is_refused);
                    let expected: BTreeSet<u64> = left.iter().map(|one| one.0).collect();
                    held.retain(|(guard, ..)| expected.contains(&guard.number));
                    if let Ok(guard) = taken {
                        held.push((guard, seconds, (key, source(from))));
                    }
                    let present: BTreeSet<u64> = slots.lock().holders.keys().copied().collect();
                    assert_eq!(present, held.iter().map(|(guard, ..)| guard.number).collect());
                }
            });
        }
    }
}
