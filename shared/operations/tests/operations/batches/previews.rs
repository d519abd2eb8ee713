//! What a batch would do.

use domain::BatchKind;
use operations::{BatchPreview, NewBatch, NumberAct, NumberRef, StaffMember, act_on_number, preview_batch};
use test_support::eid::eid_text;
use test_support::inventory::NumberCsv;
use test_support::operations::{World, run};

use super::{applications, batch, cards, made, numbers, results, work};

fn preview(world: &World, new: &NewBatch<'_>, file: &str) -> BatchPreview {
    let before = world.dump();
    let preview = run(preview_batch(
        &world.cx(),
        &StaffMember::Secret,
        new,
        file.as_bytes(),
    ));
    assert_eq!(world.dump(), before);
    preview.unwrap()
}

fn reasons(preview: &BatchPreview) -> Vec<(u64, &'static str)> {
    preview
        .errors
        .iter()
        .map(|row| (row.line, row.reason.code()))
        .collect()
}

#[test]
fn demand_is_compared_with_the_pool_of_each_province() {
    let world = World::new();
    let caller = world.stocked(6, 2);
    world.numbers(&[NumberCsv {
        province: "65".to_owned(),
        ..NumberCsv::new(7)
    }]);
    let header = "eid,province_code\n".len();
    // The last row is the second one about its chip.
    let file = applications(0..4, "37")
        + &applications(4..5, "65")[header..]
        + &applications(3..4, "37")[header..]
        + &applications(5..6, "11")[header..];
    let found = preview(&world, &batch(BatchKind::Apply, &caller.id), &file);
    let provinces: Vec<_> = found
        .provinces
        .iter()
        .map(|one| (one.province.code(), one.demand, one.available))
        .collect();
    assert_eq!(provinces, [("37", 4, 2), ("65", 1, 1)]);
    assert_eq!(reasons(&found), [(8, "province_not_served")]);
    assert_eq!((found.rows, found.refused), (7, 1));
}

#[test]
fn rows_that_would_be_refused_are_named_as_the_batch_refuses_them() {
    let world = World::new();
    let caller = world.stocked(4, 5);
    world.numbers(&[NumberCsv::allotted(9, &caller.id)]);
    world.write_chip(&caller, 0);
    world.apply_auto(&caller, 1).unwrap();
    let NumberCsv { iccid, .. } = NumberCsv::new(2);
    let retired = NumberRef::Iccid(domain::Iccid::parse(&iccid).unwrap());
    run(act_on_number(&world.cx(), &retired, NumberAct::Retire)).unwrap();
    let designated = |chip: u32, number: u32, msisdn: u32| {
        let (iccid, msisdn) = (NumberCsv::new(number).iccid, NumberCsv::new(msisdn).msisdn);
        format!("{},,{iccid},{msisdn}\n", eid_text(chip))
    };
    let applied = [
        "eid,province_code,iccid,msisdn\n".to_owned(),
        format!("{},37,,\n{},37,,\n", eid_text(0), eid_text(8)),
        designated(2, 3, 3),
        designated(2, 9, 8),
        designated(3, 9, 9),
    ]
    .concat();
    for (kind, file) in [
        (BatchKind::Apply, applied),
        (BatchKind::Cancel, cards(0..3)),
        (BatchKind::End, cards(0..2)),
        (BatchKind::Allot, numbers(0..9)),
        (BatchKind::Suspend, numbers(0..9)),
        (BatchKind::Retire, numbers(0..9)),
    ] {
        let new = NewBatch {
            key: kind.code(),
            ..batch(kind, &caller.id)
        };
        let previewed = preview(&world, &new, &file);
        // The end of the task would change what the others find.
        let id = made(&world, &new, &file).unwrap().batch.id;
        if kind != BatchKind::Cancel {
            work(&world);
            let refused: Vec<_> = results(&world, id)
                .into_iter()
                .filter_map(|(line, _, reason)| Some((line, reason?)))
                .collect();
            assert_eq!(reasons(&previewed), refused, "{kind:?}");
            assert!(!refused.is_empty(), "{kind:?}");
        } else {
            run(operations::stop_batch(&world.cx(), id)).unwrap();
            assert_eq!(reasons(&previewed), [(2, "wrong_state"), (4, "wrong_state")]);
        }
    }
}
