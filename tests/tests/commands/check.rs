//! Whether a command can work in this checkout.

use crate::workspace::{Package, Workspace};

/// Commands of cargo that documents may name.
const COMMANDS: [&str; 5] = ["run", "test", "build", "clippy", "fmt"];
/// Options with a value.
const OPTIONS: [&str; 8] = [
    "-p",
    "--package",
    "--bin",
    "--example",
    "--test",
    "--features",
    "--target",
    "--profile",
];
/// Options without one.
const FLAGS: [&str; 12] = [
    "--release",
    "--locked",
    "--offline",
    "--workspace",
    "--all",
    "--all-targets",
    "--lib",
    "--bins",
    "--no-run",
    "--check",
    "-q",
    "--quiet",
];

/// A command line of cargo, taken apart.
struct Call<'a> {
    command: &'a str,
    options: Vec<(&'a str, &'a str)>,
    flags: Vec<&'a str>,
    /// What the program or the tests are given.
    arguments: &'a [String],
}

/// Says what is wrong with a command of cargo or of `xieka`, as a text for people.
pub(crate) fn check(words: &[String], workspace: &Workspace) -> Result<(), String> {
    if words[0] == "xieka" {
        return accepts(xieka::command_line(), &words[1..]);
    }
    let call = Call::read(&words[1..])?;
    let packages = call.packages(workspace)?;
    for (option, value) in &call.options {
        call.check_option(option, value, &packages, workspace)?;
    }
    match call.command {
        "run" => call.check_run(&packages, workspace),
        _ => Ok(()),
    }
}

impl<'a> Call<'a> {
    fn read(words: &'a [String]) -> Result<Self, String> {
        let (command, words) = words.split_first().ok_or("which command?")?;
        if !COMMANDS.contains(&command.as_str()) {
            return Err(format!("documents name no `cargo {command}`"));
        }
        let mut call = Self {
            command,
            options: Vec::new(),
            flags: Vec::new(),
            arguments: &[],
        };
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let is_argument = !word.starts_with('-');
            if word == "--" || is_argument {
                call.arguments = &words[at + usize::from(!is_argument)..];
                break;
            }
            if OPTIONS.contains(&word.as_str()) {
                let value = words.get(at + 1).ok_or(format!("{word} of what?"))?;
                call.options.push((word, value));
                at += 2;
            } else if FLAGS.contains(&word.as_str()) {
                call.flags.push(word);
                at += 1;
            } else {
                return Err(format!("documents name no option {word}"));
            }
        }
        Ok(call)
    }

    /// The packages that are selected.
    fn packages<'w>(&self, workspace: &'w Workspace) -> Result<Vec<&'w Package>, String> {
        let named = self
            .options
            .iter()
            .filter(|(option, _)| matches!(*option, "-p" | "--package"));
        let mut packages = Vec::new();
        for (_, name) in named {
            let package = workspace.packages.iter().find(|package| package.name == *name);
            packages.push(package.ok_or(format!("no package is called {name}"))?);
        }
        if packages.is_empty() {
            let all = self
                .flags
                .iter()
                .any(|flag| matches!(*flag, "--workspace" | "--all"));
            packages.extend(
                workspace
                    .packages
                    .iter()
                    .filter(|package| all || package.is_default),
            );
        }
        Ok(packages)
    }

    fn check_option(
        &self,
        option: &str,
        value: &str,
        packages: &[&Package],
        workspace: &Workspace,
    ) -> Result<(), String> {
        let has = |kind: &str| packages.iter().any(|package| package.has(kind, value));
        let (exists, what) = match option {
            "--bin" => (has("bin"), "binary"),
            "--example" => (has("example"), "example"),
            "--test" => (has("test"), "test"),
            "--features" => {
                let features = |package: &&Package| package.features.contains(value);
                (packages.iter().any(features), "feature")
            }
            "--target" => (workspace.targets.contains(value), "target"),
            "--profile" => (workspace.profiles.contains(value), "profile"),
            _ => (true, "package"),
        };
        if exists {
            Ok(())
        } else {
            Err(format!("no {what} of the selected packages is called {value}"))
        }
    }

    fn check_run(&self, packages: &[&Package], workspace: &Workspace) -> Result<(), String> {
        let (package, program) = self.program(packages)?;
        let binaries = package.binaries();
        if binaries.len() > 1 {
            return Err(format!(
                "`cargo run` builds {program} alone, and {} has {binaries:?}: let one program do it all",
                package.name
            ));
        }
        match program {
            "xieka" => accepts(xieka::command_line(), self.arguments),
            "xieka-load" => accepts(xieka_load::command_line(), self.arguments),
            "xtask" => check_launcher(self.arguments, workspace),
            "chaos" => match self.arguments {
                [] => Ok(()),
                [kills] if kills.parse::<u32>().is_ok() => Ok(()),
                [kills, engine]
                    if kills.parse::<u32>().is_ok() && matches!(engine.as_str(), "servers" | "replica") =>
                {
                    Ok(())
                }
                other => Err(format!(
                    "chaos takes a number of kills and what is killed, found {other:?}"
                )),
            },
            _ if self.arguments.is_empty() => Ok(()),
            other => Err(format!("what {other} accepts is not known here")),
        }
    }

    /// The binary that `cargo run` runs.
    fn program<'w>(&self, packages: &[&'w Package]) -> Result<(&'w Package, &'w str), String> {
        let all = packages.iter().flat_map(|package| {
            let binaries = package.binaries().into_iter();
            binaries.map(|binary| (*package, binary))
        });
        let all: Vec<_> = all.collect();
        let preferred: Vec<_> = packages
            .iter()
            .filter_map(|package| package.default_run.as_deref())
            .collect();
        let named = self.options.iter().find(|(option, _)| *option == "--bin");
        let wanted = match (named, preferred.as_slice(), all.as_slice()) {
            (Some((_, name)), _, _) => *name,
            (None, [name], _) => *name,
            (None, _, [(_, name)]) => *name,
            _ => return Err("which binary? name it with --bin".to_owned()),
        };
        let found = all.into_iter().find(|(_, binary)| *binary == wanted);
        found.ok_or(format!("no binary is called {wanted}"))
    }
}

/// The launcher hands its arguments on.
fn check_launcher(arguments: &[String], workspace: &Workspace) -> Result<(), String> {
    let handed_on = |command: &[&str], arguments: Vec<String>| -> Vec<String> {
        command
            .iter()
            .map(|word| (*word).to_owned())
            .chain(arguments)
            .collect()
    };
    match xtask::Command::parse(arguments)? {
        xtask::Command::Demo(arguments) => check(&handed_on(&["xieka", "demo"], arguments), workspace),
        xtask::Command::Up(arguments) => check(&handed_on(&["xieka", "up"], arguments), workspace),
        xtask::Command::Test(arguments) => check(&handed_on(&["cargo", "test"], arguments), workspace),
        // Its program is built apart, and not for this test.
        xtask::Command::Mutants(_) => Ok(()),
        xtask::Command::Tidy | xtask::Command::Picture | xtask::Command::UnusedPub | xtask::Command::Help => {
            Ok(())
        }
    }
}

fn accepts(program: clap::Command, arguments: &[String]) -> Result<(), String> {
    let words = std::iter::once(program.get_name().to_owned()).chain(arguments.iter().cloned());
    match program.clone().try_get_matches_from(words) {
        Ok(_) => Ok(()),
        Err(problem) if !problem.use_stderr() => Ok(()),
        Err(problem) => Err(problem.to_string()),
    }
}
