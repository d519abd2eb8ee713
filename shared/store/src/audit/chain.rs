//! The chain over the rows of the audit trail: each has the SHA-256 of the hash of the one before and of its own canonical
//! bytes. So a row that is changed, removed or moved is found by whoever knows a later hash.
//!
//! The canonical bytes are those of the columns `seq`, `at`, `kind`, `who`, `what`, `outcome`, `reason`, `address`,
//! `request_id`, `object` and `detail_digest`, in this order: of a value the number of its bytes, a colon, the bytes and a
//! line feed; of none a hyphen and a line feed. Numbers are decimal, digests lower-case hexadecimal.
//!
//! Needs no key, so that anybody can verify the trail. Nothing here may depend on a column that changes with a key.

use std::collections::BTreeMap;

use domain::{DAY_MS, Timestamp};
use sha2::{Digest as _, Sha256};

use super::AuditRow;

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// Fewest days for which a row is kept.
pub const LEAST_AUDIT_DAYS: u32 = 185;

/// A hash of the chain.
pub type Hash = [u8; HASH_BYTES];

/// An end of the chain, as it was at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// Number of its last row.
    pub seq: u64,
    /// When that row was added; of a head that was sent, when it was sent.
    pub at: Timestamp,
    /// Hash of the row.
    pub hash: Hash,
}

impl AuditHead {
    /// The end before the first row.
    pub const NONE: Self = Self {
        seq: 0,
        at: Timestamp(0),
        hash: [0; HASH_BYTES],
    };

    /// How the chain itself names the last row that was destroyed.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "seq={} at={} hash={}",
            self.seq,
            self.at.millis(),
            hex::encode(self.hash)
        )
    }

    /// Reads such a text.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let mut part = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=');
        Some(Self {
            seq: part("seq")?.parse().ok()?,
            at: Timestamp(part("at")?.parse().ok()?),
            hash: hex::decode(part("hash")?).ok()?.try_into().ok()?,
        })
    }
}

/// The hash of a row that follows `previous`.
#[must_use]
pub fn hash(previous: &Hash, row: &AuditRow) -> Hash {
    let mut sha = Sha256::new();
    sha.update(previous);
    let (seq, at) = (row.seq.to_string(), row.at.millis().to_string());
    let digest = row.detail_digest.map(hex::encode);
    for value in [
        Some(seq.as_str()),
        Some(&at),
        Some(row.kind.code()),
        Some(&row.who),
        Some(&row.what),
        Some(row.outcome.code()),
        row.reason.as_deref(),
        Some(&row.address),
        Some(&row.request_id),
        Some(&row.object),
        digest.as_deref(),
    ] {
        match value {
            Some(text) => {
                sha.update(format!("{}:", text.len()));
                sha.update(text);
                sha.update("\n");
            }
            None => sha.update("-\n"),
        }
    }
    sha.finalize().into()
}

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// These rows are not there.
    Missing {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// This row is not what its hash says, or does not follow the one before it.
    Changed(u64),
    /// The first rows are gone, and no row says that they were destroyed at the end of their retention.
    Dropped(u64),
    /// Rows were destroyed before the end of the least retention, up to this one.
    DroppedEarly(u64),
    /// The chain ends before this head, which somebody holds.
    TailCut {
        /// The head.
        head: u64,
        /// The last row.
        last: u64,
    },
    /// The row of this head has another hash: the chain is not the one from which the head is.
    OtherChain(u64),
}

/// Reads a chain row by row, and compares it with heads.
pub(super) struct Verifier {
    cut: Option<AuditHead>,
    last: AuditHead,
    recorded_cut: Option<AuditHead>,
    heads: BTreeMap<u64, Vec<AuditHead>>,
    // The restores that are known: from which row on, and when.
    branches: Vec<(u64, Timestamp)>,
    restored: Vec<String>,
    excused: usize,
    /// Rows that were read.
    pub rows: u64,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

impl Verifier {
    /// A chain that goes on after `cut`, held to `heads`. Heads from before a restore of one of these backups may be of the
    /// branch that the restore has ended.
    #[must_use]
    pub(super) fn new(
        cut: Option<AuditHead>,
        heads: impl IntoIterator<Item = AuditHead>,
        restored: &[String],
    ) -> Self {
        let mut by_seq: BTreeMap<u64, Vec<AuditHead>> = BTreeMap::new();
        for head in heads {
            by_seq.entry(head.seq).or_default().push(head);
        }
        Self {
            cut,
            last: cut.unwrap_or(AuditHead::NONE),
            recorded_cut: None,
            heads: by_seq,
            branches: Vec::new(),
            restored: restored.to_vec(),
            excused: 0,
            rows: 0,
            faults: Vec::new(),
        }
    }

    /// Reads the next row, by its number.
    pub(super) fn read(&mut self, row: &AuditRow) {
        self.rows += 1;
        let next = self.last.seq + 1;
        if row.seq != next {
            let (from, to) = (next, row.seq.saturating_sub(1));
            self.faults.push(Fault::Missing { from, to });
        } else if hash(&self.last.hash, row) != row.hash {
            self.faults.push(Fault::Changed(row.seq));
        }
        match row.kind {
            super::AuditKind::Destruction => {
                self.recorded_cut = AuditHead::parse(&row.object);
                if let Some(cut) = self.recorded_cut
                    && row.at < cut.at.plus(i64::from(LEAST_AUDIT_DAYS) * DAY_MS)
                {
                    self.faults.push(Fault::DroppedEarly(cut.seq));
                }
            }
            super::AuditKind::Restore if self.restored.iter().any(|id| row.object == restored(id)) => {
                self.branches.push((row.seq, row.at));
            }
            _ => (),
        }
        self.last = AuditHead {
            seq: row.seq,
            at: row.at,
            hash: row.hash,
        };
        if let Some(heads) = self.heads.remove(&row.seq) {
            for head in heads.into_iter().filter(|head| head.hash != row.hash) {
                self.excuse_or(head, Fault::OtherChain(head.seq));
            }
        }
    }

    /// A head of a branch that a restore has ended is none of this chain.
    fn excuse_or(&mut self, head: AuditHead, fault: Fault) {
        let is_of_branch = |(seq, at): &(u64, Timestamp)| head.seq >= *seq && head.at <= *at;
        if self.branches.iter().any(is_of_branch) {
            self.excused += 1;
        } else {
            self.faults.push(fault);
        }
    }

    /// Ends the chain: its end, how many heads were of branches that a restore has ended, and what is wrong.
    #[must_use]
    pub(super) fn end(mut self) -> (AuditHead, usize, Vec<Fault>) {
        if let Some(cut) = self.cut
            && self.recorded_cut != Some(cut)
        {
            self.faults.insert(0, Fault::Dropped(cut.seq));
        }
        let last = self.last.seq;
        for head in std::mem::take(&mut self.heads).into_values().flatten() {
            if head.seq > last {
                let (head_seq, last) = (head.seq, last);
                self.excuse_or(head, Fault::TailCut { head: head_seq, last });
            } else if self
                .cut
                .is_some_and(|cut| cut.seq == head.seq && cut.hash != head.hash)
            {
                self.faults.push(Fault::OtherChain(head.seq));
            }
        }
        (self.last, self.excused, self.faults)
    }
}

/// How the row of a restore names its backup.
#[must_use]
pub fn restored(backup_id: &str) -> String {
    format!("backup={backup_id}")
}
