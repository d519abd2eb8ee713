//! Who calls. The type of this parameter is the only place where an operation says who may call it: the layers around
//! it check just that, and its documentation names the same code.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::Extractor;
use crate::host::App;
use crate::layers::{CallingStaff, Client, found};
use crate::operation::{Access, Role};
use crate::refusal::Refusal;
use operations::StaffMember;

/// A permission of clients or a right of staff as a type.
pub trait Permit: 'static {
    /// Who may call with it.
    const ACCESS: Access;
}

/// The permissions of clients, as types.
pub mod permits {
    use super::{Access, Permit};
    use domain::Permission;

    macro_rules! permits {
        ($($permit:ident),+) => {$(
            #[doc = concat!("[`Permission::", stringify!($permit), "`]")]
            #[derive(Debug)]
            pub enum $permit {}

            impl Permit for $permit {
                const ACCESS: Access = Access::Client(Permission::$permit);
            }
        )+};
    }

    permits!(
        ChipFault,
        ChipRead,
        NumberCity,
        NumberOpenTime,
        NumberRead,
        NumberUsage,
        WriteApply,
        WriteCancel,
        WriteProvinces,
        WriteStatus,
        WriteTasks
    );
}

/// The client that calls, which has the permission.
#[derive(Debug)]
pub struct Caller<P> {
    client: operations::Caller,
    permit: PhantomData<P>,
}

impl<P> Deref for Caller<P> {
    type Target = operations::Caller;

    fn deref(&self) -> &operations::Caller {
        &self.client
    }
}

impl<P: Permit> FromRequestParts<App> for Caller<P> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let Client(client) = found(&parts.extensions)?;
        Ok(Self {
            client: client.caller.clone(),
            permit: PhantomData,
        })
    }
}

impl<P: Permit> Extractor for Caller<P> {
    const ACCESS: Option<Access> = {
        assert!(matches!(P::ACCESS, Access::Client(_)), "a permission of clients");
        Some(P::ACCESS)
    };
}

/// The rights of staff, as types.
pub mod rights {
    use super::{Access, Permit};
    use domain::Right;

    macro_rules! rights {
        ($($right:ident),+ $(,)?) => {$(
            #[doc = concat!("[`Right::", stringify!($right), "`]")]
            #[derive(Debug)]
            pub enum $right {}

            impl Permit for $right {
                const ACCESS: Access = Access::Staff(Right::$right);
            }
        )+};
    }

    rights!(
        AccountsCreate,
        AccountsEnrol,
        AccountsFreeze,
        AccountsList,
        AccountsRevoke,
        AccountsUpdate,
        AlertsList,
        AlertsNote,
        ApiKeysCreate,
        ApiKeysList,
        ApiKeysRevoke,
        ApplicationsRefused,
        ApplicationsRefusedExport,
        ApprovalsList,
        ApprovalsRefuse,
        AuditList,
        AuditReport,
        BatchesCreate,
        BatchesList,
        BatchesResume,
        BatchesRows,
        BatchesRowsExport,
        BatchesStop,
        CallbacksExport,
        CallbacksList,
        CallbacksProbe,
        CallbacksResend,
        CallsExport,
        CallsList,
        ChipsCorrect,
        ChipsDestroy,
        ChipsExport,
        ChipsFault,
        ChipsFaulty,
        ChipsHistory,
        ChipsImport,
        ChipsList,
        ChipsReopen,
        ChipsReplace,
        ChipsReprovision,
        ChipsTopUp,
        ClientsClose,
        ClientsCreate,
        ClientsFreeze,
        ClientsList,
        ClientsRevokeSecret,
        ClientsRevokeTokens,
        ClientsRotateSecret,
        ClientsUnfreeze,
        ClientsUpdate,
        ClockConfirm,
        DeviationsList,
        GatewaysList,
        HealthShow,
        ImportsList,
        ImportsWithdraw,
        IncidentsClose,
        IncidentsEscalate,
        IncidentsExport,
        IncidentsFinalReport,
        IncidentsKinds,
        IncidentsList,
        IncidentsOpen,
        IncidentsReport,
        IncidentsReview,
        IncidentsShow,
        NumbersAllot,
        NumbersEndQuarantine,
        NumbersExport,
        NumbersImport,
        NumbersList,
        NumbersRelease,
        NumbersResume,
        NumbersRetire,
        NumbersSuspend,
        PoolsList,
        PoolsUpdate,
        ReceiversRotateSecret,
        ReceiversShow,
        ReceiversUpdate,
        RolesCreate,
        RolesDelete,
        RolesList,
        RolesUpdate,
        SessionsExport,
        SessionsList,
        TasksEnd,
        TasksExport,
        TasksList
    );
}

/// The member of staff who calls, who has the right.
#[derive(Debug)]
pub struct Staff<R> {
    member: StaffMember,
    right: PhantomData<R>,
}

impl<R> Deref for Staff<R> {
    type Target = StaffMember;

    fn deref(&self) -> &StaffMember {
        &self.member
    }
}

impl<R: Permit> FromRequestParts<App> for Staff<R> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let CallingStaff(member) = found(&parts.extensions)?;
        Ok(Self {
            member: member.clone(),
            right: PhantomData,
        })
    }
}

impl<R: Permit> Extractor for Staff<R> {
    const ACCESS: Option<Access> = {
        assert!(matches!(R::ACCESS, Access::Staff(_)), "a right of staff");
        Some(R::ACCESS)
    };
}

macro_rules! callers {
    ($($(#[$doc:meta])* $caller:ident: $access:expr),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $caller(());

        impl FromRequestParts<App> for $caller {
            type Rejection = Refusal;

            async fn from_request_parts(_: &mut Parts, _: &App) -> Result<Self, Refusal> {
                Ok(Self(()))
            }
        }

        impl Extractor for $caller {
            const ACCESS: Option<Access> = Some($access);
        }
    )+};
}

callers!(
    /// Anybody: the call itself presents a client's credentials.
    Anyone: Access::Anyone,
    /// A person who signs in or out: the call itself presents what is checked.
    SigningIn: Access::SignIn,
    /// An operator that reports on its numbers, by `ingest_secret`.
    Operator: Access::Secret(Role::Operator),
    /// An OTA gateway, by `gateway_secret`.
    Gateway: Access::Secret(Role::Gateway),
    /// A timer, by `cron_secret`, also as the parameter `key`.
    Timer: Access::Secret(Role::Timer),
);
