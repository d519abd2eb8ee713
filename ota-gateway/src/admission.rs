//! How many connections are let in at each stage: before a whole ClientHello, in the handshake, in a session.
//!
//! Each stage has its own slots, so that connections that never finish a handshake take none of a session. It must
//! never keep a chip out because of what other addresses do, unless every slot of its stage is taken.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uicc::ident::Eid;

use crate::settings::Limits;
use crate::slots::{Bounds, Eviction, Limit, SlotGuard, Slots, Source, Victim};

/// Age below which a handshake keeps its slot: a chip answers within it, over a slow link too.
const HANDSHAKE_GRACE: Duration = Duration::from_secs(5);
/// Why a session ends that another of its chip pushes out.
const SUPERSEDED: Limit = "superseded";
/// The limit of sessions in all.
const SESSIONS: Limit = "sessions";

/// The slots of every stage.
#[derive(Debug)]
pub(crate) struct Admission {
    hellos: Arc<Slots<Source>>,
    handshakes: Arc<Slots<Source>>,
    chips: Arc<Slots<Eid>>,
    sessions_of_chip: Arc<Slots<Eid>>,
    sessions: Arc<Semaphore>,
}

/// The slots of a session.
#[derive(Debug)]
pub(crate) struct SessionSlot {
    _of_all: OwnedSemaphorePermit,
    _of_chip: SlotGuard<Eid>,
    eviction: Arc<Eviction>,
}

impl SessionSlot {
    /// Waits until another session of the chip takes the slot; gives the reason.
    pub(crate) async fn superseded(&self) -> Limit {
        self.eviction.ordered().await
    }
}

impl Admission {
    /// Slots that are all free.
    pub(crate) fn new(limits: &Limits) -> Self {
        let by_source = |total, each, grace, victim| {
            Slots::new(Bounds {
                total,
                each,
                grace,
                victim,
            })
        };
        let by_chip = |each, grace| {
            Slots::new(Bounds {
                total: (usize::MAX, ""),
                each,
                grace,
                victim: Victim::Oldest,
            })
        };
        Self {
            hellos: by_source(
                (limits.max_hellos, "hellos"),
                (limits.max_hellos_per_address, "hellos_per_address"),
                Duration::ZERO,
                Victim::Oldest,
            ),
            handshakes: by_source(
                (limits.max_handshakes, "handshakes"),
                (limits.max_handshakes_per_address, "handshakes_per_address"),
                HANDSHAKE_GRACE,
                Victim::Youngest,
            ),
            chips: by_chip(
                (limits.max_handshakes_per_chip, "handshakes_per_chip"),
                HANDSHAKE_GRACE,
            ),
            sessions_of_chip: by_chip((limits.max_sessions_per_chip, SUPERSEDED), Duration::ZERO),
            sessions: Arc::new(Semaphore::new(limits.max_sessions)),
        }
    }

    /// A slot before the ClientHello is whole.
    pub(crate) fn hello(&self, source: Source, eviction: &Arc<Eviction>) -> Result<SlotGuard<Source>, Limit> {
        self.hellos.take(source, source, eviction)
    }

    /// A slot in the handshake; none while no session could follow.
    pub(crate) fn handshake(
        &self,
        source: Source,
        eviction: &Arc<Eviction>,
    ) -> Result<SlotGuard<Source>, Limit> {
        if self.sessions.available_permits() == 0 {
            return Err(SESSIONS);
        }
        self.handshakes.take(source, source, eviction)
    }

    /// A slot in the handshake of a chip, once its keys are known.
    pub(crate) fn chip(
        &self,
        eid: Eid,
        source: Source,
        eviction: &Arc<Eviction>,
    ) -> Result<SlotGuard<Eid>, Limit> {
        self.chips.take(eid, source, eviction)
    }

    /// The slots of a session; an older session of the chip has to go.
    pub(crate) fn session(&self, eid: Eid, source: Source) -> Result<SessionSlot, Limit> {
        let of_all = Arc::clone(&self.sessions)
            .try_acquire_owned()
            .map_err(|_| SESSIONS)?;
        let eviction = Arc::new(Eviction::default());
        Ok(SessionSlot {
            _of_all: of_all,
            _of_chip: self.sessions_of_chip.take(eid, source, &eviction)?,
            eviction,
        })
    }
}
