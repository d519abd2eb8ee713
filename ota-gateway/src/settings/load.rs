//! Reading settings: a TOML file, then the environment over it.
//!
//! `<name>_file` in place of `<name>` gives the path of a file that holds the secret. It must never ignore a variable
//! with its prefix that it does not know, nor guess a type from a value.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use toml::{Table, Value};

use super::Settings;

/// Prefix of every variable of the gateway; the rest is the setting's name in upper case.
pub const ENV_PREFIX: &str = "XIEKA_GATEWAY_";

/// Largest settings or secret file, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;
const SECRETS: [&str; 4] = ["gateway_secret", "cron_secret", "link_key", "master_keys"];
const LIMITS: &str = "limits";

impl Settings {
    /// Settings of a file, if one is given, with the variables of `environment` over them. They are
    /// checked as [`Settings::check`] does.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown name, a value of the wrong type, and every error of
    /// [`Settings::check`]. No error shows a secret.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> anyhow::Result<Self> {
        let mut table = match file {
            // The library's error quotes the line; it may hold a secret.
            Some(path) => read_text(path)?
                .parse::<Table>()
                .map_err(|error| anyhow::anyhow!("{}: {}", path.display(), error.message()))?,
            None => Table::new(),
        };
        let known = Table::try_from(Self::default()).context("default settings")?;
        for (name, value) in environment {
            if let Some(name) = name.strip_prefix(ENV_PREFIX) {
                let name = name.to_ascii_lowercase();
                overlay(&mut table, &known, &name, &value)
                    .with_context(|| format!("{ENV_PREFIX}{}", name.to_uppercase()))?;
            }
        }
        read_secret_files(&mut table)?;
        for name in SECRETS {
            ensure!(
                table.get(name).is_none_or(Value::is_str),
                "{name} must be a string in quotes"
            );
        }
        let settings: Self = table
            .try_into()
            .map_err(|error: toml::de::Error| anyhow::anyhow!(error.message().to_owned()))?;
        settings.check()?;
        Ok(settings)
    }
}

/// Puts one variable into the table, with the type that the setting has by default.
fn overlay(table: &mut Table, known: &Table, name: &str, value: &str) -> anyhow::Result<()> {
    let limits = known.get(LIMITS).and_then(Value::as_table);
    if let Some(like) = limits.and_then(|limits| limits.get(name)) {
        let entry = table.entry(LIMITS).or_insert_with(|| Value::Table(Table::new()));
        entry
            .as_table_mut()
            .context("limits must be a table")?
            .insert(name.to_owned(), typed(like, value)?);
        return Ok(());
    }
    let is_secret = SECRETS.contains(&name.strip_suffix("_file").unwrap_or(name));
    let value = match known.get(name) {
        Some(Value::Table(_)) => bail!("is a table: name its members"),
        Some(like) => typed(like, value)?,
        None if is_secret || name == "profiles_dir" => Value::String(value.to_owned()),
        None => bail!("no such setting"),
    };
    table.insert(name.to_owned(), value);
    Ok(())
}

fn typed(like: &Value, text: &str) -> anyhow::Result<Value> {
    Ok(match like {
        Value::Integer(_) => Value::Integer(text.parse().context("a whole number is expected")?),
        Value::Boolean(_) => Value::Boolean(text.parse().context("true or false is expected")?),
        _ => Value::String(text.to_owned()),
    })
}

fn read_secret_files(table: &mut Table) -> anyhow::Result<()> {
    for name in SECRETS {
        let Some(path) = table.remove(&format!("{name}_file")) else {
            continue;
        };
        ensure!(!table.contains_key(name), "{name} and {name}_file are both given");
        let path = path
            .as_str()
            .with_context(|| format!("{name}_file must be a path"))?
            .to_owned();
        let secret = read_text(Path::new(&path)).with_context(|| format!("{name}_file"))?;
        table.insert(name.to_owned(), Value::String(secret.trim().to_owned()));
    }
    Ok(())
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    let size = std::fs::metadata(path)
        .with_context(|| path.display().to_string())?
        .len();
    ensure!(
        size <= MAX_FILE_BYTES,
        "{} is larger than {MAX_FILE_BYTES} bytes",
        path.display()
    );
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMUM: &str =
        "platform_url = \"http://127.0.0.1:3000\"\ngateway_secret = \"s\"\nlink_key = \"k\"\n";

    fn load(file: &str, environment: &[(&str, &str)]) -> anyhow::Result<Settings> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gateway.toml");
        std::fs::write(&path, file).unwrap();
        Settings::load(
            Some(&path),
            environment
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        )
    }

    #[test]
    fn the_environment_goes_over_the_file_with_the_type_of_the_setting() {
        let settings = load(
            &format!("{MINIMUM}listen = \"127.0.0.1:1\"\n[limits]\nmax_sessions = 7\nmax_requests = 9\n"),
            &[
                ("XIEKA_GATEWAY_LISTEN", "127.0.0.1:2"),
                ("XIEKA_GATEWAY_MAX_SESSIONS", "8"),
                ("XIEKA_GATEWAY_ALLOW_PLAIN_HTTP", "true"),
                ("XIEKA_GATEWAY_GATEWAY_SECRET", "123456"),
                ("OTHER", "ignored"),
            ],
        )
        .unwrap();
        assert_eq!(settings.listen.port(), 2);
        assert_eq!(
            (settings.limits.max_sessions, settings.limits.max_requests),
            (8, 9)
        );
        assert!(settings.allow_plain_http);
        assert_eq!(settings.gateway_secret.expose(), "123456");
    }

    #[test]
    fn a_secret_may_stand_in_a_file_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master");
        std::fs::write(&path, "64:aa\n").unwrap();
        let path = path.display().to_string();
        let settings = load(MINIMUM, &[("XIEKA_GATEWAY_MASTER_KEYS_FILE", &path)]).unwrap();
        assert_eq!(settings.master_keys.expose(), "64:aa");
    }

    #[test]
    fn what_is_not_known_or_of_the_wrong_type_is_refused_by_name() {
        type Variables = &'static [(&'static str, &'static str)];
        let cases: [(&str, Variables, &str); 6] = [
            ("surprise = 1\n", &[], "surprise"),
            ("[limits]\nsurprise = 1\n", &[], "surprise"),
            ("", &[("XIEKA_GATEWAY_SURPRISE", "1")], "XIEKA_GATEWAY_SURPRISE"),
            (
                "",
                &[("XIEKA_GATEWAY_MAX_SESSIONS", "many")],
                "XIEKA_GATEWAY_MAX_SESSIONS",
            ),
            ("", &[("XIEKA_GATEWAY_LIMITS", "1")], "is a table"),
            ("", &[("XIEKA_GATEWAY_LINK_KEY_FILE", "/nowhere")], "both given"),
        ];
        for (file, environment, expected) in cases {
            let error = format!(
                "{:#}",
                load(&format!("{MINIMUM}{file}"), environment).unwrap_err()
            );
            assert!(error.contains(expected), "{error:?} lacks {expected:?}");
        }
    }

    #[test]
    fn a_secret_in_a_file_that_cannot_be_read_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.toml");
        for text in [
            "link_key = abcdef0123",
            "gateway_secret = 123456",
            "master_keys = [\"64:abcdef0123\"]",
        ] {
            std::fs::write(&file, text).unwrap();
            let error = format!("{:#}", Settings::load(Some(&file), []).unwrap_err());
            assert!(!error.contains("abcdef") && !error.contains("123456"), "{error}");
        }
    }
}
