//! Shared by tests and the chaos program: the chaos run.

pub mod chaos;
