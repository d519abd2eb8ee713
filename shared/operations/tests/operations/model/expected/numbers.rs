//! Where numbers are (Table 1, Table 4), and what operators and administrators do with them (§5.3.1.1).
//!
//! The standard does not say when a number that may be on a chip is free again. What was decided: on evidence that no
//! network lets the chip in with it.

use domain::error::Reason;
use operations::NumberAct;

use super::super::steps::Choice;
use super::{Expected, Place, Session, State, Use};

impl Expected {
    /// Table 1. A chip that may hold a number of the province gets that one, because no other chip can have it.
    pub(super) fn number_for(
        &self,
        chip: usize,
        choice: &Choice,
        picked: Option<usize>,
    ) -> Result<usize, Reason> {
        match choice {
            Choice::Any(province) => {
                let at = |place: Place| -> Vec<usize> {
                    (0..self.numbers.len())
                        .filter(|n| {
                            let number = &self.numbers[*n];
                            number.place == place
                                && number.province == *province
                                && number.client.is_none()
                                && number.usable == Use::Active
                        })
                        .collect()
                };
                let held = at(Place::Held(chip));
                let from = if held.is_empty() { at(Place::Home) } else { held };
                let first = *from.first().ok_or(Reason::ProvinceWithoutNumber)?;
                let picked = picked.unwrap_or(first);
                assert!(
                    from.contains(&picked),
                    "chip {chip} got number {picked}, not one of {from:?}"
                );
                Ok(picked)
            }
            Choice::This { number, own_msisdn } => {
                let known = &self.numbers[*number];
                if known.client != Some(self.chips[chip].client) {
                    // Another client's number is as unknown as one that is not allotted.
                    return Err(Reason::UnknownNumber);
                }
                if !own_msisdn {
                    return Err(Reason::NumberMismatch);
                }
                match known.place {
                    _ if known.usable != Use::Active => Err(Reason::NumberSuspended),
                    Place::Home => Ok(*number),
                    Place::Held(holder) if holder == chip => Ok(*number),
                    _ => Err(Reason::NumberTaken),
                }
            }
        }
    }

    /// A task ends without a written card: what no gateway got to send is at home, the rest is held by its chip
    /// (Table 4). A number that is suspended or retired goes the same way.
    pub(super) fn leave(&mut self, task: usize) {
        let chip = self.tasks[task].chip;
        let number = &mut self.numbers[self.tasks[task].number];
        if number.place == Place::For(task) {
            number.left_at = self.now;
            number.place = if number.sent_in.is_empty() {
                Place::Home
            } else {
                Place::Held(chip)
            };
        }
    }

    /// What the chip held without a task is not on it, or on nothing any more.
    pub(super) fn release_held(&mut self, chip: usize) {
        for number in 0..self.numbers.len() {
            self.release(chip, number);
        }
    }

    /// Nothing lets the chip in with the number, if it holds it.
    pub(super) fn release(&mut self, chip: usize, number: usize) {
        let number = &mut self.numbers[number];
        if number.place == Place::Held(chip) {
            number.place = Place::Home;
            number.sent_in.clear();
        }
    }

    /// The numbers that the chip holds and of which no session has said since their last task whether they are on it.
    pub(in super::super) fn unjudged(&self, chip: usize) -> Vec<usize> {
        let is_judged = |number: usize| {
            let at = self.numbers[number].left_at;
            let judged = |session: &&Session| session.looks_for == Some(number) && session.has_verdict;
            let mut sessions = self.chips[chip].sessions.iter().filter(judged);
            sessions.any(|session| session.opened_at >= at)
        };
        let held = |number: &usize| self.numbers[*number].place == Place::Held(chip);
        let all = (0..self.numbers.len()).filter(held);
        all.filter(|number| !is_judged(*number)).collect()
    }

    /// A data card is imported that is to take over the MSISDN of one that a chip was written with.
    pub(super) fn take_over(&mut self, number: usize, client: usize) -> Result<(), Reason> {
        let there = &self.numbers[number];
        if !matches!(there.place, Place::On(_)) || !there.has_msisdn {
            return Err(Reason::NumberMismatch);
        }
        let rivals = |other: &super::Number| other.replaces == Some(number) && other.usable != Use::Retired;
        if self.numbers.iter().any(rivals) {
            return Err(Reason::NumberTaken);
        }
        let msisdn = there.msisdn;
        self.stock("37", Some(client));
        if let Some(new) = self.numbers.last_mut() {
            (new.msisdn, new.has_msisdn, new.replaces) = (msisdn, false, Some(number));
        }
        Ok(())
    }

    /// The data card that is to take over the MSISDN of the number that a chip was written with: the latest one.
    pub(super) fn replacement(&self, chip: usize) -> Option<usize> {
        let is_written = |place| matches!(place, Place::On(task) if self.tasks[task].chip == chip);
        let fits = |number: &usize| {
            let number = &self.numbers[*number];
            let replaced = number.replaces.map(|old| self.numbers[old].place);
            replaced.is_some_and(is_written)
                && !matches!(number.place, Place::On(_))
                && number.usable != Use::Retired
        };
        (0..self.numbers.len()).rev().find(fits)
    }

    /// 补换卡: the card that is verified has the MSISDN now. The former card is retired, and a chip that was written with it is
    /// out of use.
    pub(super) fn pass_msisdn(&mut self, new: usize) {
        let Some(old) = self.numbers[new].replaces else {
            return;
        };
        if !self.numbers[old].has_msisdn {
            // Another one took it over.
            return;
        }
        self.numbers[new].has_msisdn = true;
        let former = &mut self.numbers[old];
        (former.has_msisdn, former.usable) = (false, Use::Retired);
        if let Place::On(task) = former.place {
            let chip = self.tasks[task].chip;
            self.touch(chip);
            self.end_open(chip, "chip_replaced");
            self.chips[chip].faulty = true;
        }
    }

    /// Another K: the operator's network knows the former one no more. A number that a chip holds is free, and a card that is
    /// being written begins anew.
    pub(super) fn keys(&mut self, number: usize) -> Result<(), Reason> {
        let chip = match self.numbers[number].place {
            Place::On(_) => return Err(Reason::NumberInUse),
            Place::Home => return Ok(()),
            Place::Held(chip) => chip,
            Place::For(task) => self.tasks[task].chip,
        };
        if self.runs(chip) {
            return Err(Reason::SessionRunning);
        }
        self.touch(chip);
        self.supersede(chip);
        self.release(chip, number);
        if let Place::For(task) = self.numbers[number].place {
            let task = &mut self.tasks[task];
            if task.state == State::Writing {
                task.verify = false;
                task.attempt += 1;
            }
        }
        Ok(())
    }

    /// The chip was written with another number by `task`; its former one is out of use until a person puts it back.
    pub(super) fn leave_rewritten(&mut self, chip: usize, task: usize) {
        let tasks = &self.tasks;
        for number in &mut self.numbers {
            match number.place {
                Place::On(writer) if writer != task && tasks[writer].chip == chip => {
                    number.place = Place::Home;
                    number.sent_in.clear();
                    number.replaced = true;
                    if number.usable == Use::Active {
                        number.usable = Use::Suspended;
                    }
                }
                _ => (),
            }
        }
    }

    /// 停用, 恢复, 注销. Nothing comes back from 注销, and nothing that a card waits for goes there by hand.
    pub(super) fn act(&mut self, number: usize, act: NumberAct) -> Result<(), Reason> {
        let number = &mut self.numbers[number];
        match (act, number.usable, number.place) {
            (NumberAct::Retire, Use::Retired, _) => (),
            (_, Use::Retired, _) | (NumberAct::Retire, _, Place::For(_)) => return Err(Reason::NumberInUse),
            (NumberAct::Retire, ..) => number.usable = Use::Retired,
            (NumberAct::Suspend, ..) => number.usable = Use::Suspended,
            (NumberAct::Resume, ..) => {
                number.usable = Use::Active;
                number.replaced = false;
            }
        }
        Ok(())
    }

    /// What an operator reports is a fact, whatever waits for the number. It cannot know that a card has another one.
    pub(super) fn reported(&mut self, msisdn: usize, state: &str) -> Result<(), Reason> {
        let known = |number: &&mut super::Number| number.msisdn == msisdn && number.has_msisdn;
        let number = self.numbers.iter_mut().find(known).ok_or(Reason::UnknownNumber)?;
        match state {
            "retired" => number.usable = Use::Retired,
            _ if number.usable == Use::Retired => return Err(Reason::NumberInUse),
            "suspended" => number.usable = Use::Suspended,
            _ if number.replaced => (),
            _ => number.usable = Use::Active,
        }
        Ok(())
    }

    /// 划拨, and back. Only what is at home and in use changes hands.
    pub(super) fn allot(&mut self, number: usize, client: Option<usize>) -> Result<(), Reason> {
        let number = &mut self.numbers[number];
        let is_free = number.place == Place::Home && number.usable == Use::Active;
        let is_others = number.client.is_some() && client.is_some() && number.client != client;
        // A card that takes over an MSISDN is never anybody's.
        if !is_free || is_others || (client.is_none() && number.replaces.is_some()) {
            return Err(Reason::NumberInUse);
        }
        number.client = client;
        Ok(())
    }
}
