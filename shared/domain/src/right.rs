//! What staff may do: one right for each operation of the management interfaces (§10.1). A role is a set of rights.

use super::{Kind, Malformed};

/// What an operation does, as far as the audit trail is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// It shows figures, settings, or few rows without identifiers in full.
    Reads,
    /// It shows rows in bulk, or identifiers of cards in full.
    Lists,
    /// It changes something.
    Changes,
}

macro_rules! rights {
    ($($(#[$doc:meta])* $right:ident = $code:literal $does:ident),+ $(,)?) => {
        /// What a member of staff may do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Right {
            $($(#[$doc])* $right,)+
        }

        impl Right {
            /// Every right, by its name.
            pub const ALL: &[Self] = &[$(Self::$right),+];

            /// Stable name, in roles, documents and the database: that of the operation without `admin.`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$right => $code,)+
                }
            }

            /// What the operation does.
            #[must_use]
            pub const fn does(self) -> Does {
                match self {
                    $(Self::$right => rights!($does),)+
                }
            }
        }
    };
    (reads) => { Does::Reads };
    (lists) => { Does::Lists };
    (changes) => { Does::Changes };
}

rights!(
    /// An account of staff is opened.
    AccountsCreate = "accounts.create" changes,
    /// A member of staff may choose a password anew.
    AccountsEnrol = "accounts.enrol" changes,
    /// An account of staff is frozen.
    AccountsFreeze = "accounts.freeze" changes,
    /// The accounts of staff.
    AccountsList = "accounts.list" reads,
    /// The sessions and API keys of an account of staff end.
    AccountsRevoke = "accounts.revoke" changes,
    /// An account of staff is changed.
    AccountsUpdate = "accounts.update" changes,
    /// Alerts.
    AlertsList = "alerts.list" reads,
    /// An alert is noted.
    AlertsNote = "alerts.note" changes,
    /// An API key of one's own is made.
    ApiKeysCreate = "api_keys.create" changes,
    /// One's own API keys.
    ApiKeysList = "api_keys.list" reads,
    /// An API key of one's own ends.
    ApiKeysRevoke = "api_keys.revoke" changes,
    /// Refused applications.
    ApplicationsRefused = "applications.refused" lists,
    /// Refused applications as a file.
    ApplicationsRefusedExport = "applications.refused.export" lists,
    /// Acts that wait for a second person.
    ApprovalsList = "approvals.list" reads,
    /// An act that waits for a second person is refused.
    ApprovalsRefuse = "approvals.refuse" changes,
    /// The audit trail.
    AuditList = "audit.list" lists,
    /// What an account or the secret of a client did since a time.
    AuditReport = "audit.report" lists,
    /// A batch of acts on cards or numbers is made, or previewed. What it does to each of them needs the right to that, too,
    /// but for applications and their withdrawal.
    BatchesCreate = "batches.create" changes,
    /// Batches.
    BatchesList = "batches.list" reads,
    /// A batch goes on.
    BatchesResume = "batches.resume" changes,
    /// The rows of a batch.
    BatchesRows = "batches.rows" lists,
    /// The rows of a batch as a file.
    BatchesRowsExport = "batches.rows.export" lists,
    /// A batch is stopped.
    BatchesStop = "batches.stop" changes,
    /// Messages as a file.
    CallbacksExport = "callbacks.export" lists,
    /// Messages to business systems and the operator.
    CallbacksList = "callbacks.list" lists,
    /// A receiver's address is tried out.
    CallbacksProbe = "callbacks.probe" changes,
    /// Messages are sent again.
    CallbacksResend = "callbacks.resend" changes,
    /// The call log as a file.
    CallsExport = "calls.export" lists,
    /// The call log.
    CallsList = "calls.list" lists,
    /// Data of a chip are corrected.
    ChipsCorrect = "chips.correct" changes,
    /// A chip's destruction is recorded.
    ChipsDestroy = "chips.destroy" changes,
    /// Chips as a file.
    ChipsExport = "chips.export" lists,
    /// A chip's fault is registered or taken back.
    ChipsFault = "chips.fault" changes,
    /// The register of faulty chips.
    ChipsFaulty = "chips.faulty" lists,
    /// The steps of a card.
    ChipsHistory = "chips.history" lists,
    /// Chips are imported, or corrected by file.
    ChipsImport = "chips.import" changes,
    /// Chips.
    ChipsList = "chips.list" lists,
    /// A written card is opened for another number.
    ChipsReopen = "chips.reopen" changes,
    /// A chip takes the place of another one.
    ChipsReplace = "chips.replace" changes,
    /// A chip gets another temporary number.
    ChipsReprovision = "chips.reprovision" changes,
    /// A chip's test allowance is raised.
    ChipsTopUp = "chips.top_up" changes,
    /// A client is closed for good.
    ClientsClose = "clients.close" changes,
    /// A client's account is opened.
    ClientsCreate = "clients.create" changes,
    /// A client is frozen.
    ClientsFreeze = "clients.freeze" changes,
    /// Clients.
    ClientsList = "clients.list" reads,
    /// A secret of a client ends.
    ClientsRevokeSecret = "clients.revoke_secret" changes,
    /// The tokens of a client end.
    ClientsRevokeTokens = "clients.revoke_tokens" changes,
    /// A client gets another secret.
    ClientsRotateSecret = "clients.rotate_secret" changes,
    /// A client is no longer frozen.
    ClientsUnfreeze = "clients.unfreeze" changes,
    /// A client's account is changed.
    ClientsUpdate = "clients.update" changes,
    /// The platform's time is confirmed.
    ClockConfirm = "clock.confirm" changes,
    /// What happened otherwise than the standard demands.
    DeviationsList = "deviations.list" reads,
    /// What gateways can write.
    GatewaysList = "gateways.list" reads,
    /// The platform's health.
    HealthShow = "health.show" reads,
    /// Imports.
    ImportsList = "imports.list" reads,
    /// An import is withdrawn.
    ImportsWithdraw = "imports.withdraw" changes,
    /// An incident is closed.
    IncidentsClose = "incidents.close" changes,
    /// An incident is escalated.
    IncidentsEscalate = "incidents.escalate" changes,
    /// Incidents as a file.
    IncidentsExport = "incidents.export" lists,
    /// The final report of an incident is entered.
    IncidentsFinalReport = "incidents.final_report" changes,
    /// The kinds of incidents.
    IncidentsKinds = "incidents.kinds" reads,
    /// Incidents.
    IncidentsList = "incidents.list" lists,
    /// An incident is opened.
    IncidentsOpen = "incidents.open" changes,
    /// The first report of an incident is entered.
    IncidentsReport = "incidents.report" changes,
    /// The monthly review of incidents.
    IncidentsReview = "incidents.review" reads,
    /// One incident.
    IncidentsShow = "incidents.show" lists,
    /// Numbers are reserved for clients or chips.
    NumbersAllot = "numbers.allot" changes,
    /// The quarantine of numbers ends.
    NumbersEndQuarantine = "numbers.end_quarantine" changes,
    /// Numbers as a file.
    NumbersExport = "numbers.export" lists,
    /// Numbers are imported, or corrected by file.
    NumbersImport = "numbers.import" changes,
    /// Numbers.
    NumbersList = "numbers.list" lists,
    /// Numbers return to the pool.
    NumbersRelease = "numbers.release" changes,
    /// Numbers are in use again.
    NumbersResume = "numbers.resume" changes,
    /// Numbers are retired.
    NumbersRetire = "numbers.retire" changes,
    /// Numbers are suspended.
    NumbersSuspend = "numbers.suspend" changes,
    /// The pools of numbers.
    PoolsList = "pools.list" reads,
    /// The low-water mark of a pool is set.
    PoolsUpdate = "pools.update" changes,
    /// A receiver of messages gets another secret.
    ReceiversRotateSecret = "receivers.rotate_secret" changes,
    /// A receiver of messages.
    ReceiversShow = "receivers.show" reads,
    /// A receiver of messages is changed.
    ReceiversUpdate = "receivers.update" changes,
    /// A role is made.
    RolesCreate = "roles.create" changes,
    /// A role is deleted.
    RolesDelete = "roles.delete" changes,
    /// The roles.
    RolesList = "roles.list" reads,
    /// A role is changed.
    RolesUpdate = "roles.update" changes,
    /// Device sessions as a file.
    SessionsExport = "sessions.export" lists,
    /// Device sessions.
    SessionsList = "sessions.list" lists,
    /// A task is ended.
    TasksEnd = "tasks.end" changes,
    /// Tasks as a file.
    TasksExport = "tasks.export" lists,
    /// Tasks.
    TasksList = "tasks.list" lists,
);

impl Right {
    /// The rights of acts that nothing undoes: a chip or a number is out of use for good, a number that may be on a chip is
    /// given to another, rows are destroyed.
    pub const IRREVERSIBLE: [Self; 5] = [
        Self::ChipsDestroy,
        Self::ChipsReplace,
        Self::ImportsWithdraw,
        Self::NumbersEndQuarantine,
        Self::NumbersRetire,
    ];

    /// Whether a second person can be demanded for it: it changes something, and is no brake that one person must be able to
    /// pull alone.
    #[must_use]
    pub const fn may_need_second_person(self) -> bool {
        let is_brake = matches!(
            self,
            Self::AccountsFreeze
                | Self::AccountsRevoke
                | Self::ApiKeysRevoke
                | Self::ApprovalsRefuse
                | Self::ClientsFreeze
                | Self::ClientsRevokeSecret
                | Self::ClientsRevokeTokens
        );
        self.changes() && !is_brake
    }

    /// Whether the operation changes something.
    #[must_use]
    pub const fn changes(self) -> bool {
        matches!(self.does(), Does::Changes)
    }

    /// Reads a stable name.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let known = Self::ALL.iter().copied().find(|right| right.code() == text);
        known.ok_or(Malformed::new(Kind::Value, "未知的操作权限", "unknown right"))
    }
}

#[cfg(test)]
mod tests {
    use super::Right;

    #[test]
    fn names_lead_back_to_their_right() {
        for right in Right::ALL {
            assert_eq!(Right::parse(right.code()), Ok(*right));
        }
        assert!(Right::parse("admin").is_err());
    }

    #[test]
    fn each_name_is_given_once_and_they_are_in_order() {
        let codes: Vec<_> = Right::ALL.iter().map(|right| right.code()).collect();
        assert!(codes.is_sorted_by(|one, next| one < next), "{codes:?}");
    }
}
