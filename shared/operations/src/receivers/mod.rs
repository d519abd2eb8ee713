//! The addresses of receivers and the secrets that sign messages to them (§5.3.2.2, §9.2.2).

mod address;
mod secrets;
mod view;

pub use address::{ReceiverChange, change_receiver};
pub(super) use address::{add_receiver, enter_address};
pub(super) use secrets::live_keys;
pub use secrets::{RotatedReceiverSecret, rotate_receiver_secret};
pub use view::{ReceiverSecretView, ReceiverView, receiver_view};
