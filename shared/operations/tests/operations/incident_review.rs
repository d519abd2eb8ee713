//! §8.3.2: the monthly review, against months computed by hand.

use domain::error::{Lang, Reason};
use domain::{HOUR_MS, IncidentClass, IncidentKind, MINUTE_MS, Month, Province, Severity};
use operations::{
    About, Caller, Hundredths, IncidentAct, Job, LineFigures, MAX_REVIEWS, NewIncident, Review,
    SETTLED_AFTER_MS, STALE_AFTER_MS, Tally, enter_incident, job_views, read_job_log, record_run, review_csv,
    review_incidents,
};
use test_support::inventory::{ChipCsv, eid};
use test_support::operations::{World, days, reason, run};

fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}

fn review(world: &World, text: &str) -> Review {
    run(review_incidents(&world.cx(), Some(month(text)))).unwrap()
}

/// Opens an incident and settles it after `minutes`, if it is settled; the clock looks every half hour meanwhile.
fn incident(world: &World, kind: IncidentKind, chip: Option<u32>, minutes: Option<i64>) {
    let new = NewIncident {
        kind,
        about: match (chip, kind) {
            (Some(chip), _) => About::Chip(eid(chip)),
            (None, IncidentKind::ProvinceWithoutNumber) => About::Province(Province::parse("65").unwrap()),
            (None, _) => About::Platform,
        },
        severity: None,
        note: None,
    };
    let id = run(enter_incident(&world.cx(), &new)).unwrap().incident.id;
    let Some(minutes) = minutes else { return };
    for _ in 0..minutes / 30 {
        world.pass(30 * MINUTE_MS);
        world.job(Job::IncidentClocks);
    }
    world.pass(minutes % 30 * MINUTE_MS);
    super::incidents::settle(world, id);
}

/// July: 2 applications; 2 incidents, one in time, one not. August: 4 applications; 6 incidents: two provinces,
/// of which one too late, a silent number in time and one that is open too long, a time-out that is open too
/// long, a token that has no limit.
fn two_months() -> World {
    let world = World::new();
    let caller = world.stocked(2, 6);
    world.apply_auto(&caller, 0).unwrap();
    world.apply_auto(&caller, 1).unwrap();
    incident(&world, IncidentKind::NumberSilent, Some(0), Some(45));
    incident(&world, IncidentKind::ChipFault, Some(1), Some(25 * 60));

    world
        .now
        .set(month("2026-08").begins(&world.zone).millis() + HOUR_MS);
    apply_for_new_chips(&world, &caller);
    incident(&world, IncidentKind::ProvinceWithoutNumber, None, Some(60));
    incident(&world, IncidentKind::ProvinceWithoutNumber, None, Some(180));
    incident(&world, IncidentKind::NumberSilent, Some(0), Some(60));
    incident(&world, IncidentKind::NumberSilent, Some(1), None);
    incident(&world, IncidentKind::CallTimeout, None, None);
    incident(&world, IncidentKind::TokenRejected, None, None);
    world
}

fn apply_for_new_chips(world: &World, caller: &Caller) {
    let fresh = |n| ChipCsv {
        temp_opened_on: "2026-07-20".to_owned(),
        ..ChipCsv::new(n)
    };
    let chips: Vec<ChipCsv> = (2..6).map(fresh).collect();
    assert_eq!(world.chips(&caller.id, &chips).imported, 4);
    for chip in 2..6 {
        world.apply_auto(caller, chip).unwrap();
    }
}

#[test]
fn the_figures_of_a_month_are_those_computed_by_hand() {
    let world = two_months();
    world.now.set(month("2026-09").begins(&world.zone).millis());
    world.job(Job::IncidentClocks);
    let august = review(&world, "2026-08");
    assert_eq!((august.figures.tasks, august.previous.tasks), (4, 2));
    let all = august.all();
    let sums = |line: LineFigures| {
        let Tally {
            count,
            severe,
            in_time,
            late,
        } = line.tally;
        [count, severe, in_time, late]
    };
    let shares = |line: LineFigures| {
        [line.per_1000_tasks, line.in_time_percent].map(|share| share.map(Hundredths::number))
    };
    assert_eq!(sums(all.now), [6, 0, 2, 3]);
    assert_eq!(shares(all.now), [Some(1_500.0), Some(40.0)]);
    assert_eq!(all.previous.tally.count, 2);
    assert_eq!(shares(all.previous), [Some(1_000.0), Some(50.0)]);
    let classes = IncidentClass::ALL.map(|class| {
        let line = august.class(class);
        let share = line.now.in_time_percent.map(Hundredths::text);
        (line.now.tally.count, share, line.previous.tally.count)
    });
    let share = |text: &str| Some(text.to_owned());
    let expected = [
        (2, share("50.00"), 0),
        (2, share("50.00"), 2),
        (2, share("0.00"), 0),
        (0, None, 0),
    ];
    assert_eq!(classes, expected);
    let causes = august.top_causes().into_iter();
    let causes: Vec<_> = causes
        .map(|kind| (kind.code(), august.kind(kind).now.tally.count))
        .collect();
    assert_eq!(
        causes,
        [
            ("province_without_number", 2),
            ("number_silent", 2),
            ("token_rejected", 1),
            ("call_timeout", 1),
        ]
    );
}

#[test]
fn a_review_as_csv_has_a_line_for_everything() {
    let world = two_months();
    world.now.set(month("2026-09").begins(&world.zone).millis());
    let csv = review_csv(&review(&world, "2026-08"), Lang::Zh);
    let lines: Vec<&str> = csv
        .trim_start_matches('\u{feff}')
        .split_terminator("\r\n")
        .collect();
    assert_eq!(lines.len(), 1 + 2 + 1 + 4 + 16);
    let columns = lines[0].split(',').count();
    assert_eq!(columns, 14);
    assert_eq!(lines[1], "tasks,,\"写卡申请\",4,,,,,,2,,,,");
    assert_eq!(lines[2], "unserved,,\"未开放省份的申请\",0,,,,,,0,,,,");
    assert!(lines[3].starts_with("all,,\"全部异常\",6,"), "{}", lines[3]);
    assert!(
        lines[3].ends_with(",1500.00,2,3,40.00,2,1000.00,50.00,,\"\""),
        "{}",
        lines[3]
    );
    let silent = lines.iter().find(|line| line.starts_with("kind,number_silent,"));
    let silent = silent.unwrap();
    assert!(
        silent.contains(",2,0,500.00,1,1,50.00,1,500.00,100.00,2,"),
        "{silent}"
    );
    let mut reader = csv::Reader::from_reader(csv.trim_start_matches('\u{feff}').as_bytes());
    assert!(reader.records().all(|record| record.unwrap().len() == columns));
}

/// The months whose review is kept.
fn kept(world: &World) -> Vec<String> {
    world.column("SELECT month FROM monthly_review ORDER BY month")
}

#[test]
fn the_review_of_a_month_is_kept_and_told_once_each_of_its_incidents_is_in_time_or_late() {
    let world = two_months();
    let over = month("2026-09").begins(&world.zone).millis();
    world.now.set(over);
    assert_eq!(
        world.job(Job::MonthlyReview).count,
        1,
        "July's, which nobody reviewed"
    );
    // In time, and with a day to be settled in: a review at the end of the month would not know.
    world.now.set(over - MINUTE_MS);
    incident(&world, IncidentKind::ChipFault, Some(0), None);
    world.now.set(over + SETTLED_AFTER_MS - 1);
    assert_eq!(world.job(Job::MonthlyReview).count, 0);
    assert!(!review(&world, "2026-08").is_kept);
    world.pass(1);
    world.execute("DELETE FROM alert");
    assert_eq!(world.job(Job::MonthlyReview).count, 1);
    assert_eq!(world.column("SELECT kind FROM alert"), ["monthly_review"]);
    let august = review(&world, "2026-08");
    assert!(august.is_kept);
    let all = august.figures.tally(|_| true);
    let without_limit = august.figures.tally(|kind| kind == IncidentKind::TokenRejected);
    assert_eq!(all.in_time + all.late, all.count - without_limit.count);
    // What happens to its incidents later does not change it.
    world.pass(days(3));
    world.execute("UPDATE incident SET closed_at = 1, settled_by = 'platform' WHERE closed_at IS NULL");
    assert_eq!(review(&world, "2026-08"), august);
    assert_eq!(world.job(Job::MonthlyReview).count, 0);
    assert_eq!(kept(&world), ["2026-07", "2026-08"]);
}

#[test]
fn no_limit_is_longer_than_a_review_waits() {
    for kind in IncidentKind::all() {
        for severity in [Severity::General, Severity::Severe] {
            let limit = kind.row().limit.for_severity(severity);
            assert!(limit.is_none_or(|ms| ms < SETTLED_AFTER_MS), "{kind:?}");
        }
    }
}

#[test]
fn after_a_gap_every_month_since_the_first_is_reviewed_a_year_of_them_in_one_run() {
    let world = two_months();
    world
        .now
        .set(month("2027-09").begins(&world.zone).millis() + SETTLED_AFTER_MS);
    let first = world.job(Job::MonthlyReview);
    assert_eq!((first.count, first.more), (MAX_REVIEWS, true));
    let second = world.job(Job::MonthlyReview);
    assert_eq!((second.count, second.more), (2, false));
    let months = kept(&world);
    assert_eq!(
        (months.len(), months[0].as_str(), months[13].as_str()),
        (14, "2026-07", "2027-08")
    );
    assert_eq!(review(&world, "2026-08").figures.tasks, 4);
    // Two months with something in them, and one beside which there is the month before.
    let raised = world.count("SELECT count(*) FROM alert WHERE kind = 'monthly_review'");
    assert_eq!(raised, 3);
}

#[test]
fn a_year_of_daily_looks_keeps_the_months_from_the_first_application_on() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    for _ in 0..365 {
        world.job(Job::MonthlyReview);
        world.pass(days(1));
    }
    world.pass(18 * HOUR_MS);
    world.job(Job::MonthlyReview);
    let months = kept(&world);
    assert_eq!(
        (months.len(), months[0].as_str(), months[11].as_str()),
        (12, "2026-07", "2027-06")
    );
}

#[test]
fn a_platform_that_has_just_begun_has_nothing_to_review() {
    let world = World::new();
    world.pass(days(60));
    assert_eq!(world.job(Job::MonthlyReview).count, 0);
    assert_eq!(world.count("SELECT count(*) FROM alert"), 0);
    let july = review(&world, "2026-07");
    assert!(!july.is_kept);
    assert_eq!(july.all().now.per_1000_tasks, None);
    assert_eq!(july.top_causes(), []);
}

#[test]
fn a_job_that_runs_every_hour_is_well_between_its_runs() {
    let world = World::new();
    let job_log = run(read_job_log(&world.cx())).unwrap();
    let outcome = Ok(world.job(Job::MonthlyReview));
    run(record_run(
        &world.cx(),
        &job_log,
        Job::MonthlyReview.code(),
        &outcome,
    ))
    .unwrap();
    let is_well = || {
        let views = run(job_views(&world.cx())).unwrap();
        views
            .iter()
            .any(|view| view.name == "monthly_review" && view.healthy)
    };
    world.pass(HOUR_MS + STALE_AFTER_MS - 1);
    assert!(is_well());
    world.pass(1);
    assert!(!is_well());
}

#[test]
fn the_present_month_is_counted_now_and_one_that_lies_ahead_is_refused() {
    let world = World::new();
    super::incidents::enter(&world, IncidentKind::NoNetwork, Some(Severity::Severe));
    let present = run(review_incidents(&world.cx(), None)).unwrap();
    assert_eq!((present.month, present.is_kept), (month("2026-07"), false));
    let all = |review: &Review| review.figures.tally(|_| true);
    assert_eq!(
        (all(&present).late, all(&present).severe),
        (0, 1),
        "its hour is running"
    );
    world.pass(HOUR_MS + 1);
    assert_eq!(all(&review(&world, "2026-07")).late, 1);
    let ahead = run(review_incidents(&world.cx(), Some(month("2026-08"))));
    assert_eq!(reason(ahead), Reason::ParameterMalformed);
}

// §8.3.2: whether an incident was settled in time depends on the severity that it had
#[test]
fn an_incident_is_in_time_by_the_severity_that_it_had() {
    let world = World::new();
    for (escalated, settled) in [(20, 50), (40, 50)] {
        let incident = super::incidents::enter(&world, IncidentKind::CallTimeout, None);
        world.pass(escalated * MINUTE_MS);
        super::incidents::act(&world, incident.id, IncidentAct::Escalate).unwrap();
        world.pass((settled - escalated) * MINUTE_MS);
        super::incidents::settle(&world, incident.id);
    }
    let tally = run(review_incidents(&world.cx(), None))
        .unwrap()
        .figures
        .tally(|_| true);
    assert_eq!((tally.count, tally.in_time, tally.late), (2, 1, 1));
}
