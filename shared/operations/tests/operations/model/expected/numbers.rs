//! Where numbers are (Table 1, Table 4), and what operators and administrators do with them (§5.3.1.1).

use domain::error::Reason;
use operations::NumberAct;

use super::super::steps::Choice;
use super::{Expected, Place, Use};

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
            number.place = if number.sent {
                Place::Held(chip)
            } else {
                Place::Home
            };
        }
    }

    /// What the chip held without a task is not on it, or on nothing any more.
    pub(super) fn release_held(&mut self, chip: usize) {
        for number in &mut self.numbers {
            if number.place == Place::Held(chip) {
                number.place = Place::Home;
                number.sent = false;
            }
        }
    }

    /// The chip was written with another number by `task`; its former one is out of use until a person puts it back.
    pub(super) fn leave_rewritten(&mut self, chip: usize, task: usize) {
        let tasks = &self.tasks;
        for number in &mut self.numbers {
            match number.place {
                Place::On(writer) if writer != task && tasks[writer].chip == chip => {
                    number.place = Place::Home;
                    number.sent = false;
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
    pub(super) fn reported(&mut self, number: usize, state: &str) -> Result<(), Reason> {
        let number = &mut self.numbers[number];
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
        if !is_free || is_others {
            return Err(Reason::NumberInUse);
        }
        number.client = client;
        Ok(())
    }
}
