use super::{Timestamp, Zone};

fn shanghai() -> Zone {
    Zone::parse("Asia/Shanghai").unwrap()
}

#[test]
fn the_text_carries_the_offset_of_the_zone() {
    let at = Timestamp(1_782_864_000_999);
    assert_eq!(at.to_rfc3339(&shanghai()), "2026-07-01T08:00:00+08:00");
    assert_eq!(at.to_rfc3339(Zone::UTC), "2026-07-01T00:00:00+00:00");
    assert_eq!(Timestamp(-1).to_rfc3339(Zone::UTC), "1969-12-31T23:59:59+00:00");
}

#[test]
fn a_text_with_an_offset_is_read_and_one_without_is_not() {
    let at = Timestamp(1_782_864_000_999);
    for text in [
        "2026-07-01T08:00:00.999+08:00",
        "2026-07-01T00:00:00.9999Z",
        "2026-07-01t00:00:00.99999999999999999999z",
        "2026-07-01 00:00:00.999-00:00",
        "2026-07-01T08:00:00.999 08:00",
        "2026-07-01 08:00:00.999 08:00",
        "2026-06-30T20:30:00.999-03:30",
    ] {
        assert_eq!(Timestamp::parse_rfc3339(text), Ok(at), "{text}");
    }
    for text in [
        "2026-07-01T08:00:00",
        "2026-07-01",
        "1782864000",
        "",
        "+08:00",
        "2026-07-01T08:00Z",
        "2026-07-01T08Z",
        "20260701T080000Z",
        "2026-7-01T08:00:00Z",
        "+2026-07-01T08:00:00Z",
        "-002026-07-01T08:00:00Z",
        "2026-07-01T08:00:00.Z",
        "2026-07-01T08:00:00,5Z",
        "2026-07-01T08:00:00+08",
        "2026-07-01T08:00:00+0800",
        "2026-07-01T08:00:00+08:00:00",
        "2026-07-01T08:00:00+24:00",
        "2026-07-01T08:00:00+08:60",
        "2026-07-01T08:00:00\u{2212}08:00",
        "2026-07-01T08:00:00 Z",
        "2026-07-01T08:00:00  08:00",
        "2026-07-01T08:00:00 +08:00",
        "2026-07-01T08:00:00 0800",
        " 2026-07-01T08:00:00Z",
        "2026-07-01T08:00:00Z ",
        "2026-07-01T08:00:00Z[UTC]",
        "2026-07-01T08:00:00[Asia/Shanghai]",
        "2026-07-01T08:00:00+08:00[Asia/Shanghai]",
        "2026-07-01T24:00:00Z",
        "2026-07-01T08:60:00Z",
        "2026-07-01T08:00:61Z",
        "2026-00-01T08:00:00Z",
        "2026-13-01T08:00:00Z",
        "2026-02-29T08:00:00Z",
        "2026-07-00T08:00:00Z",
        "2026-07-01\u{3000}08:00:00Z",
        "２026-07-01T08:00:00Z",
    ] {
        assert!(Timestamp::parse_rfc3339(text).is_err(), "{text}");
    }
}

// RFC 3339 §5.6 and §5.7
#[test]
fn a_leap_second_is_read_at_the_end_of_a_month_of_utc_only() {
    let before = Timestamp(1_483_228_799_999);
    for text in [
        "2016-12-31T23:59:60Z",
        "2016-12-31T23:59:60.123Z",
        "2017-01-01T07:59:60+08:00",
    ] {
        assert_eq!(Timestamp::parse_rfc3339(text), Ok(before), "{text}");
    }
    for text in [
        "2016-12-30T23:59:60Z",
        "2016-12-31T23:59:60+08:00",
        "2016-12-31T23:58:60Z",
    ] {
        assert!(Timestamp::parse_rfc3339(text).is_err(), "{text}");
    }
}

#[test]
fn the_ends_of_the_years_of_rfc_3339_are_read() {
    for (text, seconds) in [
        ("0000-01-01T00:00:00+23:59", -62_167_305_540),
        ("1970-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59-23:59", 253_402_387_139),
    ] {
        assert_eq!(
            Timestamp::parse_rfc3339(text),
            Ok(Timestamp(seconds * 1_000)),
            "{text}"
        );
    }
}

#[test]
fn the_day_is_that_of_the_zone() {
    let at = Timestamp(1_782_835_200_000);
    assert_eq!(at.date_in(Zone::UTC).to_string(), "2026-06-30");
    assert_eq!(at.date_in(&shanghai()).to_string(), "2026-07-01");
}

#[test]
fn the_ends_of_the_scale_do_not_panic() {
    for zone in [
        "UTC",
        "Asia/Shanghai",
        "Europe/Berlin",
        "America/Sao_Paulo",
        "+25:59",
        "-25:59",
    ] {
        let zone = Zone::parse(zone).unwrap();
        for at in [i64::MIN, -1, 0, i64::MAX] {
            assert!(!Timestamp(at).plus(at).to_rfc3339(&zone).is_empty());
            let _ = Timestamp(at).date_in(&zone);
        }
        for day in [jiff::civil::Date::MIN, jiff::civil::Date::MAX] {
            let _ = Timestamp::midnight(day, &zone);
        }
    }
}

#[test]
fn a_time_of_the_machine_counts_from_1970_to_the_millisecond() {
    let epoch = std::time::UNIX_EPOCH;
    let ms = std::time::Duration::from_micros(1_500_999);
    assert_eq!(Timestamp::from(epoch + ms), Timestamp(1_500));
    assert_eq!(Timestamp::from(epoch - ms), Timestamp(0));
}
