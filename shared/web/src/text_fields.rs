//! JSON documents whose fields are all text, for administrators' requests. One reader for all of them keeps components
//! small.

use super::call::Call;
use super::query::{Pair, decode_json};
use super::refusal::{Problem, Refusal};
use domain::error::Reason;

/// The fields of a document.
pub struct TextFields(Vec<Pair>);

impl<D> Call<'_, D> {
    /// The JSON document in the body, which may have the fields called `names` and no others.
    ///
    /// # Errors
    /// [`Reason::BadJson`] with the position, [`Reason::ParameterNotText`], [`Reason::ParameterUnknown`],
    /// [`Reason::ParameterRepeated`].
    pub fn text_fields(&self, names: &[&str]) -> Result<TextFields, Refusal> {
        let pairs = decode_json(self.body)?;
        let mut problems = Vec::new();
        for (at, (name, _)) in pairs.iter().enumerate() {
            if !names.contains(&name.as_str()) {
                problems.push(Problem::with_field(name, Reason::ParameterUnknown));
            } else if pairs[..at].iter().any(|(before, _)| before == name) {
                problems.push(Problem::with_field(name, Reason::ParameterRepeated));
            }
        }
        Refusal::unless_empty(problems).map(|()| TextFields(pairs))
    }
}

impl TextFields {
    /// A field, if it is present.
    pub fn optional(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map(|(_, text)| text.as_str())
    }

    /// A field that must be present.
    ///
    /// # Errors
    /// [`Reason::ParameterMissing`].
    pub fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.optional(name)
            .ok_or_else(|| Refusal::of_field(name, Reason::ParameterMissing))
    }
}
