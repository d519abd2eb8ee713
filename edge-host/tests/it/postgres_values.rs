//! Values of PostgreSQL as components see them.

use serde_json::{Value, json};

use crate::postgres_fixture::Fixture;

/// A value of each type: literal, type, the interface's name of the type, and its value.
const VALUES: [(&str, &str, &str, &str); 25] = [
    ("true", "bool", "Boolean", "Boolean(true)"),
    ("2", "int2", "Int16", "Int16(2)"),
    ("4", "int4", "Int32", "Int32(4)"),
    ("8", "int8", "Int64", "Int64(8)"),
    ("0.5", "float4", "Floating32", "Floating32(0.5)"),
    ("0.25", "float8", "Floating64", "Floating64(0.25)"),
    ("'ü'", "text", "Str", "Str(\"ü\")"),
    ("'v'", "varchar", "Str", "Str(\"v\")"),
    ("'\\x0102'", "bytea", "Binary", "Binary([1, 2])"),
    ("'2026-02-03'", "date", "Date", "Date((2026, 2, 3))"),
    ("'04:05:06.5'", "time", "Time", "Time((4, 5, 6, 500000000))"),
    (
        "'2026-02-03 04:05:06'",
        "timestamp",
        "Datetime",
        "Datetime((2026, 2, 3, 4, 5, 6, 0))",
    ),
    (
        "'00000000-0000-0000-0000-00000000000a'",
        "uuid",
        "Uuid",
        "Uuid(\"00000000-0000-0000-0000-00000000000a\")",
    ),
    ("'[1]'", "jsonb", "Jsonb", "Jsonb([91, 49, 93])"),
    ("'1.50'", "numeric", "Decimal", "Decimal(\"1.50\")"),
    (
        "'[1,3)'",
        "int4range",
        "RangeInt32",
        "RangeInt32((Some((1, RangeBoundKind::Inclusive)), Some((3, RangeBoundKind::Exclusive))))",
    ),
    (
        "'(,7)'",
        "int8range",
        "RangeInt64",
        "RangeInt64((None, Some((7, RangeBoundKind::Exclusive))))",
    ),
    (
        "'(0.5,]'",
        "numrange",
        "RangeDecimal",
        "RangeDecimal((Some((\"0.5\", RangeBoundKind::Exclusive)), None))",
    ),
    (
        "'{1,null}'",
        "int4[]",
        "ArrayInt32",
        "ArrayInt32([Some(1), None])",
    ),
    ("'{8}'", "int8[]", "ArrayInt64", "ArrayInt64([Some(8)])"),
    (
        "'{1.5}'",
        "numeric[]",
        "ArrayDecimal",
        "ArrayDecimal([Some(\"1.5\")])",
    ),
    (
        "'{a,null}'",
        "text[]",
        "ArrayStr",
        "ArrayStr([Some(\"a\"), None])",
    ),
    (
        "'1 mon 2 days 3 us'",
        "interval",
        "Interval",
        "Interval(Interval { micros: 3, days: 2, months: 1 })",
    ),
    ("NULL", "int8", "Int64", "DbNull"),
    (
        "'::1'",
        "inet",
        "Other(\"inet\")",
        "Unsupported([3, 128, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn both_forms_read_every_type_alike() {
    let Some(fixture) = Fixture::new("types").await else {
        return;
    };
    let selected: Vec<_> = VALUES
        .iter()
        .enumerate()
        .map(|(at, (literal, name, ..))| format!("{literal}::{name} AS c{at}"))
        .collect();
    for plain in [false, true] {
        let found = fixture
            .run(plain, &[json!(format!("SELECT {}", selected.join(", ")))])
            .await;
        for (at, (_, name, data_type, value)) in VALUES.iter().enumerate() {
            let column = json!([format!("c{at}"), format!("DbDataType::{data_type}")]);
            assert_eq!(found[0]["columns"][at], column, "{name}, plain: {plain}");
            assert_eq!(
                found[0]["rows"][0][at],
                format!("DbValue::{value}"),
                "{name}, plain: {plain}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_with_a_zone_cannot_be_read() {
    let Some(fixture) = Fixture::new("zoned").await else {
        return;
    };
    for plain in [false, true] {
        let found = fixture.run(plain, &[json!("SELECT now() AS t")]).await;
        let text = found[0]["error"].as_str().unwrap();
        assert!(text.contains("cannot convert between"), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_must_have_the_type_that_the_server_expects() {
    let Some(fixture) = Fixture::new("parameters").await else {
        return;
    };
    let echo = |sql: &str, parameter: Value| json!({ "sql": sql, "parameters": [parameter] });
    for (sql, parameter, expected) in [
        ("SELECT $1::int8 AS v", json!(7), "Int64(7)"),
        ("SELECT $1::text AS v", json!("t"), "Str(\"t\")"),
        ("SELECT $1::int8 AS v", Value::Null, "DbNull"),
        (
            "SELECT $1::jsonb AS v",
            json!({ "jsonb": "{}" }),
            "Jsonb([123, 125])",
        ),
        (
            "SELECT $1::numeric AS v",
            json!({ "decimal": "1.5" }),
            "Decimal(\"1.5\")",
        ),
        ("SELECT $1::bytea AS v", json!({ "binary": "a" }), "Binary([97])"),
        (
            "SELECT $1::date AS v",
            json!({ "day": [2026, 2, 3] }),
            "Date((2026, 2, 3))",
        ),
        (
            "SELECT $1::text[] AS v",
            json!(["a", null]),
            "ArrayStr([Some(\"a\"), None])",
        ),
        (
            "SELECT extract(epoch FROM $1::timestamptz)::int8 AS v",
            json!({ "seconds": 60 }),
            "Int64(60)",
        ),
    ] {
        let found = fixture.run(false, &[echo(sql, parameter)]).await;
        assert_eq!(
            found[0]["rows"][0][0],
            format!("DbValue::{expected}"),
            "{sql}: {found}"
        );
    }
    for (sql, parameter, part) in [
        ("SELECT $1::int4 AS v", json!(7), "WrongType"),
        ("SELECT $1::text AS v", json!(7), "WrongType"),
        ("SELECT $1::uuid AS v", json!({ "uuid": "x" }), "BadParameter"),
        ("SELECT $1::jsonb AS v", json!({ "jsonb": "{" }), "BadParameter"),
        (
            "SELECT $1::date AS v",
            json!({ "day": [2026, 2, 30] }),
            "BadParameter",
        ),
    ] {
        let found = fixture.run(false, &[echo(sql, parameter)]).await;
        let text = found[0]["error"].as_str().unwrap();
        assert!(
            text.contains(part) && found[0]["code"].is_null(),
            "{sql}: {found}"
        );
    }
}
