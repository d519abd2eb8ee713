//! Applications and their end (§6.2.2, §7.2.2.2, §7.2.2.4), and what administrators do with chips (Tables 3 and 4).

use domain::HOUR_MS;
use domain::error::Reason;

use super::super::steps::Choice;
use super::{Answer, Card, Event, Expected, Place, Since, State, Task, Use, period_end, today};

impl Expected {
    /// §6.2.2.2, §7.2.2.2. The same application again is answered with the same task (§7.1.3).
    pub(super) fn apply(
        &mut self,
        client: usize,
        chip: usize,
        choice: &Choice,
        picked: Option<usize>,
    ) -> Result<(), Reason> {
        if self.chips[chip].client != client {
            return Err(Reason::UnknownChip);
        }
        if let Some(open) = self.open_task(chip) {
            let is_known = |choice: &Choice| match choice {
                Choice::This { number, .. } => self.numbers[*number].has_msisdn,
                Choice::Any(_) => true,
            };
            return if self.asks_for(open, choice) && is_known(choice) {
                Ok(())
            } else {
                Err(Reason::ApplicationPending)
            };
        }
        self.touch(chip);
        let named = match choice {
            Choice::This { number, own_msisdn } => Choice::This {
                number: *number,
                own_msisdn: *own_msisdn && self.numbers[*number].has_msisdn,
            },
            any @ Choice::Any(_) => any.clone(),
        };
        let number = self
            .may_be_written(chip)
            .and_then(|()| self.number_for(chip, &named, picked));
        match number {
            Ok(number) => {
                self.accept(chip, choice, number);
                Ok(())
            }
            Err(reason) => {
                if self.allows(chip, Event::Refuse) {
                    self.step(chip, Event::Refuse);
                }
                Err(reason)
            }
        }
    }

    fn asks_for(&self, task: usize, choice: &Choice) -> bool {
        let task = &self.tasks[task];
        match choice {
            Choice::Any(province) => task.province == Some(province),
            Choice::This { number, own_msisdn } => {
                task.province.is_none() && task.number == *number && *own_msisdn
            }
        }
    }

    /// §6.2.1.3: 待写卡, temporary number valid, test allowance sufficient. A reopened card uses neither.
    fn may_be_written(&self, chip: usize) -> Result<(), Reason> {
        let chip = &self.chips[chip];
        match chip.card {
            Card::Written => Err(Reason::AlreadyWritten),
            _ if chip.faulty => Err(Reason::ChipFaulty),
            _ if chip.reopened => Ok(()),
            _ if self.now >= chip.expires_at => Err(Reason::TemporaryNumberExpired),
            _ if chip.empty => Err(Reason::AllowanceExhausted),
            _ => Ok(()),
        }
    }

    fn accept(&mut self, chip: usize, choice: &Choice, number: usize) {
        let province = match choice {
            Choice::Any(province) => Some(*province),
            Choice::This { .. } => None,
        };
        let task = self.tasks.len();
        self.tasks.push(Task {
            chip,
            province,
            number,
            state: State::Waiting,
            verify: false,
            attempt: 1,
            started_at: 0,
        });
        self.chips[chip].tasks.push(task);
        self.numbers[number].place = Place::For(task);
        self.step(chip, Event::Accept);
    }

    /// §7.2.2.4: 403 unless the card is 待开机上电, 404 for what is unknown. Again, until anything else happens to the
    /// card, it is answered as the first time.
    pub(super) fn cancel(&mut self, client: usize, chip: usize, back: Option<usize>) -> Answer {
        let task = self.named(chip, back);
        if self.chips[chip].client != client {
            return Answer::Refused(if back.is_some() {
                Reason::UnknownTask
            } else {
                Reason::UnknownChip
            });
        }
        let Some(task) = task else {
            return Answer::Refused(match back {
                Some(_) => Reason::UnknownTask,
                None => Reason::WrongState,
            });
        };
        match self.tasks[task].state {
            State::Waiting => {
                self.tasks[task].state = State::Withdrawn;
                self.leave(task);
                self.step(chip, Event::Withdraw);
                self.chips[chip].since_withdrawal = Since::Nothing;
                Answer::Accepted
            }
            State::Withdrawn if self.chips[chip].tasks.last() == Some(&task) => {
                match self.chips[chip].since_withdrawal {
                    Since::Nothing => Answer::Accepted,
                    Since::Something => Answer::Either(Reason::WrongState),
                    Since::AStep => Answer::Refused(Reason::WrongState),
                }
            }
            _ => Answer::Refused(Reason::WrongState),
        }
    }

    /// An open task ends without a written card, along Table 2. What ends it from outside stops its session.
    pub(super) fn end(&mut self, task: usize, failure: &'static str, stops_session: bool) {
        let chip = self.tasks[task].chip;
        let (state, event) = match self.tasks[task].state {
            State::Waiting => (State::Ended(failure), Event::Withdraw),
            _ => (State::Failed(failure), Event::Fail),
        };
        self.tasks[task].state = state;
        self.leave(task);
        self.step(chip, event);
        if stops_session {
            self.supersede(chip);
        }
    }

    pub(super) fn end_by_hand(&mut self, chip: usize, back: Option<usize>) -> Result<(), Reason> {
        let task = self.named(chip, back).ok_or(Reason::UnknownTask)?;
        match self.tasks[task].state {
            State::Waiting | State::Writing => self.end(task, "ended_by_operator", true),
            State::Ended("ended_by_operator") | State::Failed("ended_by_operator") => (),
            _ => return Err(Reason::WrongState),
        }
        Ok(())
    }

    pub(super) fn end_open(&mut self, chip: usize, failure: &'static str) {
        if let Some(task) = self.open_task(chip) {
            self.end(task, failure, true);
        }
    }

    /// §8.2.2, Table 4: 记录故障芯片信息. A chip that is destroyed stays in the register.
    pub(super) fn fault(&mut self, chip: usize, faulty: bool) -> Result<(), Reason> {
        if !faulty && self.chips[chip].destroyed {
            return Err(Reason::WrongState);
        }
        self.touch(chip);
        self.chips[chip].faulty = faulty;
        if faulty {
            self.end_open(chip, "chip_faulty");
        }
        Ok(())
    }

    /// Table 3: 若需更换运营号，需按特殊流程上报处理.
    pub(super) fn reopen(&mut self, chip: usize) -> Result<(), Reason> {
        let known = &self.chips[chip];
        if known.reopened && known.card == Card::ToWrite {
            return Ok(());
        }
        if known.faulty {
            return Err(Reason::ChipFaulty);
        }
        if !self.allows(chip, Event::Reopen) {
            return Err(Reason::WrongState);
        }
        self.step(chip, Event::Reopen);
        self.chips[chip].reopened = true;
        Ok(())
    }

    /// A record of destruction is evidence that nothing on the chip is used again.
    pub(super) fn destroy(&mut self, chip: usize) -> Answer {
        if !self.chips[chip].destroyed {
            self.touch(chip);
            self.end_open(chip, "chip_destroyed");
            self.chips[chip].faulty = true;
            self.chips[chip].destroyed = true;
            self.release_held(chip);
        }
        Answer::Accepted
    }

    /// Table 4: 更换故障芯片，重新发起写卡申请. A refusal changes nothing.
    pub(super) fn replace(&mut self, old: usize, new: usize, picked: Option<usize>) -> Result<(), Reason> {
        if old == new || self.chips[old].client != self.chips[new].client {
            return Err(Reason::UnknownChip);
        }
        let task = *self.chips[old].tasks.last().ok_or(Reason::UnknownTask)?;
        let chip = &self.chips[old];
        let (number, province) = (self.tasks[task].number, self.tasks[task].province);
        let is_withdrawn = self.tasks[task].state == State::Withdrawn;
        if chip.reopened || is_withdrawn {
            return Err(Reason::WrongState);
        }
        if chip.card == Card::Written {
            return self.move_number(old, new, picked);
        }
        let choice = match province {
            Some(province) => Choice::Any(province),
            None => Choice::This {
                number,
                own_msisdn: true,
            },
        };
        if let Some(pending) = self.open_task(new) {
            return if chip.faulty && self.asks_for(pending, &choice) {
                Ok(())
            } else {
                Err(Reason::ApplicationPending)
            };
        }
        let there = &self.numbers[number];
        let is_there = there.place == Place::For(task) || there.place == Place::Held(old);
        if province.is_none() && !there.sent_in.is_empty() && is_there {
            return Err(Reason::NumberTaken);
        }
        self.may_be_written(new)?;
        // The number is at home again before the new chip is applied for.
        let before = there.clone();
        self.leave(task);
        let taken = self.number_for(new, &choice, picked);
        self.numbers[number] = before;
        let taken = taken?;
        self.end_open(old, "chip_replaced");
        self.touch(old);
        self.chips[old].faulty = true;
        self.accept(new, &choice, taken);
        Ok(())
    }

    /// 补换卡: the new chip is applied for with the data card that takes over the MSISDN. The old one goes on until that is
    /// verified.
    fn move_number(&mut self, old: usize, new: usize, picked: Option<usize>) -> Result<(), Reason> {
        let number = self.replacement(old).ok_or(Reason::UnknownNumber)?;
        let choice = Choice::This {
            number,
            own_msisdn: true,
        };
        match self.open_task(new) {
            Some(pending) if self.tasks[pending].number == number => Ok(()),
            Some(_) => Err(Reason::ApplicationPending),
            None => {
                self.may_be_written(new)?;
                let taken = self.number_for(new, &choice, picked)?;
                self.accept(new, &choice, taken);
                Ok(())
            }
        }
    }

    /// §5.3.1.3, §5.2.1.2, Table 4: 重新配置有效临时号码, or more test allowance, of a chip that is not written.
    pub(super) fn provide(&mut self, chip: usize, number: bool, allowance: bool) -> Result<(), Reason> {
        if matches!(self.chips[chip].card, Card::Writing | Card::Written) {
            return Err(Reason::WrongState);
        }
        self.touch(chip);
        if number {
            self.chips[chip].expires_at = period_end(chip, today(self.now));
        }
        if allowance {
            self.chips[chip].empty = false;
        }
        Ok(())
    }

    /// The periodic jobs end what cannot succeed any more. What was read back equal is never ended by time (§6.2.4.1).
    pub(super) fn tick(&mut self, limited: bool) -> Answer {
        for task in 0..self.tasks.len() {
            let known = &self.tasks[task];
            let chip = &self.chips[known.chip];
            let since = self.now - known.started_at;
            let failure = match known.state {
                State::Waiting | State::Writing if self.numbers[known.number].usable == Use::Retired => {
                    "number_retired"
                }
                State::Waiting if !chip.reopened && self.now >= chip.expires_at => "not_powered_up",
                State::Writing if limited && !known.verify && since >= HOUR_MS => "not_written_in_time",
                _ => continue,
            };
            self.end(task, failure, true);
        }
        Answer::Accepted
    }
}
