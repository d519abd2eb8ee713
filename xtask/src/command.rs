//! The command line.

/// What is printed by `help`, and after a command that does not exist.
pub(crate) const HELP: &str = "\
cargo run -p xtask -- COMMAND

  demo [ARGUMENTS]   builds everything, writes a simulated card over the air, and shows each step
  up [ARGUMENTS]     builds everything, runs platform and gateway, and keeps their data
  test [ARGUMENTS]   builds everything and runs the tests; ARGUMENTS go to `cargo test`
  tidy               checks the source: circles, sizes, glob re-exports, words, languages, spin.toml
  unused-pub         lists public items below shared/ that no other crate names
  help               prints this
";

/// A command of the launcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The demonstration, with the arguments of `xieka demo`.
    Demo(Vec<String>),
    /// Platform and gateway, with the arguments of `xieka up`.
    Up(Vec<String>),
    /// The tests, with arguments of `cargo test`.
    Test(Vec<String>),
    /// The checks of the source.
    Tidy,
    /// The public items that no other crate names.
    UnusedPub,
    /// What there is.
    Help,
}

impl Command {
    /// Reads the words after `cargo run -p xtask --`.
    ///
    /// # Errors
    /// A command that does not exist, or arguments of a command that takes none, as a text for people.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let Some((name, arguments)) = words.split_first() else {
            return Err(format!("which command?\n\n{HELP}"));
        };
        let command = match name.as_str() {
            "demo" => return Ok(Self::Demo(arguments.to_vec())),
            "up" => return Ok(Self::Up(arguments.to_vec())),
            "test" => return Ok(Self::Test(arguments.to_vec())),
            "tidy" => Self::Tidy,
            "unused-pub" => Self::UnusedPub,
            "help" | "-h" | "--help" => Self::Help,
            other => return Err(format!("no command is called `{other}`\n\n{HELP}")),
        };
        match arguments.first() {
            None => Ok(command),
            Some(argument) => Err(format!("`{name}` takes no arguments, found `{argument}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Command::parse(&words)
    }

    #[test]
    fn arguments_after_a_command_are_handed_on_as_they_are() {
        let arguments = ["--chips", "200"].map(str::to_owned).to_vec();
        assert_eq!(parse("demo --chips 200"), Ok(Command::Demo(arguments)));
        let arguments = ["-p", "uicc", "--", "--nocapture"].map(str::to_owned).to_vec();
        assert_eq!(parse("test -p uicc -- --nocapture"), Ok(Command::Test(arguments)));
        assert_eq!(parse("tidy"), Ok(Command::Tidy));
    }

    #[test]
    fn a_command_that_does_not_exist_is_refused_with_the_ones_that_do() {
        for line in ["", "dmeo", "tidy now"] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse("dmeo").unwrap_err().contains("unused-pub"));
    }
}
