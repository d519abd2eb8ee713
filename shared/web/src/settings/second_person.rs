//! Which acts of staff need a second person.

use super::{Variables, number};
use domain::error::Error;
use domain::{MINUTE_MS, Right};
use operations::SecondPerson;

/// The name of those that nothing undoes.
const IRREVERSIBLE: &str = "irreversible";
/// Longest delay, in minutes: a week.
const MAX_DELAY_MINUTES: i64 = 10_080;
/// Most entries of a list beyond which a second person is needed.
const MAX_ROWS: usize = 100_000;

pub(super) fn settings(variables: &Variables) -> Result<SecondPerson, Error> {
    let mut second = SecondPerson {
        rows: number(
            "second_person_rows",
            variables.second_person_rows.as_deref(),
            0,
            0..=MAX_ROWS,
        )?,
        delay_ms: MINUTE_MS
            * number(
                "approval_delay_minutes",
                variables.approval_delay_minutes.as_deref(),
                0,
                0..=MAX_DELAY_MINUTES,
            )?,
        ..SecondPerson::default()
    };
    let names = variables.second_person.as_deref().unwrap_or_default().split(',');
    for name in names.map(str::trim).filter(|name| !name.is_empty()) {
        if name == IRREVERSIBLE {
            second.rights.extend(Right::IRREVERSIBLE);
            continue;
        }
        let right = Right::parse(name)
            .ok()
            .filter(|right| right.may_need_second_person());
        second.rights.insert(right.ok_or_else(|| {
            Error::internal(
                "variable second_person: neither irreversible nor the right of an act that can need one",
            )
        })?);
    }
    Ok(second)
}
