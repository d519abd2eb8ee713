//! The work of one session on one card: what to read and write next, and what follows from the answers.
//!
//! Writing goes through three phases, each a list of units in a fixed order: *survey* reads every file, *write*
//! updates those that differ from what was reserved, *read back* reads again what must be equal. Verifying
//! is a survey alone. All updates are absolute, so that repeating one changes nothing; what a card holds is
//! decided by reading, never by memory. A command to which the card is busy is sent again. It must never write a file
//! whose content it has not read in this session, nor load key material that was acknowledged before and whose IMSI
//! the card still holds.

use std::sync::Arc;

use gateway_protocol::FailureKind;
use uicc::apdu::{CommandApdu, SwClass};
use uicc::ef::Imsi;

use super::answers::{self, Answered, Refused};
use super::content::{Values, desired, is_registered, is_reserved};
use super::failure::Failure;
use super::script::{Access, Batch, Packer, Role};
use crate::profile::{EfKind, File, IccidPolicy, IdentitySwitch, Profile};

/// Most answers in a row by which the card says that it is busy, before the session gives up.
const MAX_BUSY_ANSWERS: u32 = 8;

/// What a session does to a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Write,
    Verify,
}

/// The phase of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Survey,
    Write,
    ReadBack,
    Done,
}

/// One unit of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// The file at this position of the profile.
    File(usize),
    /// The key command.
    Keys,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum FileState {
    Unknown,
    Holds(Vec<u8>),
    /// The card lacks the file, or keeps its ICCID, and the profile accepts that.
    Skipped,
}

/// How far a session has come. Holds no key material, so that it may be kept for a resumed session.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    phase: Phase,
    /// First unit of the phase that is not acknowledged.
    at: usize,
    files: Vec<FileState>,
    keys_loaded: bool,
    wrote: bool,
}

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The card holds what was reserved, and a location file says that the module registered.
    Verified,
    /// The card does not hold what was reserved; whether its IMSI is another one, and which files differ.
    Differs { other_imsi: bool, detail: String },
    /// The card holds it, but no location file says "updated".
    NotRegistered(String),
}

/// The work of one session on one card.
#[derive(Debug)]
pub(crate) struct CardJob {
    pub(crate) purpose: Purpose,
    pub(crate) profile: Arc<Profile>,
    values: Values,
    key_command: Option<CommandApdu>,
    /// Last step acknowledged in an earlier session of the same attempt.
    resume_step: u32,
    max_script_bytes: usize,
    /// Answers in a row by which the card said that it is busy.
    busy_answers: u32,
    checkpoint: Checkpoint,
}

impl CardJob {
    /// Work that has not begun. `resume_step`: last step acknowledged in an earlier session of the same attempt.
    /// `max_script_bytes`: most bytes of one script.
    pub(crate) fn new(
        purpose: Purpose,
        profile: Arc<Profile>,
        values: Values,
        key_command: Option<CommandApdu>,
        resume_step: u32,
        max_script_bytes: usize,
    ) -> Self {
        let files = vec![FileState::Unknown; profile.files.len()];
        let checkpoint = Checkpoint {
            phase: Phase::Survey,
            at: 0,
            files,
            keys_loaded: false,
            wrote: false,
        };
        Self {
            purpose,
            profile,
            values,
            key_command,
            resume_step,
            max_script_bytes,
            busy_answers: 0,
            checkpoint,
        }
    }

    /// How far the work has come.
    pub(crate) fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Goes on from the checkpoint of an interrupted session, if it is one of this profile. A card that may have gone
    /// back to its old identity meanwhile is surveyed anew.
    pub(crate) fn resume_at(&mut self, checkpoint: Checkpoint) {
        let may_have_reverted = self.profile.identity_switch.may_revert();
        if checkpoint.files.len() == self.profile.files.len() && !may_have_reverted {
            self.checkpoint = checkpoint;
        }
    }

    /// What the card holds that changes with each of its power-ups, once it was read.
    pub(crate) fn power_up(&self) -> Option<&[u8]> {
        let position = self.profile.position(EfKind::Powerups)?;
        match self.checkpoint.files.get(position) {
            Some(FileState::Holds(marker)) => Some(marker),
            _ => None,
        }
    }

    /// Steps in all.
    pub(crate) fn steps(&self) -> u32 {
        self.step_of(Phase::Done, 0)
    }

    /// Steps acknowledged, in this session or before.
    pub(crate) fn step(&self) -> u32 {
        self.step_of(self.checkpoint.phase, self.checkpoint.at)
            .max(self.resume_step)
            .min(self.steps())
    }

    fn step_of(&self, phase: Phase, at: usize) -> u32 {
        let before = [Phase::Survey, Phase::Write, Phase::ReadBack]
            .into_iter()
            .filter(|earlier| *earlier < phase);
        let units: usize = before.map(|earlier| self.units(earlier).len()).sum::<usize>() + at;
        u32::try_from(units).unwrap_or(u32::MAX)
    }

    /// The next commands; none once everything is done. It can be repeated: the work advances only with an answer.
    ///
    /// # Errors
    /// The failure of the writing: content that does not fit a file, or what was read back differs.
    pub(crate) fn next_batch(&mut self) -> Result<Option<Batch>, Failure> {
        while self.checkpoint.phase != Phase::Done {
            let batch = self.pack()?;
            if !batch.commands.is_empty() {
                return Ok(Some(batch));
            }
            if self.checkpoint.phase == Phase::ReadBack {
                self.compare()?;
            }
            self.checkpoint.at = 0;
            self.checkpoint.phase = match (self.checkpoint.phase, self.purpose) {
                (Phase::Survey, Purpose::Write) => Phase::Write,
                (Phase::Write, _) => Phase::ReadBack,
                _ => Phase::Done,
            };
        }
        Ok(None)
    }

    /// Takes the card's answer to `batch`. The answered commands are in the list even where the work fails.
    pub(crate) fn on_answer(&mut self, batch: &Batch, answer: &[u8]) -> (Vec<Answered>, Result<(), Failure>) {
        let (answered, outcome) = answers::read(batch, answer);
        let result = match outcome {
            Ok(outcome) => self.apply(batch, outcome),
            Err(failure) => Err(failure),
        };
        (answered, result)
    }

    fn apply(&mut self, batch: &Batch, outcome: answers::Outcome) -> Result<(), Failure> {
        let phase = self.checkpoint.phase;
        let units = self.units(phase);
        for done in outcome.done {
            match (
                batch.commands.get(done.command).map(|command| command.role),
                units.get(done.unit),
            ) {
                (Some(Role::Read), Some(Unit::File(file))) => {
                    self.checkpoint.files[*file] = FileState::Holds(done.data)
                }
                (Some(Role::Update), Some(Unit::File(_))) => self.checkpoint.wrote = true,
                (Some(Role::LoadKeys), _) => {
                    self.checkpoint.wrote = true;
                    self.checkpoint.keys_loaded = true;
                }
                _ => {}
            }
        }
        let mut next = batch.end;
        let mut busy = false;
        for refused in outcome.refused {
            let unit = units.get(refused.unit).copied();
            busy = refused.status.class() == SwClass::Busy;
            if busy {
                let begun = refused.unit > self.checkpoint.at;
                self.busy_answers = if begun { 1 } else { self.busy_answers + 1 };
                if self.busy_answers > MAX_BUSY_ANSWERS {
                    return Err(Failure::of_status(&refused.description, refused.status));
                }
                next = refused.unit;
                break;
            }
            self.accept_refusal(unit, &refused)?;
            if refused.stopped {
                next = refused.unit + 1;
            }
        }
        if !busy {
            self.busy_answers = 0;
        }
        self.checkpoint.at = next;
        Ok(())
    }

    /// Skips a file that the card may lack and lacks, and an ICCID that the card may keep and keeps; any other refusal
    /// fails the work.
    fn accept_refusal(&mut self, unit: Option<Unit>, refused: &Refused) -> Result<(), Failure> {
        let failure = Failure::of_status(&refused.description, refused.status);
        let Some(Unit::File(file)) = unit else {
            return Err(failure.of_keys());
        };
        let rule = self.profile.files.get(file);
        let is_of_iccid = rule.is_some_and(|file| file.ef == EfKind::Iccid);
        let is_iccid = is_of_iccid && refused.role == Role::Update;
        let may_keep_iccid = is_of_iccid && self.profile.iccid == IccidPolicy::Optional;
        let may_lack = (self.profile.is_optional(file) || may_keep_iccid) && !self.must_read_back(file);
        let is_survey = self.checkpoint.phase == Phase::Survey;
        let lacks = is_survey && refused.is_absence();
        // A file for which nothing was reserved is neither written nor compared.
        let is_unneeded = is_survey && rule.is_some_and(|file| !is_reserved(file, &self.values));
        let keeps_iccid = is_iccid && may_keep_iccid && refused.is_denial();
        if (may_lack && lacks) || is_unneeded || keeps_iccid {
            self.checkpoint.files[file] = FileState::Skipped;
            return Ok(());
        }
        Err(if is_iccid { failure.of_iccid() } else { failure })
    }

    fn pack(&self) -> Result<Batch, Failure> {
        let units = self.units(self.checkpoint.phase);
        let mut packer = Packer::new(&self.profile, self.max_script_bytes, self.checkpoint.at);
        let mut at = self.checkpoint.at;
        while let Some(unit) = units.get(at) {
            // Between these two commands a loss of power loses the card: nothing else lengthens the time.
            let alone = *unit == Unit::Keys && self.profile.switches_in_two() && self.keys_due().is_some();
            if alone && !packer.is_empty() {
                break;
            }
            let used = match *unit {
                Unit::Keys => match self.keys_due() {
                    Some(apdu) => {
                        let next = self.file_and_access(units.get(at + 1).copied())?;
                        let used = 1 + usize::from(next.is_some());
                        packer
                            .add_keys(
                                at,
                                apdu.clone(),
                                next.as_ref().map(|(file, access)| (*file, access)),
                            )?
                            .then_some(used)
                    }
                    None => Some(0),
                },
                file => match self.file_and_access(Some(file))? {
                    Some((file, access)) => packer.add_file(at, file, &access)?.then_some(1),
                    None => Some(0),
                },
            };
            match used {
                None => break,
                Some(0) => {
                    packer.skip(at);
                    at += 1;
                }
                Some(used) => at += used,
            }
            if alone {
                break;
            }
        }
        Ok(packer.finish())
    }

    /// What is to be done to a file in this phase, if anything.
    fn file_and_access(&self, unit: Option<Unit>) -> Result<Option<(&File, Access)>, Failure> {
        let Some(Unit::File(at)) = unit else {
            return Ok(None);
        };
        let (Some(file), Some(state)) = (self.profile.files.get(at), self.checkpoint.files.get(at)) else {
            return Ok(None);
        };
        let access = match (self.checkpoint.phase, state) {
            (Phase::Survey, _) => Some(Access::Read),
            (_, FileState::Skipped) => None,
            // The key command carries it.
            (Phase::Write, _) if file.ef == EfKind::Imsi && self.switches_in_one() => None,
            (Phase::Write, FileState::Holds(held)) => desired(&self.profile, file, &self.values, held)?
                .filter(|content| !held.starts_with(content))
                .map(Access::Update),
            (Phase::ReadBack, _) if self.checkpoint.wrote => Some(Access::Read),
            _ => None,
        };
        Ok(access.map(|access| (file, access)))
    }

    fn keys_due(&self) -> Option<&CommandApdu> {
        let position = self
            .units(Phase::Write)
            .iter()
            .position(|unit| *unit == Unit::Keys)?;
        let acknowledged_before = self.resume_step > self.step_of(Phase::Write, position);
        let still_there = acknowledged_before && self.holds_imsi();
        self.key_command
            .as_ref()
            .filter(|_| !self.checkpoint.keys_loaded && !still_there)
    }

    /// Whether the key command carries the IMSI too.
    fn switches_in_one(&self) -> bool {
        self.key_command.is_some() && self.profile.identity_switch == IdentitySwitch::OneCommand
    }

    /// Whether the card held the reserved IMSI when it was read last.
    fn holds_imsi(&self) -> bool {
        let imsi = self.profile.position(EfKind::Imsi).map(Unit::File);
        imsi.is_some_and(|imsi| matches!(self.differing(imsi), Ok(None)))
    }

    /// Whether the card held another IMSI than the reserved one when it was read last: not merely none, and not because
    /// it went back to its old identity and keeps the other in store.
    fn holds_other_imsi(&self) -> bool {
        let keeps_two = self.profile.identity_switch == IdentitySwitch::CardFallback;
        let Some(at) = self.profile.position(EfKind::Imsi).filter(|_| !keeps_two) else {
            return false;
        };
        let is_imsi =
            matches!(&self.checkpoint.files[at], FileState::Holds(held) if Imsi::parse(held).is_ok());
        is_imsi && matches!(self.differing(Unit::File(at)), Ok(Some(_)))
    }

    /// The units of a phase: the same in every session of a profile, so that steps keep their numbers.
    fn units(&self, phase: Phase) -> Vec<Unit> {
        let written = (0..self.profile.files.len()).filter(|at| self.profile.is_written(*at));
        match (phase, self.purpose) {
            (Phase::Survey, Purpose::Write) => written.map(Unit::File).collect(),
            (Phase::Survey, Purpose::Verify) => written
                .filter(|at| self.is_compared(*at) || self.profile.proves_registration(*at))
                .map(Unit::File)
                .collect(),
            (Phase::Write, Purpose::Write) => {
                let imsi = self.profile.position(EfKind::Imsi);
                let has_keys = self.profile.key_material.is_some();
                written
                    .flat_map(|at| {
                        let keys = (has_keys && Some(at) == imsi).then_some(Unit::Keys);
                        keys.into_iter().chain([Unit::File(at)])
                    })
                    .collect()
            }
            (Phase::ReadBack, Purpose::Write) => written
                .filter(|at| self.is_read_back(*at))
                .map(Unit::File)
                .collect(),
            _ => Vec::new(),
        }
    }

    fn is_read_back(&self, at: usize) -> bool {
        let file = &self.profile.files[at];
        file.ef == EfKind::Fixed || self.profile.read_back.efs.contains(&file.ef)
    }

    /// Whether the writing cannot succeed before the file was read back: `read_back` names it, and something was
    /// reserved for it.
    fn must_read_back(&self, at: usize) -> bool {
        self.profile.files.get(at).is_some_and(|file| {
            self.profile.read_back.efs.contains(&file.ef) && is_reserved(file, &self.values)
        })
    }

    /// Whether a verification compares the file.
    fn is_compared(&self, at: usize) -> bool {
        match self.profile.files[at].ef {
            EfKind::Imsi | EfKind::Msisdn => true,
            EfKind::Iccid => self.profile.iccid == IccidPolicy::Write,
            _ => false,
        }
    }

    fn differing(&self, unit: Unit) -> Result<Option<String>, Failure> {
        let Unit::File(at) = unit else { return Ok(None) };
        let file = &self.profile.files[at];
        let FileState::Holds(held) = &self.checkpoint.files[at] else {
            return Ok(self.must_read_back(at).then(|| file.name()));
        };
        let content = desired(&self.profile, file, &self.values, held)?;
        Ok(content
            .filter(|content| !held.starts_with(content))
            .map(|_| file.name()))
    }

    fn compare(&self) -> Result<(), Failure> {
        let units = self.units(Phase::ReadBack);
        let differing: Vec<String> = units
            .into_iter()
            .filter_map(|unit| self.differing(unit).transpose())
            .collect::<Result<_, _>>()?;
        if differing.is_empty() {
            return Ok(());
        }
        let detail = format!(
            "{}: read back differs from what was written",
            differing.join(", ")
        );
        Err(Failure::new(FailureKind::ReadBackMismatch, detail))
    }

    /// The result of a finished verification.
    pub(crate) fn verdict(&self) -> Verdict {
        let mut differing = Vec::new();
        let mut registered = false;
        for unit in self.units(Phase::Survey) {
            let Unit::File(at) = unit else { continue };
            if self.is_compared(at) {
                match self.differing(unit) {
                    Ok(name) => differing.extend(name),
                    Err(failure) => differing.push(failure.detail),
                }
            }
            if let (true, FileState::Holds(held)) =
                (self.profile.proves_registration(at), &self.checkpoint.files[at])
            {
                registered |= is_registered(self.profile.files[at].ef, held);
            }
        }
        match (differing.is_empty(), registered) {
            (false, _) => Verdict::Differs {
                other_imsi: self.holds_other_imsi(),
                detail: format!("{}: not what was reserved", differing.join(", ")),
            },
            (true, false) => {
                Verdict::NotRegistered("no location file says that the module registered".to_owned())
            }
            (true, true) => Verdict::Verified,
        }
    }
}
