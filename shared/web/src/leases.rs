//! Leases: calls that an instance took out of a client's limit in advance, to be spent without the
//! key-value store.
//!
//! Only a small share of what is left is leased, so that little is lost when the instance ends, and nothing when
//! little is left: near the limit the count is exact. A lease ends with its window, a minute, and a changed limit takes
//! effect within [`LEASE_MS`].
//!
//! Never keep here what must not be lost. Losing all leases costs a client a few calls at most.

use std::cell::RefCell;
use std::collections::BTreeMap;

use domain::{Budget, ClientId, MINUTE_MS, SECOND_MS, Timestamp};

/// How long leased calls may be spent, in milliseconds.
const LEASE_MS: i64 = SECOND_MS;
/// Most calls of one lease.
const MAX_LEASED: u32 = 16;
/// The leased share of what is left: one part in this many.
const SHARE: u32 = 32;
/// Most leases that an instance keeps; beyond it all are dropped.
const MAX_LEASES: usize = 1_024;

struct Lease {
    budget: Budget,
    ahead: u32,
    until: Timestamp,
}

/// The leases of an instance.
#[derive(Default)]
pub(crate) struct Leases(RefCell<BTreeMap<(ClientId, &'static str), Lease>>);

impl Leases {
    /// Spends a leased call and returns what the client has left; `None` when there is no leased call.
    pub(super) fn spend(&self, client: &ClientId, interface: &'static str, now: Timestamp) -> Option<Budget> {
        let mut leases = self.0.borrow_mut();
        let lease = leases.get_mut(&(client.clone(), interface))?;
        if lease.ahead == 0 || now >= lease.until {
            return None;
        }
        lease.ahead -= 1;
        let left = lease.budget.left.saturating_add(lease.ahead);
        Some(Budget { left, ..lease.budget })
    }

    /// How many calls to take from the client's limit now: one to spend at once, and the lease.
    pub(super) fn permits_to_take(&self, client: &ClientId, interface: &'static str) -> u32 {
        let leases = self.0.borrow();
        let left = leases
            .get(&(client.clone(), interface))
            .map_or(0, |lease| lease.budget.left);
        (left / SHARE).clamp(1, MAX_LEASED)
    }

    /// Keeps the leased calls and returns what the client has left.
    pub(super) fn keep(
        &self,
        client: &ClientId,
        interface: &'static str,
        now: Timestamp,
        (taken, budget): (u32, Budget),
    ) -> Budget {
        let mut leases = self.0.borrow_mut();
        if leases.len() >= MAX_LEASES {
            leases.clear();
        }
        let mut lease = Lease {
            budget,
            ahead: taken.saturating_sub(1),
            until: end(now),
        };
        let key = (client.clone(), interface);
        // Another request of the instance may have leased calls while this one waited.
        if let Some(other) = leases
            .get(&key)
            .filter(|other| other.ahead > 0 && now < other.until)
        {
            lease.ahead = lease.ahead.saturating_add(other.ahead);
            lease.until = other.until.min(lease.until);
        }
        let ahead = lease.ahead;
        leases.insert(key, lease);
        let left = budget.left.saturating_add(ahead);
        Budget { left, ..budget }
    }
}

/// When calls that are leased now may no longer be spent: after [`LEASE_MS`], and with the end of the window.
fn end(now: Timestamp) -> Timestamp {
    let window = now.plus(MINUTE_MS - now.millis().rem_euclid(MINUTE_MS));
    now.plus(LEASE_MS).min(window)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_782_864_000_000);

    fn budget(left: u32) -> Budget {
        Budget {
            limit: 1_000,
            left,
            full_in_secs: 1,
        }
    }

    #[test]
    fn what_was_taken_ahead_is_spent_once_and_for_a_second_only() {
        let (leases, client) = (Leases::default(), ClientId::new([7; 10]));
        assert_eq!(leases.spend(&client, "chip.read", NOW), None);
        assert_eq!(leases.keep(&client, "chip.read", NOW, (3, budget(500))).left, 502);
        assert_eq!(leases.spend(&client, "chip.read", NOW).unwrap().left, 501);
        assert_eq!(leases.spend(&client, "number.read", NOW), None);
        assert_eq!(leases.spend(&client, "chip.read", NOW.plus(LEASE_MS)), None);
        assert_eq!(leases.spend(&client, "chip.read", NOW).unwrap().left, 500);
        assert_eq!(leases.spend(&client, "chip.read", NOW), None);
    }

    #[test]
    fn a_lease_ends_with_the_minute_in_which_it_was_taken() {
        let (leases, client) = (Leases::default(), ClientId::new([7; 10]));
        let late = NOW.plus(MINUTE_MS - 400);
        leases.keep(&client, "chip.read", late, (16, budget(500)));
        assert!(leases.spend(&client, "chip.read", late.plus(399)).is_some());
        assert_eq!(leases.spend(&client, "chip.read", late.plus(400)), None);
    }

    #[test]
    fn what_two_requests_took_ahead_at_once_is_added_up() {
        let (leases, client) = (Leases::default(), ClientId::new([7; 10]));
        leases.keep(&client, "chip.read", NOW, (16, budget(500)));
        let left = leases
            .keep(&client, "chip.read", NOW.plus(1), (16, budget(484)))
            .left;
        assert_eq!(left, 514);
        for _ in 0..30 {
            assert!(
                leases
                    .spend(&client, "chip.read", NOW.plus(LEASE_MS - 1))
                    .is_some()
            );
        }
        assert_eq!(leases.spend(&client, "chip.read", NOW.plus(LEASE_MS - 1)), None);
    }

    #[test]
    fn little_is_taken_ahead_of_little() {
        let (leases, client) = (Leases::default(), ClientId::new([7; 10]));
        assert_eq!(leases.permits_to_take(&client, "chip.read"), 1);
        for (left, expected) in [(0, 1), (30, 1), (63, 1), (64, 2), (511, 15), (100_000, 16)] {
            leases.keep(&client, "chip.read", NOW, (1, budget(left)));
            assert_eq!(leases.permits_to_take(&client, "chip.read"), expected, "{left}");
        }
    }
}
