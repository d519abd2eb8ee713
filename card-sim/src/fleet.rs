//! Many modules in one process, a limited number at a time.
//!
//! A module that is switched off holds a few kilobytes; sockets and TLS exist only while a channel is open, so the
//! limit on concurrency limits both. It must never power more modules at a time than the limit.

use tokio::task::JoinSet;

use crate::module::{Module, PowerCycleReport};

/// Powers up every module once, at most `concurrency` at a time, and passes each to `done` with its report.
/// `concurrency` 0 counts as 1.
pub async fn power_all(
    modules: impl IntoIterator<Item = Module>,
    concurrency: usize,
    mut done: impl FnMut(Module, PowerCycleReport),
) {
    let mut remaining = modules.into_iter();
    let mut running = JoinSet::new();
    loop {
        while running.len() < concurrency.max(1) {
            let Some(mut module) = remaining.next() else { break };
            running.spawn(async move {
                let report = module.power_on().await;
                (module, report)
            });
        }
        match running.join_next().await {
            Some(Ok((module, report))) => done(module, report),
            // A task is never cancelled here, so this is a panic of a module, which the caller must see.
            Some(Err(panicked)) => std::panic::resume_unwind(panicked.into_panic()),
            None => return,
        }
    }
}
