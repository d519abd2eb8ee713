//! What tests and the chaos program share: parts of the product as processes that can be killed, and the chaos itself.

pub mod chaos;
pub mod process;
