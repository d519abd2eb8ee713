//! Who calls. The type of this parameter is the only place where an operation says who may call it: the layers around
//! it check just that, and its documentation names the same code.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::Extractor;
use crate::host::App;
use crate::layers::{Client, found};
use crate::operation::{Access, Role};
use crate::refusal::Refusal;
use domain::Permission;

/// A permission as a type.
pub trait Permit: 'static {
    /// The permission.
    const PERMISSION: Permission;
}

/// The permissions of clients, as types.
pub mod permits {
    use super::Permit;
    use domain::Permission;

    macro_rules! permits {
        ($($permit:ident),+) => {$(
            #[doc = concat!("[`Permission::", stringify!($permit), "`]")]
            #[derive(Debug)]
            pub enum $permit {}

            impl Permit for $permit {
                const PERMISSION: Permission = Permission::$permit;
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
    const ACCESS: Option<Access> = Some(Access::Client(P::PERMISSION));
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
    /// An administrator, by `admin_secret`.
    Administrator: Access::Secret(Role::Administrator),
    /// An operator that reports on its numbers, by `ingest_secret`.
    Operator: Access::Secret(Role::Operator),
    /// An OTA gateway, by `gateway_secret`.
    Gateway: Access::Secret(Role::Gateway),
    /// A timer, by `cron_secret`, also as the parameter `key`.
    Timer: Access::Secret(Role::Timer),
);
