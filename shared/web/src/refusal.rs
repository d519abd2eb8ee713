//! The refusal of a call: one or more problems, each with the parameter it concerns.
//!
//! Never include a value that the caller sent. Names of parameters and broken rules are shown.

use std::net::IpAddr;

use domain::error::{Error, Reason};
use domain::{Budget, Malformed};

/// Longest part of a name sent by the caller that an answer repeats, in characters.
pub(crate) const MAX_ECHOED_NAME_CHARS: usize = 40;

/// One problem of a call.
#[derive(Debug)]
pub(crate) struct Problem {
    /// What is wrong, from the catalogue.
    pub error: Error,
    /// The parameter it concerns, as it was sent.
    pub field: Option<String>,
}

impl Problem {
    /// A problem with the parameter or field called `name`; the message repeats the name.
    pub(crate) fn with_field(name: &str, reason: Reason) -> Self {
        let name = echoed(name);
        Self {
            error: Error::new(reason).with_detail(&name, &name),
            field: Some(name),
        }
    }

    /// A problem with the parameter or field called `name`.
    pub(crate) fn of_error(name: &str, error: Error) -> Self {
        Self {
            error,
            field: Some(echoed(name)),
        }
    }
}

/// The refusal of a call: never without a problem.
#[derive(Debug)]
pub struct Refusal {
    first: Problem,
    others: Vec<Problem>,
    unauthenticated: Option<IpAddr>,
}

impl Refusal {
    /// A refusal because of one parameter.
    pub fn of_field(name: &str, reason: Reason) -> Self {
        Problem::with_field(name, reason).into()
    }

    /// A refusal because a parameter's text breaks the rule of its kind.
    pub(crate) fn of_malformed(name: &str, malformed: Malformed) -> Self {
        Problem {
            error: malformed.into(),
            field: Some(echoed(name)),
        }
        .into()
    }

    /// A refusal because of `first`, which decides, and other problems.
    pub(crate) fn of_problems(first: Problem, others: impl Iterator<Item = Problem>) -> Self {
        Self {
            first,
            others: others.collect(),
            unauthenticated: None,
        }
    }

    /// `Err` with all problems, or `Ok` when there are none.
    ///
    /// # Errors
    /// The refusal that consists of the problems.
    pub(crate) fn unless_empty(problems: Vec<Problem>) -> Result<(), Self> {
        let mut problems = problems.into_iter();
        match problems.next() {
            None => Ok(()),
            Some(first) => Err(Self::of_problems(first, problems)),
        }
    }

    /// Adds the fields called `names` as missing, except those that have a problem already.
    #[must_use]
    pub(crate) fn with_missing<'a>(mut self, names: impl Iterator<Item = &'a str>) -> Self {
        for name in names {
            if !self.problems().any(|known| known.field.as_deref() == Some(name)) {
                self.others
                    .push(Problem::with_field(name, Reason::ParameterMissing));
            }
        }
        self
    }

    /// Adds the problems of another refusal.
    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.others.push(other.first);
        self.others.extend(other.others);
        self
    }

    /// The same refusal, which counts against an unauthenticated caller in whose name the call was made.
    #[must_use]
    pub fn in_the_name_of(self, unauthenticated: Option<IpAddr>) -> Self {
        Self {
            unauthenticated,
            ..self
        }
    }

    /// The unauthenticated caller in whose name the call was made.
    pub(crate) fn unauthenticated(&self) -> Option<IpAddr> {
        self.unauthenticated
    }

    /// What the client has left of its limit, if it was charged.
    pub(super) fn budget(&self) -> Option<Budget> {
        self.first.error.wait()?.budget
    }

    /// The deciding problem: it gives status, reason and message.
    pub(crate) fn first(&self) -> &Problem {
        &self.first
    }

    /// Every problem, the deciding one first.
    pub(crate) fn problems(&self) -> impl Iterator<Item = &Problem> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// How many problems there are.
    pub fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// The reason of the deciding problem.
    pub fn reason(&self) -> Reason {
        self.first.error.reason()
    }
}

impl From<Problem> for Refusal {
    fn from(first: Problem) -> Self {
        Self {
            first,
            others: Vec::new(),
            unauthenticated: None,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let field = error.field().map(str::to_owned);
        Problem { error, field }.into()
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Error::new(reason).into()
    }
}

fn echoed(name: &str) -> String {
    name.chars().take(MAX_ECHOED_NAME_CHARS).collect()
}
