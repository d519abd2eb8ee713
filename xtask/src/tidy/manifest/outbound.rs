//! Requests to others: which functions of `web::outbound` send them, and where; and where databases are.

use std::collections::BTreeSet;

use super::fault::Fault;
use super::find::{below, brackets, is_test, literals_within, rows, text_of, unquoted};
use crate::source::{Source, Token, without_tests};
use crate::tidy::paths;

/// The crate that sends.
const WEB: &str = "shared/web/src/";
/// The folder of what sends.
const OUTBOUND: &str = "shared/web/src/outbound/";
/// The function that calls another component.
const CALL: &str = "call_component";
/// What sends a request: the method of `web::Host`.
const SEND: [&str; 3] = [".", "send", "("];

/// Where the functions of a file may send requests.
struct Destinations {
    file: &'static str,
    /// None for the file that calls other components: it may reach those that are named to it.
    hosts: &'static [&'static str],
    /// The flag of `REQUIRED_VARIABLES` without which nothing is sent.
    flag: Option<&'static str>,
}

const DESTINATIONS: [Destinations; 5] = [
    Destinations {
        file: "shared/web/src/outbound/operator.rs",
        hosts: &["{{ operator_api_host }}"],
        flag: Some("operator"),
    },
    Destinations {
        file: "shared/web/src/outbound/post.rs",
        hosts: &["https://*:*", "{{ callback_extra_host }}"],
        flag: None,
    },
    // Tried before `post` sends there.
    Destinations {
        file: "shared/web/src/outbound/guard.rs",
        hosts: &[],
        flag: None,
    },
    Destinations {
        file: "shared/web/src/outbound/component.rs",
        hosts: &[],
        flag: None,
    },
    Destinations {
        file: "shared/web/src/outbound/spreadsheet.rs",
        hosts: &["http://spreadsheets.spin.internal"],
        flag: None,
    },
];

/// Where the database of a component may be besides its file. Each is a whole entry, so that an empty one is skipped.
pub(super) const DATABASE_HOSTS: [&str; 3] = [
    "{{ database_host_1 }}",
    "{{ database_host_2 }}",
    "{{ database_host_3 }}",
];

/// A public function that sends requests.
#[derive(Debug)]
struct Function {
    name: String,
    file: String,
}

/// The functions that send requests.
#[derive(Debug)]
pub(super) struct Outbound(Vec<Function>);

/// What a component uses of it.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// The names that it takes from `web::outbound`.
    pub(super) names: BTreeSet<String>,
    /// The texts that it hands to [`CALL`].
    pub(super) called: Vec<String>,
}

impl Outbound {
    /// The functions that send; a fault is one of whose requests nobody knows where they go.
    pub(super) fn read(sources: &[Source]) -> (Self, Vec<Fault>) {
        let (mut functions, mut faults) = (Vec::new(), Vec::new());
        for source in below(sources, WEB) {
            let tokens = without_tests(&source.tokens);
            let sending = rows(&tokens, &SEND).next().filter(|_| !is_test(&source.path));
            let Some((_, row)) = sending else { continue };
            if !source.path.starts_with(OUTBOUND) {
                let text = format!("sends requests outside of {OUTBOUND}");
                faults.push(Fault::new(&source.path, row[0].line, text));
                continue;
            }
            if DESTINATIONS.iter().all(|known| known.file != source.path) {
                let text = "sends requests: add where, in `DESTINATIONS` of xtask";
                faults.push(Fault::new(&source.path, row[0].line, text));
            }
            let names = rows(&tokens, &["pub", "async", "fn", ""]).chain(rows(&tokens, &["pub", "fn", ""]));
            functions.extend(names.map(|(_, row)| Function {
                name: row[row.len() - 1].text.clone(),
                file: source.path.clone(),
            }));
        }
        (Self(functions), faults)
    }

    /// The destinations of a component's requests; `others` are the other components.
    pub(super) fn hosts(&self, uses: &Uses, others: &[&str]) -> Vec<String> {
        let mut hosts = Vec::new();
        for known in DESTINATIONS
            .iter()
            .filter(|known| self.used(uses, known).is_some())
        {
            hosts.extend(known.hosts.iter().map(|host| (*host).to_owned()));
            if known.hosts.is_empty() {
                let called = uses.called.iter().filter(|text| others.contains(&text.as_str()));
                hosts.extend(called.map(|name| format!("http://{name}.spin.internal")));
            }
        }
        hosts
    }

    /// Flags that are missing for what a component uses, or set for nothing.
    pub(super) fn flags(&self, uses: &Uses, flags: &[String]) -> Vec<String> {
        let known = DESTINATIONS.iter().filter_map(|known| Some((known, known.flag?)));
        let said = |(known, flag): (&Destinations, &str)| match (
            self.used(uses, known),
            flags.iter().any(|one| one == flag),
        ) {
            (Some(name), false) => Some(format!("`{name}` needs `{flag}` in REQUIRED_VARIABLES")),
            (None, true) => Some(format!(
                "`{flag}` of REQUIRED_VARIABLES is for {}, which is not used",
                known.file
            )),
            _ => None,
        };
        known.filter_map(said).collect()
    }

    /// The first function of a file that a component uses.
    fn used(&self, uses: &Uses, known: &Destinations) -> Option<&str> {
        let used = self
            .0
            .iter()
            .find(|one| one.file == known.file && uses.names.contains(&one.name));
        used.map(|function| function.name.as_str())
    }
}

impl Uses {
    /// What the sources of a component use.
    pub(super) fn read(sources: &[&Source]) -> Self {
        let mut uses = Self::default();
        for source in sources {
            let tokens = without_tests(&source.tokens);
            let imported = paths::read(&tokens).names.into_iter().map(|import| import.path);
            uses.names
                .extend(imported.filter_map(|path| match path.as_slice() {
                    [web, outbound, name, ..] if web == "web" && outbound == "outbound" => Some(name.clone()),
                    _ => None,
                }));
            let direct = rows(&tokens, &["outbound", "::", ""]);
            uses.names.extend(direct.map(|(_, row)| row[2].text.clone()));
            for (at, _) in rows(&tokens, &[CALL]) {
                if let Some(open) = arguments(&tokens, at + 1) {
                    uses.called
                        .extend(texts(source, brackets(&tokens, open), sources));
                }
            }
        }
        uses
    }

    /// Where sources send requests by themselves, past `web::outbound`.
    pub(super) fn faults(sources: &[&Source]) -> Vec<Fault> {
        let mut faults = Vec::new();
        for source in sources {
            let tokens = without_tests(&source.tokens);
            faults.extend(rows(&tokens, &SEND).map(|(_, row)| {
                let text = format!("sends requests outside of {OUTBOUND}");
                Fault::new(&source.path, row[0].line, text)
            }));
        }
        faults
    }
}

/// Where the arguments of a call open, after a function's name and perhaps its types: `::<T>`.
fn arguments(tokens: &[Token], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match tokens.get(at)?.text.as_str() {
            "(" if depth == 0 => return Some(at),
            "::" => {}
            "<" => depth += 1,
            ">" => depth = depth.saturating_sub(1),
            _ if depth == 0 => return None,
            _ => {}
        }
        at += 1;
    }
}

/// The texts within brackets: written out, or those of constants.
fn texts(source: &Source, within: &[Token], constants: &[&Source]) -> Vec<String> {
    let named = within.iter().filter_map(|token| text_of(constants, &token.text));
    let written = literals_within(source, within).into_iter();
    let written = written.map(|text| unquoted(&text.text).to_owned());
    written.chain(named).collect()
}
