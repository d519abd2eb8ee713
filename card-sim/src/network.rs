//! The mobile network: which IMSIs may attach and with which K and OPc, and their registrations.
//!
//! An IMSI that was [subscribed](VirtualNetwork::subscribe) attaches only with a card that holds its K and OPc, as in a
//! real network (TS 33.401 §6.1). Of any other IMSI the network has no keys and asks for no proof.
//!
//! It must never carry data: the bytes of a channel use the network of the host.

use std::collections::{HashMap, HashSet};
use std::sync::RwLock;
use std::sync::atomic::{AtomicU32, Ordering};

use uicc::ef::Plmn;

use crate::milenage::{Challenge, Milenage};

/// Cause value of a refused attach: IMSI unknown in HSS (TS 24.301 §9.9.3.9).
pub const IMSI_UNKNOWN: u8 = 0x02;

/// Cause value of a failed authentication: illegal UE (TS 24.301 §9.9.3.9).
pub const ILLEGAL_UE: u8 = 0x03;

/// Registration of an attached module (TS 24.301 §5.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration {
    /// Network in which the module is registered.
    pub plmn: Plmn,
    /// Temporary identity, different for every attach.
    pub tmsi: u32,
    /// Location and tracking area code.
    pub area: u16,
}

/// The network does not serve this IMSI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// Cause value (TS 24.301 §9.9.3.9).
    pub cause: u8,
}

/// A mobile network that the modules of a process share.
#[derive(Debug)]
pub struct VirtualNetwork {
    /// IMSIs that may attach; `None` if all may.
    known: Option<RwLock<HashSet<String>>>,
    rejected: RwLock<HashSet<String>>,
    /// K and OPc by IMSI, as the home subscriber server holds them.
    subscribers: RwLock<HashMap<String, Milenage>>,
    /// Number of the next challenge; both its random value and its sequence number.
    next_challenge: AtomicU32,
    next_tmsi: AtomicU32,
}

impl VirtualNetwork {
    /// Makes a network in which every IMSI may attach, unless it is [rejected](Self::reject).
    #[must_use]
    pub fn open() -> Self {
        Self {
            known: None,
            rejected: RwLock::default(),
            subscribers: RwLock::default(),
            next_challenge: AtomicU32::new(1),
            next_tmsi: AtomicU32::new(1),
        }
    }

    /// Makes a network in which only these IMSIs may attach, and those [admitted](Self::admit) later.
    #[must_use]
    pub fn of(imsis: impl IntoIterator<Item = String>) -> Self {
        Self {
            known: Some(RwLock::new(imsis.into_iter().collect())),
            ..Self::open()
        }
    }

    /// Lets an IMSI attach from now on.
    pub fn admit(&self, imsi: &str) {
        write(&self.rejected).remove(imsi);
        if let Some(known) = &self.known {
            write(known).insert(imsi.to_owned());
        }
    }

    /// Lets an IMSI attach from now on, with a card that holds this K and OPc alone.
    pub fn subscribe(&self, imsi: &str, k: [u8; 16], opc: [u8; 16]) {
        write(&self.subscribers).insert(imsi.to_owned(), Milenage::new(k, opc));
        self.admit(imsi);
    }

    /// The challenge that a card with this IMSI must answer before it attaches; none if the network has no keys of it.
    pub(crate) fn challenge(&self, imsi: &str) -> Option<Challenge> {
        let number = self.next_challenge.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let (mut rand, mut sqn) = ([0x5A; 16], [0; 6]);
        rand[12..].copy_from_slice(&number);
        sqn[2..].copy_from_slice(&number);
        Some(read(&self.subscribers).get(imsi)?.challenge(rand, sqn))
    }

    /// Refuses an IMSI from now on.
    pub fn reject(&self, imsi: &str) {
        write(&self.rejected).insert(imsi.to_owned());
    }

    /// Attaches `imsi`, whose network code has `mnc_digits` digits.
    ///
    /// # Errors
    /// [`Rejection`] with [`IMSI_UNKNOWN`].
    pub fn attach(&self, imsi: &str, mnc_digits: usize) -> Result<Registration, Rejection> {
        let refused = read(&self.rejected).contains(imsi)
            || self
                .known
                .as_ref()
                .is_some_and(|known| !read(known).contains(imsi));
        let plmn = plmn_of(imsi, mnc_digits)
            .filter(|_| !refused)
            .ok_or(Rejection { cause: IMSI_UNKNOWN })?;
        let tmsi = self.next_tmsi.fetch_add(1, Ordering::Relaxed);
        Ok(Registration {
            plmn,
            tmsi,
            area: 0x1001,
        })
    }
}

/// The home network of an IMSI.
fn plmn_of(imsi: &str, mnc_digits: usize) -> Option<Plmn> {
    Plmn::new(imsi.get(..3)?, imsi.get(3..3 + mnc_digits)?).ok()
}

// A panic while the lock is held cannot leave the set half-changed.
fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_network_serves_everybody_it_does_not_reject() {
        let network = VirtualNetwork::open();
        assert_eq!(
            network.attach("460001357924680", 2).unwrap().plmn.encode(),
            [0x64, 0xF0, 0x00]
        );
        network.reject("460001357924680");
        assert_eq!(
            network.attach("460001357924680", 2),
            Err(Rejection { cause: IMSI_UNKNOWN })
        );
        network.admit("460001357924680");
        assert!(network.attach("460001357924680", 2).is_ok());
    }

    #[test]
    fn a_closed_network_serves_those_it_knows() {
        let network = VirtualNetwork::of(["310150123456789".to_owned()]);
        assert_eq!(
            network.attach("310150123456789", 3).unwrap().plmn.encode(),
            [0x13, 0x00, 0x51]
        );
        assert!(network.attach("460001357924680", 2).is_err());
        assert!(network.attach("FFFF", 2).is_err());
    }
}
