//! Accounts of staff: who may do what, and how people sign in (§10.1).
//!
//! A password, a one-time code, a session or a key is never stored or logged as it is.

mod change;
mod create;
mod enrol;
mod keys;
mod list;
mod recover;
mod rights;
mod roles;
mod secrets;
mod sign_in;
mod throttle;
mod verify;

pub use change::{AccountChange, change_account, freeze_account, revoke_account};
pub use create::{CreatedAccount, NewAccount, Offer, create_account, offer_enrolment};
pub use enrol::{Enrolled, MAX_PASSWORD_CHARS, enrol};
pub use keys::{ApiKeyView, CreatedApiKey, create_api_key, list_api_keys, revoke_api_key};
pub use list::{AccountPage, AccountView, MAX_ACCOUNTS_PER_PAGE, list_accounts};
pub use recover::recover_account;
pub(super) use rights::rights_of_account;
pub use roles::{NewRole, RoleChange, RoleView, change_role, create_role, delete_role, list_roles};
pub use secrets::MAX_CREDENTIAL_CHARS;
pub use sign_in::{SecondFactor, SignIn, SignInSettings, SignedIn, sign_in, sign_out};
pub use verify::{admit_secret, is_credential_of_staff, verify_staff};
