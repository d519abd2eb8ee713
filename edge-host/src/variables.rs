//! Application variables: their values, and the templates in which they appear.
//!
//! Values are fixed at start and never appear in errors, logs or `Debug` output.

use std::collections::{BTreeMap, HashMap};
use std::env::VarError;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};

use crate::manifest::Variable;

/// Prefix of the environment variables that set application variables.
const ENVIRONMENT_PREFIX: &str = "SPIN_VARIABLE_";

/// Every application variable with its value.
pub(crate) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Resolves all declared variables from the given map, the environment, the `.env` file and the defaults, in this
    /// order.
    ///
    /// # Errors
    /// Names every required variable that has no value, every malformed name, and every given
    /// variable that is not declared.
    pub(crate) fn resolve(
        declared: &BTreeMap<String, Variable>,
        given: &BTreeMap<String, String>,
        dotenv: &Path,
    ) -> anyhow::Result<Self> {
        if let Some(unknown) = given.keys().find(|name| !declared.contains_key(*name)) {
            bail!("the manifest declares no variable {unknown:?}");
        }
        let dotenv = read_dotenv(dotenv)?;
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for (name, variable) in declared {
            check_name(name)?;
            let key = format!("{ENVIRONMENT_PREFIX}{}", name.to_ascii_uppercase());
            let value = match given.get(name) {
                Some(value) => Some(value.clone()),
                None => environment(&key)?.or_else(|| dotenv.get(&key).cloned()),
            };
            match value.or_else(|| variable.default.clone()) {
                Some(value) => {
                    values.insert(name.clone(), value);
                }
                None => missing.push(key),
            }
        }
        if missing.is_empty() {
            Ok(Self(values))
        } else {
            bail!("required but not set: {}", missing.join(", "))
        }
    }

    /// Replaces every `{{ name }}` by the variable's value.
    ///
    /// # Errors
    /// An unclosed `{{` or an undeclared name.
    pub(crate) fn render(&self, template: &str) -> anyhow::Result<String> {
        let mut rendered = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((literal, expression)) = rest.split_once("{{") {
            let (name, after) = expression
                .split_once("}}")
                .ok_or_else(|| anyhow!("unclosed \"{{{{\" in {template:?}"))?;
            let name = name.trim();
            let value = self
                .0
                .get(name)
                .ok_or_else(|| anyhow!("unknown variable {name:?} in {template:?}"))?;
            rendered.push_str(literal);
            rendered.push_str(value);
            rest = after;
        }
        rendered.push_str(rest);
        Ok(rendered)
    }
}

/// Checks Spin's rule for names: lower-case letters, digits and single underscores between them, a letter first.
///
/// # Errors
/// The name breaks the rule.
pub(crate) fn check_name(name: &str) -> anyhow::Result<()> {
    let words_ok = name.split('_').all(|word| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    });
    if words_ok && name.starts_with(|first: char| first.is_ascii_lowercase()) {
        Ok(())
    } else {
        bail!("{name:?} is no variable name: lower-case letters, digits and single underscores")
    }
}

fn environment(key: &str) -> anyhow::Result<Option<String>> {
    match std::env::var(key) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => bail!("{key} is not valid UTF-8"),
    }
}

fn read_dotenv(path: &Path) -> anyhow::Result<HashMap<String, String>> {
    if !path.exists() {
        return Ok(HashMap::new());
    }
    // The error of a malformed line would quote it, and with it perhaps a secret.
    dotenvy::from_path_iter(path)
        .and_then(Iterator::collect)
        .map_err(|_| anyhow!("malformed line"))
        .with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(default: Option<&str>) -> Variable {
        let text = match default {
            Some(value) => format!("default = {value:?}"),
            None => "required = true".to_owned(),
        };
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn given_values_come_before_dotenv_before_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let dotenv = folder.path().join(".env");
        std::fs::write(
            &dotenv,
            "SPIN_VARIABLE_EDGE_A=file\nSPIN_VARIABLE_EDGE_B=\"file b\"\n",
        )
        .unwrap();
        let declared = ["edge_a", "edge_b", "edge_c"]
            .into_iter()
            .map(|name| (name.to_owned(), variable(Some("default"))))
            .collect();
        let given = BTreeMap::from([("edge_a".to_owned(), "given".to_owned())]);
        let variables = Variables::resolve(&declared, &given, &dotenv).unwrap();
        let rendered = variables
            .render("{{ edge_a }}-{{edge_b}}-{{  edge_c }}.")
            .unwrap();
        assert_eq!(rendered, "given-file b-default.");
    }

    #[test]
    fn every_missing_required_variable_is_named() {
        let declared = ["edge_x", "edge_y"]
            .into_iter()
            .map(|name| (name.to_owned(), variable(None)))
            .collect();
        let error = Variables::resolve(&declared, &BTreeMap::new(), Path::new("/nowhere"))
            .err()
            .unwrap();
        let text = error.to_string();
        assert!(
            text.contains("SPIN_VARIABLE_EDGE_X") && text.contains("SPIN_VARIABLE_EDGE_Y"),
            "{text}"
        );
    }

    #[test]
    fn a_malformed_dotenv_line_is_refused_without_being_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let dotenv = folder.path().join(".env");
        std::fs::write(&dotenv, "SPIN_VARIABLE_A='hunter2\n").unwrap();
        let error = Variables::resolve(&BTreeMap::new(), &BTreeMap::new(), &dotenv)
            .err()
            .unwrap();
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn unknown_and_unclosed_templates_are_refused() {
        let variables = Variables(BTreeMap::new());
        assert!(variables.render("{{ nothing }}").is_err());
        assert!(variables.render("a {{ b").is_err());
        assert_eq!(variables.render("}} {").unwrap(), "}} {");
    }

    #[test]
    fn names_follow_spins_rule() {
        for good in ["a", "a1", "a_b", "link_key"] {
            check_name(good).unwrap();
        }
        for bad in ["", "1a", "_a", "a_", "a__b", "A", "a-b"] {
            check_name(bad).unwrap_err();
        }
    }
}
