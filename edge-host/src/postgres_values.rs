//! Values of `spin:postgres@4.2.0` and of PostgreSQL, with the types that Spin knows.
//!
//! A parameter must have exactly the type that the server expects. The only value that fits everywhere is NULL.

use std::error::Error;

use anyhow::{Context as _, anyhow};
use bytes::{Buf as _, BufMut as _, BytesMut};
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Utc};
use postgres_range::{BoundSided, BoundType, Normalizable, Range, RangeBound};
use rust_decimal::Decimal;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::bindings::spin::postgres::postgres::{
    Column, DbDataType, DbValue, Interval, ParameterValue, RangeBoundKind,
};

/// A parameter as the client takes it.
type Parameter = Box<dyn ToSql + Sync + Send>;

/// Both ends of a range, as components see them.
type Bounds<T> = (Option<(T, RangeBoundKind)>, Option<(T, RangeBoundKind)>);

/// What goes wrong between the client and a value.
type SqlError = Box<dyn Error + Sync + Send>;

/// Length of an INTERVAL in PostgreSQL's binary form: microseconds, days and months.
const INTERVAL_BYTES: usize = 16;

/// Names and types of the columns of a row.
pub(crate) fn columns(row: &Row) -> Vec<Column> {
    let columns = row.columns().iter();
    columns
        .map(|column| Column {
            name: column.name().to_owned(),
            data_type: data_type(column.type_()),
        })
        .collect()
}

fn data_type(of: &Type) -> DbDataType {
    match *of {
        Type::BOOL => DbDataType::Boolean,
        Type::BYTEA => DbDataType::Binary,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbDataType::Str,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => DbDataType::Datetime,
        Type::DATE => DbDataType::Date,
        Type::TIME => DbDataType::Time,
        Type::UUID => DbDataType::Uuid,
        Type::JSONB => DbDataType::Jsonb,
        Type::NUMERIC => DbDataType::Decimal,
        Type::INT4_RANGE => DbDataType::RangeInt32,
        Type::INT8_RANGE => DbDataType::RangeInt64,
        Type::NUM_RANGE => DbDataType::RangeDecimal,
        Type::INT4_ARRAY => DbDataType::ArrayInt32,
        Type::INT8_ARRAY => DbDataType::ArrayInt64,
        Type::NUMERIC_ARRAY => DbDataType::ArrayDecimal,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => DbDataType::ArrayStr,
        Type::INTERVAL => DbDataType::Interval,
        _ => DbDataType::Other(of.name().to_owned()),
    }
}

/// The values of a row. One of a type that components have none for is its binary form.
///
/// # Errors
/// A value that the client cannot read: above all any TIMESTAMPTZ.
pub(crate) fn values(row: &Row) -> anyhow::Result<Vec<DbValue>> {
    (0..row.len()).map(|at| value(row, at)).collect()
}

fn value(row: &Row, at: usize) -> anyhow::Result<DbValue> {
    match *row.columns()[at].type_() {
        Type::BOOL => read(row, at, DbValue::Boolean),
        Type::BYTEA => read(row, at, DbValue::Binary),
        Type::FLOAT4 => read(row, at, DbValue::Floating32),
        Type::FLOAT8 => read(row, at, DbValue::Floating64),
        Type::INT2 => read(row, at, DbValue::Int16),
        Type::INT4 => read(row, at, DbValue::Int32),
        Type::INT8 => read(row, at, DbValue::Int64),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => read(row, at, DbValue::Str),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => read(row, at, |time: NaiveDateTime| {
            let (year, month, day) = date(time.date());
            let (hour, minute, second, nanos) = time_of_day(time.time());
            DbValue::Datetime((year, month, day, hour, minute, second, nanos))
        }),
        Type::DATE => read(row, at, |day| DbValue::Date(date(day))),
        Type::TIME => read(row, at, |time| DbValue::Time(time_of_day(time))),
        Type::UUID => read(row, at, |id: Uuid| DbValue::Uuid(id.to_string())),
        Type::JSONB => read(row, at, |json: serde_json::Value| {
            DbValue::Jsonb(json.to_string().into_bytes())
        }),
        Type::NUMERIC => read(row, at, |number: Decimal| DbValue::Decimal(number.to_string())),
        Type::INT4_RANGE => read(row, at, |range| DbValue::RangeInt32(bounds(&range, |end| end))),
        Type::INT8_RANGE => read(row, at, |range| DbValue::RangeInt64(bounds(&range, |end| end))),
        Type::NUM_RANGE => read(row, at, |range| {
            DbValue::RangeDecimal(bounds(&range, |end: DecimalEnd| end.0.to_string()))
        }),
        Type::INT4_ARRAY => read(row, at, DbValue::ArrayInt32),
        Type::INT8_ARRAY => read(row, at, DbValue::ArrayInt64),
        Type::NUMERIC_ARRAY => read(row, at, |numbers: Vec<Option<Decimal>>| {
            let texts = numbers.into_iter().map(|number| Some(number?.to_string()));
            DbValue::ArrayDecimal(texts.collect())
        }),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => read(row, at, DbValue::ArrayStr),
        Type::INTERVAL => read(row, at, DbValue::Interval),
        _ => read(row, at, |Binary(bytes)| DbValue::Unsupported(bytes)),
    }
}

fn read<'a, T: FromSql<'a>>(
    row: &'a Row,
    at: usize,
    convert: impl FnOnce(T) -> DbValue,
) -> anyhow::Result<DbValue> {
    Ok(row.try_get::<_, Option<T>>(at)?.map_or(DbValue::DbNull, convert))
}

/// What the values of a row take up, in bytes.
pub(crate) fn size(row: &[DbValue]) -> usize {
    let beside = |value: &DbValue| match value {
        DbValue::Str(text) | DbValue::Uuid(text) | DbValue::Decimal(text) => text.len(),
        DbValue::Binary(bytes) | DbValue::Jsonb(bytes) | DbValue::Unsupported(bytes) => bytes.len(),
        DbValue::ArrayInt32(items) => size_of_val(items.as_slice()),
        DbValue::ArrayInt64(items) => size_of_val(items.as_slice()),
        DbValue::ArrayDecimal(items) | DbValue::ArrayStr(items) => {
            let texts = items.iter().flatten().map(String::len);
            size_of_val(items.as_slice()) + texts.sum::<usize>()
        }
        _ => 0,
    };
    row.iter().map(|value| size_of::<DbValue>() + beside(value)).sum()
}

/// The parameters of a statement.
///
/// # Errors
/// A value that is none of its type: a day that is not in the calendar, a malformed UUID, number or JSON.
pub(crate) fn to_sql(parameters: &[ParameterValue]) -> anyhow::Result<Vec<Parameter>> {
    parameters.iter().map(parameter).collect()
}

fn parameter(value: &ParameterValue) -> anyhow::Result<Parameter> {
    Ok(match value {
        ParameterValue::Boolean(value) => Box::new(*value),
        ParameterValue::Int8(value) => Box::new(*value),
        ParameterValue::Int16(value) => Box::new(*value),
        ParameterValue::Int32(value) => Box::new(*value),
        ParameterValue::Int64(value) => Box::new(*value),
        ParameterValue::Floating32(value) => Box::new(*value),
        ParameterValue::Floating64(value) => Box::new(*value),
        ParameterValue::Str(value) => Box::new(value.clone()),
        ParameterValue::Binary(value) => Box::new(value.clone()),
        ParameterValue::Date(value) => Box::new(to_date(*value)?),
        ParameterValue::Time(value) => Box::new(to_time(*value)?),
        ParameterValue::Datetime((year, month, day, hour, minute, second, nanos)) => {
            let date = to_date((*year, *month, *day))?;
            Box::new(date.and_time(to_time((*hour, *minute, *second, *nanos))?))
        }
        ParameterValue::Timestamp(seconds) => {
            let time = DateTime::<Utc>::from_timestamp(*seconds, 0);
            Box::new(time.with_context(|| format!("invalid epoch timestamp {seconds}"))?)
        }
        ParameterValue::Uuid(text) => {
            Box::new(Uuid::parse_str(text).with_context(|| format!("invalid UUID {text}"))?)
        }
        ParameterValue::Jsonb(bytes) => {
            let json: serde_json::Value = serde_json::from_slice(bytes)
                .with_context(|| format!("invalid JSON {}", String::from_utf8_lossy(bytes)))?;
            Box::new(json)
        }
        ParameterValue::Decimal(text) => Box::new(to_decimal(text)?),
        ParameterValue::RangeInt32(bounds) => Box::new(to_range(bounds, |end| Ok(*end))?),
        ParameterValue::RangeInt64(bounds) => Box::new(to_range(bounds, |end| Ok(*end))?),
        ParameterValue::RangeDecimal(bounds) => {
            Box::new(to_range(bounds, |end: &String| Ok(DecimalEnd(to_decimal(end)?)))?)
        }
        ParameterValue::ArrayInt32(items) => Box::new(items.clone()),
        ParameterValue::ArrayInt64(items) => Box::new(items.clone()),
        ParameterValue::ArrayDecimal(items) => {
            let numbers = items
                .iter()
                .map(|item| item.as_deref().map(to_decimal).transpose());
            Box::new(numbers.collect::<anyhow::Result<Vec<_>>>()?)
        }
        ParameterValue::ArrayStr(items) => Box::new(items.clone()),
        ParameterValue::Interval(interval) => Box::new(*interval),
        ParameterValue::DbNull => Box::new(Null),
    })
}

fn date(date: NaiveDate) -> (i32, u8, u8) {
    (date.year(), small(date.month()), small(date.day()))
}

fn time_of_day(time: NaiveTime) -> (u8, u8, u8, u32) {
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    (small(hour), small(minute), small(second), time.nanosecond())
}

/// A month, day, hour, minute or second.
fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn to_date((year, month, day): (i32, u8, u8)) -> anyhow::Result<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month.into(), day.into())
        .ok_or_else(|| anyhow!("invalid date y={year}, m={month}, d={day}"))
}

fn to_time((hour, minute, second, nanos): (u8, u8, u8, u32)) -> anyhow::Result<NaiveTime> {
    NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nanos)
        .ok_or_else(|| anyhow!("invalid time {hour}:{minute}:{second}:{nanos}"))
}

fn to_decimal(text: &str) -> anyhow::Result<Decimal> {
    Decimal::from_str_exact(text).with_context(|| format!("invalid decimal {text}"))
}

fn bounds<T: Normalizable + PartialOrd + Copy, U>(range: &Range<T>, convert: impl Fn(T) -> U) -> Bounds<U> {
    fn bound<S: BoundSided, T: PartialOrd + Copy, U>(
        bound: &RangeBound<S, T>,
        convert: impl Fn(T) -> U,
    ) -> (U, RangeBoundKind) {
        let kind = match bound.type_ {
            BoundType::Inclusive => RangeBoundKind::Inclusive,
            BoundType::Exclusive => RangeBoundKind::Exclusive,
        };
        (convert(bound.value), kind)
    }
    let lower = range.lower().map(|lower| bound(lower, &convert));
    (lower, range.upper().map(|upper| bound(upper, &convert)))
}

fn to_range<T, U: Normalizable + PartialOrd>(
    (lower, upper): &Bounds<T>,
    convert: impl Fn(&T) -> anyhow::Result<U>,
) -> anyhow::Result<Range<U>> {
    fn bound<S: BoundSided, T, U: PartialOrd>(
        end: Option<&(T, RangeBoundKind)>,
        convert: impl Fn(&T) -> anyhow::Result<U>,
    ) -> anyhow::Result<Option<RangeBound<S, U>>> {
        let Some((value, kind)) = end else {
            return Ok(None);
        };
        let kind = match kind {
            RangeBoundKind::Inclusive => BoundType::Inclusive,
            RangeBoundKind::Exclusive => BoundType::Exclusive,
        };
        Ok(Some(RangeBound::new(convert(value)?, kind)))
    }
    Ok(Range::new(
        bound(lower.as_ref(), &convert)?,
        bound(upper.as_ref(), &convert)?,
    ))
}

/// One end of a range of decimals: the range's library knows no decimals.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct DecimalEnd(Decimal);

impl Normalizable for DecimalEnd {
    fn normalize<S: BoundSided>(bound: RangeBound<S, Self>) -> RangeBound<S, Self> {
        bound
    }
}

impl FromSql<'_> for DecimalEnd {
    fn from_sql(of: &Type, raw: &[u8]) -> Result<Self, SqlError> {
        Decimal::from_sql(of, raw).map(Self)
    }

    fn accepts(of: &Type) -> bool {
        <Decimal as FromSql>::accepts(of)
    }
}

impl ToSql for DecimalEnd {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, SqlError> {
        self.0.to_sql(of, out)
    }

    fn accepts(of: &Type) -> bool {
        <Decimal as ToSql>::accepts(of)
    }

    to_sql_checked!();
}

impl FromSql<'_> for Interval {
    fn from_sql(_: &Type, mut raw: &[u8]) -> Result<Self, SqlError> {
        if raw.len() != INTERVAL_BYTES {
            return Err("unexpected binary format for Postgres INTERVAL".into());
        }
        Ok(Self {
            micros: raw.get_i64(),
            days: raw.get_i32(),
            months: raw.get_i32(),
        })
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::INTERVAL
    }
}

impl ToSql for Interval {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, SqlError> {
        out.put_i64(self.micros);
        out.put_i32(self.days);
        out.put_i32(self.months);
        Ok(IsNull::No)
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::INTERVAL
    }

    to_sql_checked!();
}

/// The binary form of a value of any type.
struct Binary(Vec<u8>);

impl FromSql<'_> for Binary {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, SqlError> {
        Ok(Self(raw.to_owned()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// NULL of any type. The client's own, an `Option`, is of one type.
#[derive(Debug)]
struct Null;

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut BytesMut) -> Result<IsNull, SqlError> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
