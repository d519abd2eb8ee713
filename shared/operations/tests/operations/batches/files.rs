//! What is no batch: refused as a whole, or row by row.

use domain::error::Reason;
use domain::{BatchKind, Right};
use operations::{MAX_BATCH_ROWS, NewBatch, StaffMember, create_batch, preview_batch};
use test_support::eid::eid_text;
use test_support::inventory::NumberCsv;
use test_support::operations::{World, reason, run};

use super::{NOTE, applications, batch, cards, made, numbers, results};

fn refused_as_a_whole(world: &World, new: &NewBatch<'_>, file: &str, expected: (Reason, Option<&str>)) {
    let before = world.dump();
    let member = StaffMember::Secret;
    for refusal in [
        run(create_batch(&world.cx(), &member, new, file.as_bytes())).unwrap_err(),
        run(preview_batch(&world.cx(), &member, new, file.as_bytes())).unwrap_err(),
    ] {
        assert_eq!((refusal.reason(), refusal.field()), expected, "{new:?} {file:?}");
    }
    assert_eq!(world.dump(), before);
}

#[test]
fn what_does_not_fit_the_kind_is_refused_and_changes_nothing() {
    let world = World::new();
    let client = world.stocked(1, 1).id;
    let unknown = domain::ClientId::new([9; 10]);
    let apply = batch(BatchKind::Apply, &client);
    let end = batch(BatchKind::End, &client);
    let retire = batch(BatchKind::Retire, &client);
    let (missing, other) = (Reason::ParameterMissing, Reason::ParameterNotApplicable);
    let with = Some(&client);
    for (new, reason, field) in [
        (
            NewBatch {
                client: None,
                ..apply
            },
            missing,
            Some("client_id"),
        ),
        (
            NewBatch {
                client: Some(&unknown),
                ..apply
            },
            Reason::UnknownClient,
            None,
        ),
        (
            NewBatch {
                note: Some(NOTE),
                ..apply
            },
            other,
            Some("person"),
        ),
        (NewBatch { note: None, ..end }, missing, Some("person")),
        (NewBatch { client: with, ..end }, other, Some("client_id")),
        (
            NewBatch {
                client: with,
                ..retire
            },
            other,
            Some("client_id"),
        ),
        (
            NewBatch {
                fail_when_exhausted: true,
                ..end
            },
            other,
            Some("fail_when_exhausted"),
        ),
    ] {
        refused_as_a_whole(&world, &new, &applications(0..1, "37"), (reason, field));
    }
}

#[test]
fn what_is_no_table_of_its_kind_is_refused_and_changes_nothing() {
    let world = World::new();
    let client = world.stocked(1, 1).id;
    for (kind, file) in [
        (BatchKind::Apply, ""),
        (BatchKind::Apply, "eid,province_code\n"),
        (BatchKind::Apply, "iccid\n89860400000000000001\n"),
        (BatchKind::Apply, "eid,eid\n1,2\n"),
        (BatchKind::Apply, "eid,province_code\n\"1,2\n"),
        (BatchKind::Apply, "%PDF-1.7"),
        (BatchKind::Cancel, "task_id\n1\n"),
        (BatchKind::Retire, "eid\n1\n"),
    ] {
        refused_as_a_whole(&world, &batch(kind, &client), file, (Reason::BadCsv, None));
    }
}

#[test]
fn a_file_has_so_many_rows_and_no_more() {
    let world = World::new();
    let client = world.client().client_id;
    let rows = |rows: usize| format!("eid\n{}", "1\n".repeat(rows));
    let cancel = batch(BatchKind::Cancel, &client);
    let refused = made(&world, &cancel, &rows(MAX_BATCH_ROWS + 1)).unwrap_err();
    assert_eq!(refused.reason(), Reason::BodyTooLarge);
    assert!(refused.detail().unwrap().en.contains("100000"), "{refused}");
    let most = made(&world, &cancel, &rows(MAX_BATCH_ROWS)).unwrap().batch;
    assert_eq!((most.rows, most.refused), (100_000, 100_000));
    assert_eq!(most.state, domain::BatchState::Done);
}

#[test]
fn a_row_that_names_nothing_of_its_kind_is_refused_with_its_line() {
    let world = World::new();
    let client = world.client().client_id;
    let NumberCsv { iccid, msisdn, .. } = NumberCsv::new(0);
    let eid = eid_text(0);
    let rows: Vec<(String, Option<&str>)> = vec![
        (format!("{eid},37,,"), None),
        (format!("{eid},370000,,"), None),
        (format!("{eid},,{iccid},{msisdn}"), None),
        (eid.clone(), Some("parameter_missing")),
        (",37,,".to_owned(), Some("parameter_missing")),
        (format!("{eid},,{iccid},"), Some("parameter_missing")),
        (format!("{eid},,,{msisdn}"), Some("parameter_missing")),
        (
            format!("{eid},37,{iccid},{msisdn}"),
            Some("parameter_not_applicable"),
        ),
        (format!("{eid},99,,"), Some("province_malformed")),
        (format!("{eid},,1,{msisdn}"), Some("iccid_malformed")),
        (format!("{eid},,{iccid},1"), Some("msisdn_malformed")),
        (format!("{},37,,", &eid[..31]), Some("eid_malformed")),
        ("8.9E+31,37,,".to_owned(), Some("number_rounded")),
        (format!("{eid},37,,,more"), Some("bad_csv")),
        (format!("{eid},{},,", "3".repeat(600)), Some("parameter_too_long")),
    ];
    let file = rows.iter().map(|(row, _)| row.clone() + "\n").collect::<String>();
    let file = format!("eid,province_code,iccid,msisdn\n{file}");
    let apply = batch(BatchKind::Apply, &client);
    let id = made(&world, &apply, &file).unwrap().batch.id;
    let found: Vec<_> = results(&world, id)
        .into_iter()
        .map(|(line, _, reason)| (line, reason))
        .collect();
    let expected: Vec<_> = (2..).zip(rows.iter().map(|(_, reason)| *reason)).collect();
    assert_eq!(found, expected);
    let preview = run(preview_batch(
        &world.cx(),
        &StaffMember::Secret,
        &apply,
        file.as_bytes(),
    ))
    .unwrap();
    assert_eq!((preview.rows, preview.refused), (15, 15));
    let wrong: Vec<_> = preview.errors.iter().map(|row| row.column).collect();
    assert_eq!(
        wrong[3..9],
        [
            Some("province_code"),
            Some("eid"),
            Some("msisdn"),
            Some("iccid"),
            Some("province_code"),
            Some("province_code"),
        ]
    );
    let more = NewBatch {
        key: "more",
        ..batch(BatchKind::Suspend, &client)
    };
    let id = made(&world, &more, &(numbers(0..1) + "1\n")).unwrap().batch.id;
    assert_eq!(results(&world, id)[1].2, Some("iccid_malformed"));
}

#[test]
fn who_may_not_act_on_one_row_may_not_act_on_many() {
    let world = World::new();
    let client = world.stocked(1, 1).id;
    let with = |rights: &[domain::Right]| StaffMember::Account {
        id: domain::AccountId::new(world.time(), [1; 10]),
        credential: domain::ApiKeyId::new(world.time(), [2; 10]),
        rights: rights.iter().copied().collect(),
        is_session: true,
    };
    for (kind, right, file) in [
        (BatchKind::Apply, Right::BatchesCreate, applications(0..1, "37")),
        (BatchKind::Cancel, Right::BatchesCreate, cards(0..1)),
        (BatchKind::End, Right::TasksEnd, cards(0..1)),
        (BatchKind::Allot, Right::NumbersAllot, numbers(0..1)),
        (BatchKind::Suspend, Right::NumbersSuspend, numbers(0..1)),
        (BatchKind::Retire, Right::NumbersRetire, numbers(0..1)),
    ] {
        let new = NewBatch {
            key: kind.code(),
            ..batch(kind, &client)
        };
        let all_others: Vec<Right> = Right::ALL
            .iter()
            .copied()
            .filter(|other| *other != right)
            .collect();
        let refused = run(create_batch(
            &world.cx(),
            &with(&all_others),
            &new,
            file.as_bytes(),
        ));
        assert_eq!(reason(refused), Reason::RightMissing, "{kind:?}");
        let refused = run(preview_batch(
            &world.cx(),
            &with(&all_others),
            &new,
            file.as_bytes(),
        ));
        assert_eq!(reason(refused), Reason::RightMissing, "{kind:?}");
        let id = run(create_batch(&world.cx(), &with(&[right]), &new, file.as_bytes()))
            .unwrap()
            .batch
            .id;
        let refused = run(operations::resume_batch(&world.cx(), &with(&all_others), id));
        assert_eq!(reason(refused), Reason::RightMissing, "{kind:?}");
    }
}
