//! The command line.

use crate::language::text;

/// The Chinese help.
const HELP_ZH: &str = "\
cargo run -p xtask -- COMMAND

  demo [ARGUMENTS]   构建全部内容，通过空中写入一张模拟卡，并显示每一步
  up [ARGUMENTS]     构建全部内容，运行平台与网关，并保存其数据
  test [ARGUMENTS]   构建全部内容并运行测试；ARGUMENTS 交给 `cargo test`
  tidy               检查源代码：循环依赖、长度、通配再导出、用词、两种语言
  picture            把标准输入中的演示输出画成 SVG
  mutants [ARGUMENTS]  在产品中逐个植入缺陷，统计测试发现的数量；需要 cargo-mutants
  unused-pub         列出 shared/ 下没有其他 crate 使用的公开项
  help               显示本帮助
";
/// The English help.
const HELP_EN: &str = "\
cargo run -p xtask -- COMMAND

  demo [ARGUMENTS]   builds everything, writes a simulated card over the air, and shows each step
  up [ARGUMENTS]     builds everything, runs platform and gateway, and keeps their data
  test [ARGUMENTS]   builds everything and runs the tests; ARGUMENTS go to `cargo test`
  tidy               checks the source: circles, sizes, glob re-exports, words, languages, spin.toml
  picture            draws the output of a demonstration, read from standard input, as SVG
  mutants [ARGUMENTS]  plants faults in the product and counts those that a test notices; needs cargo-mutants
  unused-pub         lists public items below shared/ that no other crate names
  help               prints this
";

/// What is printed by `help`, and after a command that does not exist.
pub(crate) fn help() -> &'static str {
    text(HELP_ZH, HELP_EN)
}

/// A command of the launcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The demonstration, with the arguments of `xieka demo`.
    Demo(Vec<String>),
    /// Platform and gateway, with the arguments of `xieka up`.
    Up(Vec<String>),
    /// The tests, with arguments of `cargo test`.
    Test(Vec<String>),
    /// Planted faults that no test notices, with the arguments of `xieka-mutants`.
    Mutants(Vec<String>),
    /// The checks of the source.
    Tidy,
    /// The picture of a demonstration.
    Picture,
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
            return Err(format!("{}\n\n{}", text("哪个命令？", "which command?"), help()));
        };
        let command = match name.as_str() {
            "demo" => return Ok(Self::Demo(arguments.to_vec())),
            "up" => return Ok(Self::Up(arguments.to_vec())),
            "test" => return Ok(Self::Test(arguments.to_vec())),
            "mutants" => return Ok(Self::Mutants(arguments.to_vec())),
            "tidy" => Self::Tidy,
            "picture" => Self::Picture,
            "unused-pub" => Self::UnusedPub,
            "help" | "-h" | "--help" => Self::Help,
            other => {
                let problem = text(
                    format!("没有名为 `{other}` 的命令"),
                    format!("no command is called `{other}`"),
                );
                return Err(format!("{problem}\n\n{}", help()));
            }
        };
        match arguments.first() {
            None => Ok(command),
            Some(argument) => Err(text(
                format!("`{name}` 不带参数，却有 `{argument}`"),
                format!("`{name}` takes no arguments, found `{argument}`"),
            )),
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
        let arguments = ["--seed", "7"].map(str::to_owned).to_vec();
        assert_eq!(parse("mutants --seed 7"), Ok(Command::Mutants(arguments)));
        assert_eq!(parse("tidy"), Ok(Command::Tidy));
    }

    #[test]
    fn both_languages_list_the_same_commands() {
        let commands = |help: &'static str| -> Vec<&str> {
            let lines = help.lines().filter_map(|line| line.strip_prefix("  "));
            lines.filter_map(|line| line.split("  ").next()).collect()
        };
        let expected = [
            "demo [ARGUMENTS]",
            "up [ARGUMENTS]",
            "test [ARGUMENTS]",
            "tidy",
            "picture",
            "mutants [ARGUMENTS]",
            "unused-pub",
            "help",
        ];
        assert_eq!(commands(HELP_ZH), expected);
        assert_eq!(commands(HELP_EN), expected);
    }

    #[test]
    fn a_command_that_does_not_exist_is_refused_with_the_ones_that_do() {
        for line in ["", "dmeo", "tidy now"] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse("dmeo").unwrap_err().contains("unused-pub"));
    }
}
