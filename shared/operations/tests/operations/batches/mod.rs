//! Batches: one act on many cards or numbers, by the periodic work.

mod faults;
mod files;
mod previews;
mod rows;
mod waiting;

use std::ops::Range;

use domain::error::Error;
use domain::{BatchId, BatchKind, BatchResult, BatchState, ClientId};
use operations::{
    ActNote, BatchRowView, BatchView, CreatedBatch, Job, NewBatch, StaffMember, batch_rows, create_batch,
    list_batches,
};
use test_support::eid::eid_text;
use test_support::inventory::NumberCsv;
use test_support::operations::{World, run};

/// Who ends tasks, and why.
pub(super) const NOTE: ActNote<'_> = ActNote {
    person: "王芳",
    text: "项目取消",
};

/// A batch of this kind for a client, as far as its kind needs one.
pub(super) fn batch<'a>(kind: BatchKind, client: &'a ClientId) -> NewBatch<'a> {
    NewBatch {
        key: "batch-1",
        kind,
        client: kind.needs_client().then_some(client),
        note: kind.needs_note().then_some(NOTE),
        fail_when_exhausted: false,
    }
}

pub(super) fn made(world: &World, new: &NewBatch<'_>, file: &str) -> Result<CreatedBatch, Error> {
    run(create_batch(
        &world.cx(),
        &StaffMember::Secret,
        new,
        file.as_bytes(),
    ))
}

/// A file of applications for numbers of a province.
pub(super) fn applications(chips: impl Iterator<Item = u32>, province: &str) -> String {
    let rows = chips.map(|chip| format!("{},{province}\n", eid_text(chip)));
    format!("eid,province_code\n{}", rows.collect::<String>())
}

/// A file of cards.
pub(super) fn cards(chips: impl Iterator<Item = u32>) -> String {
    let rows = chips.map(|chip| eid_text(chip) + "\n");
    format!("芯片EID\n{}", rows.collect::<String>())
}

/// A file of numbers.
pub(super) fn numbers(numbers: impl Iterator<Item = u32>) -> String {
    let rows = numbers.map(|number| NumberCsv::new(number).iccid + "\n");
    format!("iccid\n{}", rows.collect::<String>())
}

/// Makes a batch of applications of these chips, and returns its identifier.
pub(super) fn applied(world: &World, client: &ClientId, chips: Range<u32>, province: &str) -> BatchId {
    let made = made(
        world,
        &batch(BatchKind::Apply, client),
        &applications(chips, province),
    );
    made.unwrap().batch.id
}

/// The batch as it is now.
pub(super) fn view(world: &World, id: BatchId) -> BatchView {
    let (batches, _) = run(list_batches(&world.cx(), Some(id), None, 1)).unwrap();
    batches.into_iter().next().unwrap()
}

/// State, rows, and how many were done, unchanged and refused.
pub(super) fn figures(world: &World, id: BatchId) -> (BatchState, [u64; 4]) {
    let batch = view(world, id);
    (
        batch.state,
        [batch.rows, batch.done, batch.unchanged, batch.refused],
    )
}

pub(super) fn rows(world: &World, id: BatchId, result: Option<BatchResult>) -> Vec<BatchRowView> {
    run(batch_rows(&world.cx(), id, result, None, 500)).unwrap().0
}

/// The results of all rows, each with the reason why it was refused.
pub(super) fn results(world: &World, id: BatchId) -> Vec<(u64, Option<&'static str>, Option<&'static str>)> {
    let rows = rows(world, id, None);
    rows.iter()
        .map(|row| {
            (
                row.line,
                row.result.map(BatchResult::code),
                row.reason.map(|reason| reason.code()),
            )
        })
        .collect()
}

/// Lets the periodic work go on until there is nothing more to do now.
pub(super) fn work(world: &World) {
    while world.job(Job::Batches).more {}
}
