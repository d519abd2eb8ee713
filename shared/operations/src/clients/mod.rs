//! The accounts of business systems and their secrets (§6.2.1.1, §9.2.1).

mod change;
mod checks;
mod close;
mod create;
mod freeze;
mod list;
mod secrets;

pub use change::{ClientChange, change_client};
pub(super) use checks::{checked_url, malformed};
pub use close::{ClosedClient, MAX_CLOSED_PER_CALL, close_client};
pub use create::{CreatedClient, NewClient, create_client};
pub(super) use freeze::receives;
pub use freeze::{FrozenClient, freeze_client, unfreeze_client};
pub use list::{ClientPage, ClientView, MAX_CLIENTS_PER_PAGE, SecretView, list_clients};
pub(super) use secrets::MAX_OVERLAP_SECS;
pub use secrets::{OVERLAP_SECS, RotatedSecret, revoke_secret, revoke_tokens, rotate_secret};
