//! The language of texts for people: Chinese, or English where the environment asks for it.
//!
//! A text stands as a pair where it is printed: `text("中文", "English")`. Never translated are lines of `key=value`,
//! JSON, file names, identifiers and the states of cards.

use std::sync::OnceLock;

/// Variables that name the language; the first one that is set and not empty decides.
const VARIABLES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

/// What this process prints in, once it has chosen.
static CHOSEN: OnceLock<Language> = OnceLock::new();

/// A language of texts for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Language {
    /// The language that the environment asks for: English if the deciding variable begins with `en`, else Chinese.
    pub(crate) fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let deciding = VARIABLES
            .into_iter()
            .filter_map(lookup)
            .find(|value| !value.is_empty());
        match deciding {
            Some(value) if value.starts_with("en") => Self::En,
            _ => Self::Zh,
        }
    }

    /// The language that this process has chosen. English where it has not: programs that only use this crate, and
    /// tests, are for developers, and must not depend on who runs them.
    pub(crate) fn of_this_process() -> Self {
        CHOSEN.get().copied().unwrap_or(Self::En)
    }

    /// The one of two texts that is in this language.
    pub(crate) fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// Chooses the language of this process from its environment. A later call changes nothing.
pub(crate) fn choose() {
    let lookup = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let _ = CHOSEN.set(Language::from_environment(lookup));
}

/// The one of two texts that is in the language of this process.
pub(crate) fn text<T>(zh: T, en: T) -> T {
    Language::of_this_process().pick(zh, en)
}

#[cfg(test)]
mod tests {
    use super::Language::{self, En, Zh};

    fn language(variables: &[(&str, &str)]) -> Language {
        Language::from_environment(|name| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn english_is_used_where_the_deciding_variable_begins_with_en() {
        for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
            for value in ["en", "en_US.UTF-8", "en_GB"] {
                assert_eq!(language(&[(name, value)]), En, "{name}={value}");
            }
        }
    }

    #[test]
    fn everything_else_is_chinese() {
        assert_eq!(language(&[]), Zh);
        for value in ["", "C", "C.UTF-8", "POSIX", "zh_CN.UTF-8", "de_DE.UTF-8", "_en"] {
            assert_eq!(language(&[("LANG", value)]), Zh, "LANG={value}");
        }
        assert_eq!(language(&[("LANGUAGE", "en"), ("LC_CTYPE", "en_US.UTF-8")]), Zh);
    }

    #[test]
    fn lc_all_comes_before_lc_messages_and_that_before_lang() {
        let (en, zh) = ("en_US.UTF-8", "zh_CN.UTF-8");
        for (variables, expected) in [
            ([("LC_ALL", en), ("LC_MESSAGES", zh), ("LANG", zh)], En),
            ([("LC_ALL", zh), ("LC_MESSAGES", en), ("LANG", en)], Zh),
            ([("LC_ALL", "C"), ("LC_MESSAGES", en), ("LANG", en)], Zh),
            ([("LC_ALL", ""), ("LC_MESSAGES", en), ("LANG", zh)], En),
            ([("LC_ALL", ""), ("LC_MESSAGES", zh), ("LANG", en)], Zh),
            ([("LC_ALL", ""), ("LC_MESSAGES", ""), ("LANG", en)], En),
            ([("LC_ALL", ""), ("LC_MESSAGES", ""), ("LANG", zh)], Zh),
        ] {
            assert_eq!(language(&variables), expected, "{variables:?}");
        }
        assert_eq!(language(&[("LC_MESSAGES", en), ("LANG", zh)]), En);
        assert_eq!(language(&[("LC_MESSAGES", zh), ("LANG", en)]), Zh);
    }
}
