//! What is read of a chip, its task, its session and its number before a decision about its card, in as few statements as
//! can be: once its row is locked, nothing of it changes any more.

use super::chip::{self, ChipRow, chip_columns};
use super::device_session::{self, LastWriting, SessionRow, session_columns};
use super::number::{self, NumberRow};
use super::receiver::Selection;
use super::task::{self, TaskRow, task_columns};
use super::together::{self, Read};
use super::{Database, DbError, Row, Run as _, Sql as _, Statement, Tx, first};
use domain::{IncidentKind, SessionId, TaskId, Timestamp};
use vault::BlindIndex;

macro_rules! chip_and_task {
    ($and:expr, $from:literal) => {
        concat!(
            "SELECT ",
            chip_columns!(),
            ", ",
            task_columns!(),
            ", receiver.url, receiver.changes",
            $and,
            " FROM ",
            $from
        )
    };
}
// On PostgreSQL the functions of these two lock the chip first, in a statement of their own: see [`super::lock`].
const TO_APPLY: Statement = Statement::new(
    chip_and_task!(
        "",
        "chip LEFT JOIN task ON task.eid_index = chip.eid_index AND task.state IN ('waiting', 'writing') \
         LEFT JOIN receiver ON receiver.id = chip.client_id WHERE chip.eid_index = $1"
    ),
    "SELECT * FROM card_to_apply($1)",
);
const TO_OPEN: Statement = Statement::new(
    chip_and_task!(
        concat!(", ", session_columns!()),
        "chip LEFT JOIN task ON task.eid_index = chip.eid_index AND task.state IN ('waiting', 'writing') \
         LEFT JOIN receiver ON receiver.id = chip.client_id LEFT JOIN device_session ON device_session.id = $1 \
         WHERE chip.eid_index = $2"
    ),
    "SELECT * FROM card_to_open($1, $2)",
);
const REPORTED: Statement = Statement::new(
    chip_and_task!(
        concat!(", ", session_columns!()),
        "device_session JOIN chip ON chip.eid_index = device_session.eid_index \
         LEFT JOIN task ON task.id = device_session.task_id LEFT JOIN receiver ON receiver.id = chip.client_id \
         WHERE device_session.id = $1"
    ),
    "SELECT * FROM card_reported($1)",
);
const LEFT_OVER: &str = "SELECT 1, EXISTS (SELECT 1 FROM number n WHERE n.eid_index = s.eid_index AND n.task_id IS NULL \
    AND n.written_at IS NULL), EXISTS (SELECT 1 FROM incident i WHERE i.kind IN ($1, $2) \
    AND i.subject = 'chip:' || lower(hex(s.eid_index)) AND i.closed_at IS NULL) FROM device_session s WHERE s.id = $3";

/// A chip with its open task or that of a session, and which changes of state its client gets.
type ChipAndTask = (ChipRow, Option<TaskRow>, Selection);

/// How many columns [`read_chip_and_task`] reads.
const CHIP_AND_TASK: usize = chip::COLUMNS + task::COLUMNS + 2;

fn read_chip_and_task(row: &Row) -> Result<ChipAndTask, DbError> {
    let task = match row.optional(chip::COLUMNS, Row::task_id)? {
        None => None,
        Some(_) => Some(task::read_from(row, chip::COLUMNS)?),
    };
    let selection = Selection::read(row, chip::COLUMNS + task::COLUMNS)?;
    Ok((chip::read(row)?, task, selection))
}

/// A chip with its open task, and which changes of state its client gets. Keeps the chip, its tasks and its sessions for
/// this transaction.
pub async fn to_apply<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
) -> Result<Option<ChipAndTask>, DbError> {
    first(&tx.run(TO_APPLY, &[eid_index.into()]).await?, read_chip_and_task)
}

/// The same, and the session of this identifier if there is one, of whatever chip.
pub async fn to_open<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    session: SessionId,
) -> Result<Option<(ChipAndTask, Option<SessionRow>)>, DbError> {
    let rows = tx
        .run(TO_OPEN, &[session.text().into(), eid_index.into()])
        .await?;
    first(&rows, |row| {
        let known = match row.optional(CHIP_AND_TASK, Row::text)? {
            None => None,
            Some(_) => Some(device_session::read_from(row, CHIP_AND_TASK)?),
        };
        Ok((read_chip_and_task(row)?, known))
    })
}

/// What is asked about a chip before it gets a session.
#[derive(Clone, Copy, Debug)]
pub struct OpeningQuestions<'a> {
    /// The chip.
    pub eid_index: &'a BlindIndex,
    /// Its open task.
    pub task: Option<TaskId>,
    /// Since when, and from which address, sessions would alternate with this one.
    pub alternates: Option<(Timestamp, &'a str)>,
    /// Since when its requests are counted.
    pub requests_since: Option<Timestamp>,
    /// Whether its last writing is asked for.
    pub last_writing: bool,
}

/// The answers.
#[derive(Debug, Default)]
pub struct OpeningAnswers {
    /// The number of its task; without a task one that it holds and of which no session has given a verdict.
    pub number: Option<NumberRow>,
    /// Its latest task, if none is open.
    pub latest: Option<TaskRow>,
    /// Whether the session would be the fourth that alternate between two addresses.
    pub alternates: bool,
    /// How many sessions it has begun to be written.
    pub requests: i64,
    /// The end of its latest session that was to write.
    pub last_writing: Option<LastWriting>,
}

/// Answers what is asked about a chip before it gets a session. Its number is kept as it is read.
pub async fn opening<D: Database>(
    tx: &Tx<'_, D>,
    asked: OpeningQuestions<'_>,
) -> Result<OpeningAnswers, DbError> {
    let chip = asked.eid_index;
    let mut reads = match asked.task {
        Some(task) => vec![number::of_task(task)],
        None => vec![number::held_without_verdict(chip), task::read_latest(chip)],
    };
    let alternates = asked.alternates;
    reads.extend(alternates.map(|(since, peer)| device_session::alternates(chip, since, peer)));
    let since = asked.requests_since;
    reads.extend(since.map(|since| device_session::count_requests(chip, since)));
    reads.extend(
        asked
            .last_writing
            .then(|| device_session::latest_writing(chip, None)),
    );
    let mut rows = together::read(tx, reads).await?.into_iter();
    let mut next = |is_asked: bool| is_asked.then(|| rows.next().flatten()).flatten();
    Ok(OpeningAnswers {
        number: next(true).as_ref().map(number::read).transpose()?,
        latest: next(asked.task.is_none()).as_ref().map(task::read).transpose()?,
        alternates: next(alternates.is_some()).is_some(),
        requests: next(since.is_some()).map_or(Ok(0), |row| row.integer(0))?,
        last_writing: next(asked.last_writing)
            .as_ref()
            .map(LastWriting::read)
            .transpose()?,
    })
}

/// A session that is reported about, with its chip and task.
#[derive(Debug)]
pub struct Reported {
    /// The session.
    pub session: SessionRow,
    /// Its chip.
    pub chip: ChipRow,
    /// Its task.
    pub task: Option<TaskRow>,
    /// Which changes of state the client of the chip gets.
    pub selection: Selection,
    /// What its success ends, if that was asked for.
    pub to_end: Option<ToEnd>,
}

/// What the success of a task ends.
#[derive(Debug)]
pub struct ToEnd {
    /// The number of the task.
    pub number: NumberRow,
    /// Whether the chip holds a number without a task.
    pub holds_another: bool,
    /// Whether an incident of the chip is open.
    pub has_incident: bool,
}

/// Finds a session with its chip and task; for a success also what it ends, with open incidents of these kinds. The
/// number of the task is kept as it is read.
pub async fn reported<D: Database>(
    tx: &Tx<'_, D>,
    session: SessionId,
    success: Option<[IncidentKind; 2]>,
) -> Result<Option<Reported>, DbError> {
    let mut reads = vec![Read {
        sql: REPORTED,
        columns: CHIP_AND_TASK + device_session::COLUMNS,
        params: vec![session.text().into()],
    }];
    if let Some([one, other]) = success {
        reads.push(number::of_session(session));
        reads.push(Read {
            sql: LEFT_OVER.statement(),
            columns: 3,
            params: vec![one.code().into(), other.code().into(), session.text().into()],
        });
    }
    let rows = together::read(tx, reads).await?;
    let Some(Some(row)) = rows.first() else {
        return Ok(None);
    };
    let to_end = match &rows[1..] {
        [Some(number), Some(left)] => Some(ToEnd {
            number: number::read(number)?,
            holds_another: left.flag(1)?,
            has_incident: left.flag(2)?,
        }),
        _ => None,
    };
    let (chip, task, selection) = read_chip_and_task(row)?;
    Ok(Some(Reported {
        session: device_session::read_from(row, CHIP_AND_TASK)?,
        chip,
        task,
        selection,
        to_end,
    }))
}
