//! Non-volatile memory of the chip: file contents, the URI to resume at, counters, key material.
//!
//! Every change is one call that happens completely or not at all, so that a power loss between two calls leaves a
//! consistent chip. It must never hold state that a reset clears.

use super::layout::FILES;
use uicc::apdu::StatusWord;
use zeroize::Zeroize;

/// Subscriber key and derived operator variant constant, as the 80 D8 command delivered them.
#[derive(Clone, PartialEq, Eq, Zeroize)]
#[zeroize(drop)]
pub struct SubscriptionKeys {
    /// K, 16 bytes.
    pub k: [u8; 16],
    /// OPc, 16 bytes.
    pub opc: [u8; 16],
}

/// Which identity the files hold, and whether it was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// The files hold the temporary (seed) number.
    Temporary,
    /// The files hold an operator number with which no session has finished yet.
    Unverified,
    /// A session with the operator number finished.
    Verified,
}

/// Contents of the non-volatile memory.
#[derive(Clone)]
pub(super) struct Nvm {
    files: Vec<Box<[u8]>>,
    keys: Option<SubscriptionKeys>,
    /// URI at which the next session resumes, if the last one was interrupted.
    pub resume_uri: Option<String>,
    /// Test allowance left, in bytes of channel data, both directions.
    pub allowance: u64,
    /// State of the operator identity.
    pub identity: Identity,
    /// Number of channel requests refused by the network since the last one granted.
    pub failed_attempts: u8,
}

impl Nvm {
    /// Memory before personalisation: every file filled with `FF`, no keys.
    #[must_use]
    pub(super) fn blank(allowance: u64) -> Self {
        Self {
            files: FILES
                .iter()
                .map(|file| vec![0xFF; file.structure.size()].into_boxed_slice())
                .collect(),
            keys: None,
            resume_uri: None,
            allowance,
            identity: Identity::Temporary,
            failed_attempts: 0,
        }
    }

    /// Contents of the file at position `at` of the layout.
    #[must_use]
    pub(super) fn file(&self, at: usize) -> &[u8] {
        &self.files[at]
    }

    /// Replaces bytes of a file, all of them or none. `6700` if they do not fit.
    pub(super) fn write(&mut self, at: usize, offset: usize, data: &[u8]) -> Result<(), StatusWord> {
        let end = offset.checked_add(data.len()).ok_or(StatusWord::WRONG_LENGTH)?;
        let target = self.files[at]
            .get_mut(offset..end)
            .ok_or(StatusWord::WRONG_LENGTH)?;
        target.copy_from_slice(data);
        Ok(())
    }

    /// Loaded key material, if any.
    #[must_use]
    pub(super) fn keys(&self) -> Option<&SubscriptionKeys> {
        self.keys.as_ref()
    }

    /// Loads key material in place of any loaded before, and with it the content of a file, both or neither. `6700` if
    /// the content does not fit.
    pub(super) fn load_keys(
        &mut self,
        keys: SubscriptionKeys,
        file: Option<(usize, &[u8])>,
    ) -> Result<(), StatusWord> {
        if let Some((at, content)) = file {
            self.write(at, 0, content)?;
        }
        self.keys = Some(keys);
        Ok(())
    }

    /// Forgets loaded key material: those the chip was made with are in force again.
    pub(super) fn forget_keys(&mut self) {
        self.keys = None;
    }

    /// Deducts channel bytes from the test allowance; it never goes below zero nor up.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.allowance = self.allowance.saturating_sub(bytes as u64);
    }
}
