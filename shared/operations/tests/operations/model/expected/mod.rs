//! What must follow from each step, written from the standard: Table 1 (ways of writing), Table 2 (states of a card),
//! Tables 3 and 4 (what is done about failures), §5.2.1.2 (test allowance), §5.3.1.3 (test period), §6.2.4.1 (when a
//! card is written), §8.2.2 (补换卡). Where the standard is silent, a rule says what was decided, beside it.
//!
//! It knows the names of refusals, because callers do. It must know neither the product's tables nor its statements.

mod cards;
mod lines;
mod numbers;
mod sessions;

use domain::error::Reason;
use domain::{DAY_MS, HOUR_MS};

use super::steps::{CHIPS, CLIENT_OF_CHIP, NUMBERS, Step};

/// §6.3 Table 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Card {
    ToWrite,
    Waiting,
    Writing,
    Written,
    Failed,
    Refused,
}

impl Card {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ToWrite => "待写卡",
            Self::Waiting => "待开机上电",
            Self::Writing => "写卡中",
            Self::Written => "写卡成功",
            Self::Failed => "写卡失败",
            Self::Refused => "申请失败",
        }
    }
}

/// What Table 2 lets happen to a card, and the special procedure of Table 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Accept,
    Refuse,
    Withdraw,
    PowerUp,
    Succeed,
    Fail,
    Reopen,
}

/// §6.3 Table 2: 触发条件 and 可执行操作 of each state. The last line is Table 3: 若需更换运营号，需按特殊流程上报处理.
const TABLE_2: [(Card, Event, Card); 11] = [
    (Card::ToWrite, Event::Accept, Card::Waiting),
    (Card::ToWrite, Event::Refuse, Card::Refused),
    (Card::Waiting, Event::Withdraw, Card::ToWrite),
    (Card::Waiting, Event::PowerUp, Card::Writing),
    (Card::Writing, Event::Succeed, Card::Written),
    (Card::Writing, Event::Fail, Card::Failed),
    (Card::Failed, Event::Accept, Card::Waiting),
    (Card::Failed, Event::Refuse, Card::Refused),
    (Card::Refused, Event::Accept, Card::Waiting),
    (Card::Refused, Event::Refuse, Card::Refused),
    (Card::Written, Event::Reopen, Card::ToWrite),
];

/// Whether a card may go from the one state to the other.
pub(super) fn is_step(from: &str, to: &str) -> bool {
    TABLE_2
        .iter()
        .any(|(known, _, next)| (known.name(), next.name()) == (from, to))
}

/// What happened to a card since its client withdrew an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Since {
    Nothing,
    /// Something that the standard does not count among the steps of a card.
    Something,
    AStep,
}

/// A chip and the card that it is.
#[derive(Clone, Debug)]
pub(super) struct Chip {
    pub(super) client: usize,
    pub(super) card: Card,
    pub(super) faulty: bool,
    pub(super) destroyed: bool,
    /// From its reopening until it is written again, its sessions go over its operator number.
    pub(super) reopened: bool,
    /// Its test allowance is used up.
    empty: bool,
    expires_at: i64,
    /// Its tasks, the latest last.
    pub(super) tasks: Vec<usize>,
    sessions: Vec<Session>,
    since_withdrawal: Since,
}

/// How a task ended, or how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Writing,
    Succeeded,
    Failed(&'static str),
    /// Its client withdrew it.
    Withdrawn,
    /// It ended before power-up, but its client did not withdraw it.
    Ended(&'static str),
}

impl State {
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Writing)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) chip: usize,
    /// The province of an automatic application.
    pub(super) province: Option<&'static str>,
    pub(super) number: usize,
    pub(super) state: State,
    /// The content was read back equal; what is left is to show that the number communicates.
    pub(super) verify: bool,
    pub(super) attempt: u32,
    started_at: i64,
}

/// Where a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the pool of its province, or with the client that it is allotted to.
    Home,
    /// Reserved by this task.
    For(usize),
    /// Part of it may be on this chip, and no task writes it.
    Held(usize),
    /// On the chip of this task, which wrote it.
    On(usize),
}

/// Whether a number may be used, as its operator says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Active,
    Suspended,
    Retired,
}

#[derive(Clone, Debug)]
pub(super) struct Number {
    province: &'static str,
    pub(super) client: Option<usize>,
    pub(super) place: Place,
    pub(super) usable: Use,
    /// The sessions whose gateways got it to send, by chip and place among those of the chip, so that part of it may be on
    /// a chip.
    sent_in: Vec<(usize, usize)>,
    /// Its card was written with another one, and no person has put it back yet.
    replaced: bool,
    /// The MSISDN of its file, by the number that first had it.
    msisdn: usize,
    /// It is the number with that MSISDN; not so before it takes it over, nor after another one did.
    has_msisdn: bool,
    /// The number whose MSISDN it takes over once it is verified.
    replaces: Option<usize>,
    /// When its last task ended.
    left_at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Write,
    Verify,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Open,
    Superseded,
    Closed,
}

#[derive(Clone, Debug)]
struct Session {
    task: Option<usize>,
    work: Work,
    /// Without a task: the number that it looks for on the card, and whether it said what it found.
    looks_for: Option<usize>,
    has_verdict: bool,
    opened_at: i64,
    /// When the gateway was last heard.
    heard_at: i64,
    link: Link,
    /// The test allowance pays for it.
    charged: bool,
    /// It used the whole allowance, and whether that was taken into account.
    drained: bool,
    counted: bool,
    /// A report of it was taken.
    reported: bool,
}

/// What a step must be answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Accepted,
    Refused(Reason),
    /// Nothing says which; neither changes anything.
    Either(Reason),
}

impl Answer {
    pub(super) fn allows(self, result: Result<(), Reason>) -> bool {
        match self {
            Self::Accepted => result.is_ok(),
            Self::Refused(reason) => result == Err(reason),
            Self::Either(reason) => result.is_ok() || result == Err(reason),
        }
    }
}

impl From<Result<(), Reason>> for Answer {
    fn from(result: Result<(), Reason>) -> Self {
        result.map_or_else(Self::Refused, |()| Self::Accepted)
    }
}

/// A platform as it must be.
pub(super) struct Expected {
    pub(super) chips: Vec<Chip>,
    pub(super) tasks: Vec<Task>,
    pub(super) numbers: Vec<Number>,
    now: i64,
}

/// §5.3.1.3: days of the test period, on 4G and on NB-IoT.
const TEST_PERIOD_DAYS: [i64; 2] = [270, 180];

/// When the period of a temporary number that was opened on the day that begins at `day` is over.
fn period_end(chip: usize, day: i64) -> i64 {
    // The day of opening is day 0, and the last day belongs to the period.
    day + (TEST_PERIOD_DAYS[usize::from(chip == 1)] + 1) * DAY_MS
}

/// The beginning of the day of `now` in China, where no clock is ever changed.
fn today(now: i64) -> i64 {
    let ahead = 8 * HOUR_MS;
    (now + ahead).div_euclid(DAY_MS) * DAY_MS - ahead
}

impl Expected {
    /// Chips whose temporary numbers were opened on the day that begins at `opened`, and numbers that are all at home.
    pub(super) fn new(opened: i64) -> Self {
        let chip = |n: usize| Chip {
            client: CLIENT_OF_CHIP[n],
            card: Card::ToWrite,
            faulty: false,
            destroyed: false,
            reopened: false,
            empty: false,
            expires_at: period_end(n, opened),
            tasks: Vec::new(),
            sessions: Vec::new(),
            since_withdrawal: Since::AStep,
        };
        let mut expected = Self {
            chips: (0..CHIPS).map(chip).collect(),
            tasks: Vec::new(),
            numbers: Vec::new(),
            now: opened,
        };
        for (province, client) in NUMBERS {
            expected.stock(province, client);
        }
        expected
    }

    /// Another number of a province.
    pub(super) fn stock(&mut self, province: &'static str, client: Option<usize>) {
        self.numbers.push(Number {
            province,
            client,
            place: Place::Home,
            usable: Use::Active,
            sent_in: Vec::new(),
            replaced: false,
            msisdn: self.numbers.len(),
            has_msisdn: true,
            replaces: None,
            left_at: self.now,
        });
    }

    /// Takes a step at `now`. `picked` is the number that the platform chose, if the step let it choose: one for a task, or
    /// one that a session is to look for.
    pub(super) fn take(&mut self, step: &Step, now: i64, picked: Option<usize>) -> Answer {
        self.now = now;
        match step {
            Step::Pass(_) => Answer::Accepted,
            Step::Apply { client, chip, choice } => self.apply(*client, *chip, choice, picked).into(),
            Step::Cancel { client, chip, back } => self.cancel(*client, *chip, *back),
            Step::End { chip, back } => self.end_by_hand(*chip, *back).into(),
            Step::Fault { chip, faulty } => self.fault(*chip, *faulty).into(),
            Step::Reopen(chip) => self.reopen(*chip).into(),
            Step::Destroy(chip) => self.destroy(*chip),
            Step::Replace { old, new } => self.replace(*old, *new, picked).into(),
            Step::Provide {
                chip,
                number,
                allowance,
            } => self.provide(*chip, *number, *allowance).into(),
            Step::TopUp(chip) => {
                self.touch(*chip);
                self.chips[*chip].empty = false;
                Answer::Accepted
            }
            Step::TakeOver { number, client } => self.take_over(*number, *client).into(),
            Step::Keys(number) => self.keys(*number).into(),
            Step::Act { number, act } => self.act(*number, *act).into(),
            Step::Reported { number, state } => self.reported(*number, state).into(),
            Step::Allot { number, client } => self.allot(*number, *client).into(),
            Step::Open(chip) => self.open(*chip, picked).into(),
            Step::OpenAgain { chip, back } => self.open_again(*chip, *back).into(),
            Step::Report {
                chip,
                back,
                heard,
                drain,
                again,
            } => self.report(*chip, *back, heard, *drain, *again).into(),
            Step::Tick { limited } => self.tick(*limited),
        }
    }

    /// Moves a card along Table 2. A rule that asks for another step is wrong itself.
    fn step(&mut self, chip: usize, event: Event) {
        let card = self.chips[chip].card;
        let step = TABLE_2.iter().find(|step| (step.0, step.1) == (card, event));
        let (_, _, to) = step.unwrap_or_else(|| panic!("Table 2 has no {event:?} of {card:?}"));
        self.chips[chip].card = *to;
        self.chips[chip].since_withdrawal = Since::AStep;
    }

    fn allows(&self, chip: usize, event: Event) -> bool {
        let card = self.chips[chip].card;
        TABLE_2.iter().any(|step| (step.0, step.1) == (card, event))
    }

    /// Something happened to a chip that may be no step of its card.
    fn touch(&mut self, chip: usize) {
        let since = &mut self.chips[chip].since_withdrawal;
        *since = (*since).max(Since::Something);
    }

    pub(super) fn open_task(&self, chip: usize) -> Option<usize> {
        let latest = *self.chips[chip].tasks.last()?;
        self.tasks[latest].state.is_open().then_some(latest)
    }

    /// The task that a call names: the latest of the chip, or the one so many before it.
    fn named(&self, chip: usize, back: Option<usize>) -> Option<usize> {
        self.chips[chip]
            .tasks
            .iter()
            .rev()
            .nth(back.unwrap_or(0))
            .copied()
    }
}
