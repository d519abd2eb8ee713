//! Many modules in one process, so many at a time.
//!
//! A module that waits holds one chip of a few kilobytes; sockets and TLS exist only while a channel is
//! open, so the bound on concurrency is the bound on both. It must never start more than it was told.

use tokio::task::JoinSet;

use crate::module::{Module, PowerCycleReport};

/// Powers up every module once, at most `concurrency` at a time, and hands each back with its report as it
/// gets done. `concurrency` 0 counts as 1.
pub async fn power_all(
    modules: impl IntoIterator<Item = Module>,
    concurrency: usize,
    mut done: impl FnMut(Module, PowerCycleReport),
) {
    let mut waiting = modules.into_iter();
    let mut running = JoinSet::new();
    loop {
        while running.len() < concurrency.max(1) {
            let Some(mut module) = waiting.next() else { break };
            running.spawn(async move {
                let report = module.power_on().await;
                (module, report)
            });
        }
        match running.join_next().await {
            Some(Ok((module, report))) => done(module, report),
            // A task is never cancelled here, so this is a panic of a module: it must not be swallowed.
            Some(Err(panicked)) => std::panic::resume_unwind(panicked.into_panic()),
            None => return,
        }
    }
}
