//! Sessions of chips (§6.2.3) and what their gateways report (§6.2.4.1).

use domain::HOUR_MS;
use domain::error::Reason;

use super::super::steps::{Choice, Heard, Step};
use super::{Card, Event, Expected, Link, Place, Session, State, Use, Work};

/// How often one application is written again when the card does not keep its content.
const ATTEMPTS: u32 = 5;

impl Expected {
    /// The work of a chip's next session. Without a task it looks for what the chip may hold.
    pub(in super::super) fn work(&self, chip: usize) -> Work {
        match self.open_task(chip) {
            None if !self.unjudged(chip).is_empty() => Work::Verify,
            None => Work::Nothing,
            Some(task) if self.tasks[task].verify => Work::Verify,
            Some(_) => Work::Write,
        }
    }

    /// §6.2.3.1: a card that powers up opens a channel and gets its work. A chip has one channel at a time.
    pub(super) fn open(&mut self, chip: usize, picked: Option<usize>) -> Result<(), Reason> {
        self.touch(chip);
        let (task, work) = (self.open_task(chip), self.work(chip));
        let unjudged = self.unjudged(chip);
        let looks_for = match task {
            None => picked.or(unjudged.first().copied()),
            Some(_) => None,
        };
        // A faulty chip is let in only for what frees its number.
        if self.chips[chip].faulty && looks_for.is_none() {
            return Err(Reason::ChipFaulty);
        }
        assert!(
            looks_for.is_none_or(|number| unjudged.contains(&number)),
            "chip {chip} looks for {looks_for:?}, not for one of {unjudged:?}"
        );
        // Verifying a writing goes over the operator number, and so does everything of a written or reopened card.
        let known = &self.chips[chip];
        let is_verifying = work == Work::Verify && task.is_some();
        let charged = !is_verifying && known.card != Card::Written && !known.reopened;
        if charged && self.chips[chip].empty {
            if let Some(task) = task.filter(|task| self.tasks[*task].state == State::Writing) {
                self.end(task, "allowance_exhausted", false);
            }
            return Err(Reason::AllowanceExhausted);
        }
        if let (Some(task), Work::Write) = (task, work) {
            let number = &mut self.numbers[self.tasks[task].number];
            if number.usable != Use::Active {
                return Err(Reason::NumberSuspended);
            }
            number.sent_in.push((chip, self.chips[chip].sessions.len()));
            if self.tasks[task].state == State::Waiting {
                self.tasks[task].state = State::Writing;
                self.tasks[task].started_at = self.now;
                self.step(chip, Event::PowerUp);
            }
        }
        self.supersede(chip);
        self.chips[chip].sessions.push(Session {
            task,
            work,
            looks_for,
            has_verdict: false,
            opened_at: self.now,
            heard_at: self.now,
            link: Link::Open,
            charged,
            drained: false,
            counted: false,
            reported: false,
        });
        Ok(())
    }

    /// The session of a chip that is `back` before the latest.
    fn session(&mut self, chip: usize, back: usize) -> Option<&mut Session> {
        self.chips[chip].sessions.iter_mut().rev().nth(back)
    }

    pub(super) fn supersede(&mut self, chip: usize) {
        for session in &mut self.chips[chip].sessions {
            if session.link == Link::Open {
                session.link = Link::Superseded;
            }
        }
    }

    /// Whether a session of the chip runs: one that was heard within the hour.
    pub(super) fn runs(&self, chip: usize) -> bool {
        let is_heard =
            |session: &Session| session.link == Link::Open && self.now - session.heard_at <= HOUR_MS;
        self.chips[chip].sessions.iter().any(is_heard)
    }

    /// The number that the latest session of the chip is about.
    pub(in super::super) fn number_of_session(&self, chip: usize) -> Option<usize> {
        let session = self.chips[chip].sessions.last()?;
        session
            .looks_for
            .or(session.task.map(|task| self.tasks[task].number))
    }

    pub(super) fn open_again(&mut self, chip: usize, back: usize) -> Result<(), Reason> {
        let Some(session) = self.session(chip, back).cloned() else {
            return Ok(());
        };
        match session.link {
            Link::Superseded => Err(Reason::SessionSuperseded),
            Link::Closed => Err(Reason::SessionClosed),
            Link::Open => match session.task {
                // Its number is not the task's any more.
                Some(task) if !self.has_number(task) => Err(Reason::NumberSuspended),
                None if !self.holds(chip, session.looks_for) => Err(Reason::NumberSuspended),
                _ => Ok(()),
            },
        }
    }

    fn holds(&self, chip: usize, number: Option<usize>) -> bool {
        number.is_none_or(|number| self.numbers[number].place == Place::Held(chip))
    }

    fn has_number(&self, task: usize) -> bool {
        let place = self.numbers[self.tasks[task].number].place;
        place == Place::For(task) || place == Place::On(task)
    }

    /// A step as it can be: a number is one that there is, or the latest; only a report that was taken before can be sent again, and only a writing is long enough to
    /// use the whole test allowance.
    pub(in super::super) fn possible(&mut self, mut step: Step) -> Step {
        let latest = self.numbers.len() - 1;
        match &mut step {
            Step::Act { number, .. }
            | Step::Allot { number, .. }
            | Step::TakeOver { number, .. }
            | Step::Keys(number)
            | Step::Apply {
                choice: Choice::This { number, .. },
                ..
            } => *number = latest.min(*number),
            _ => (),
        }
        if let Step::Report {
            chip,
            back,
            drain,
            again,
            ..
        } = &mut step
        {
            let session = self.session(*chip, *back);
            *drain &= session
                .as_ref()
                .is_some_and(|session| session.work == Work::Write);
            *again &= session.is_some_and(|session| session.reported);
        }
        step
    }

    /// A report of a session. Of one that another has replaced only the bytes count.
    pub(super) fn report(
        &mut self,
        chip: usize,
        back: usize,
        heard: &Heard,
        drain: bool,
        again: bool,
    ) -> Result<(), Reason> {
        self.touch(chip);
        let Some(session) = self.session(chip, back) else {
            return Ok(());
        };
        session.drained |= drain;
        let session = session.clone();
        let result = match session.link {
            Link::Superseded => Err(Reason::SessionSuperseded),
            Link::Closed if again => Ok(()),
            Link::Closed => Err(Reason::SessionClosed),
            Link::Open if again => Ok(()),
            Link::Open => self.hear(chip, back, &session, heard),
        };
        if result == Err(Reason::ReportOutOfOrder) {
            // Nothing of it remains; the next report says the bytes again.
            return result;
        }
        if session.charged && session.drained && !session.counted {
            self.chips[chip].empty = true;
        }
        let now = self.now;
        if let Some(known) = self.session(chip, back) {
            known.heard_at = now;
            known.counted = known.drained;
            known.reported |= result.is_ok();
        }
        result
    }

    fn hear(&mut self, chip: usize, back: usize, session: &Session, heard: &Heard) -> Result<(), Reason> {
        if *heard == Heard::Closed {
            if let Some(session) = self.session(chip, back) {
                session.link = Link::Closed;
            }
            return Ok(());
        }
        if let Some(number) = session.looks_for {
            return self.judge(chip, back, number, heard);
        }
        let writing = |task: &usize| self.tasks[*task].state == State::Writing;
        let task = session.task.filter(writing).ok_or(Reason::ReportOutOfOrder)?;
        let verify = self.tasks[task].verify;
        match heard {
            Heard::Progress(_) | Heard::Closed => (),
            Heard::Written if session.work == Work::Write && !verify => self.tasks[task].verify = true,
            Heard::Verified if session.work == Work::Verify && verify => self.succeed(chip, task),
            Heard::NotVerified { rewrite, .. } if session.work == Work::Verify && verify => {
                if *rewrite && self.tasks[task].attempt >= ATTEMPTS {
                    self.end(task, "read_back_mismatch", false);
                    self.chips[chip].faulty = true;
                } else if *rewrite {
                    self.tasks[task].verify = false;
                    self.tasks[task].attempt += 1;
                }
            }
            Heard::Unable { for_number } => {
                // A number that no gateway ever sent goes home (Table 4). One that a gateway cannot send would fail other
                // chips too.
                if !session.reported && !for_number {
                    let latest = self.chips[chip].sessions.len() - 1;
                    let sent_in = &mut self.numbers[self.tasks[task].number].sent_in;
                    sent_in.retain(|session| *session != (chip, latest - back));
                }
                let failure = if *for_number {
                    "data_unusable"
                } else {
                    "profile_unknown"
                };
                self.end(task, failure, false);
            }
            Heard::Failed { chip_fault } => {
                self.end(task, "card_error", false);
                self.chips[chip].faulty |= *chip_fault;
            }
            _ => return Err(Reason::ReportOutOfOrder),
        }
        Ok(())
    }

    /// What a session without a task found on the card. With the IMSI of another number no network lets it in with this one;
    /// anything else leaves the number where it is.
    fn judge(&mut self, chip: usize, back: usize, number: usize, heard: &Heard) -> Result<(), Reason> {
        let is_free = match heard {
            Heard::NotVerified { other_imsi, .. } => *other_imsi,
            Heard::Verified | Heard::Failed { .. } | Heard::Unable { .. } => false,
            _ => return Err(Reason::ReportOutOfOrder),
        };
        if let Some(session) = self.session(chip, back) {
            session.has_verdict = true;
        }
        if is_free {
            self.release(chip, number);
        }
        Ok(())
    }

    /// §6.2.4.1: the number communicates. The chip holds it and nothing else, whatever its operator made of it.
    fn succeed(&mut self, chip: usize, task: usize) {
        self.tasks[task].state = State::Succeeded;
        self.numbers[self.tasks[task].number].place = Place::On(task);
        if self.chips[chip].reopened {
            self.chips[chip].reopened = false;
            self.leave_rewritten(chip, task);
        }
        self.pass_msisdn(self.tasks[task].number);
        self.release_held(chip);
        self.step(chip, Event::Succeed);
    }
}
