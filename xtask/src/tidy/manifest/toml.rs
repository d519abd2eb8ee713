//! The part of TOML in which `spin.toml` is written, read strictly: whatever else TOML allows is a fault.
//!
//! Every line stands for itself: a comment, the heading of a table, or a key with its whole value. A text has no
//! escapes.

use std::fmt;

use super::fault::Fault;
use crate::walk::File;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    Number(u32),
    List(Vec<Value>),
    /// `{ a = 1, b = 2 }`.
    Fields(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: Value,
    /// Counted from one.
    pub(super) line: usize,
}

/// A table and its entries. The entries above the first heading belong to a table without a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    /// Whether it is one of several of its name: `[[name]]`.
    pub(super) is_repeated: bool,
    /// Counted from one.
    pub(super) line: usize,
    pub(super) entries: Vec<Entry>,
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn list<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    /// The text that it is; nothing for any other value.
    pub(super) fn as_text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }
}

impl Table {
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The text of a key; nothing if there is none.
    pub(super) fn text(&self, key: &str) -> &str {
        self.entry(key).map_or("", |entry| entry.value.as_text())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |texts: Vec<String>| texts.join(", ");
        match self {
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::List(values) => write!(f, "[{}]", joined(values.iter().map(Self::to_string).collect())),
            Self::Fields(entries) => {
                let texts = entries
                    .iter()
                    .map(|entry| format!("{} = {}", entry.key, entry.value));
                write!(f, "{{ {} }}", joined(texts.collect()))
            }
        }
    }
}

/// The tables of a file in their order, and a fault for each line that is not understood.
pub(super) fn read(file: &File) -> (Vec<Table>, Vec<Fault>) {
    let mut tables = vec![Table {
        name: String::new(),
        is_repeated: false,
        line: 1,
        entries: Vec::new(),
    }];
    let mut faults = Vec::new();
    for (index, content) in file.text.lines().enumerate() {
        let line = index + 1;
        if let Err(text) = read_line(content, line, &mut tables) {
            faults.push(Fault::new(&file.path, line, text));
        }
    }
    (tables, faults)
}

fn read_line(content: &str, line: usize, tables: &mut Vec<Table>) -> Result<(), String> {
    let not_understood = || format!("not TOML as this check reads it: `{content}`");
    if content.is_empty() || content.starts_with('#') {
        return Ok(());
    }
    if content.starts_with('[') {
        let (name, is_repeated) = heading(content).ok_or_else(not_understood)?;
        let is_taken = |table: &Table| table.name == name && !(table.is_repeated && is_repeated);
        if tables.iter().any(is_taken) {
            return Err(format!("`[{name}]` is there already"));
        }
        tables.push(Table {
            name: name.to_owned(),
            is_repeated,
            line,
            entries: Vec::new(),
        });
        return Ok(());
    }
    let (entry, rest) = entry(content, line).ok_or_else(not_understood)?;
    if !rest.is_empty() {
        return Err(not_understood());
    }
    let table = tables.last_mut().ok_or_else(not_understood)?;
    if table.entry(&entry.key).is_some() {
        return Err(format!("`{}` is there already", entry.key));
    }
    table.entries.push(entry);
    Ok(())
}

/// The name in `[name]` or `[[name]]`, and whether it is the latter.
fn heading(content: &str) -> Option<(&str, bool)> {
    let within = content.strip_prefix('[')?.strip_suffix(']')?;
    let repeated = within
        .strip_prefix('[')
        .and_then(|within| within.strip_suffix(']'));
    let name = repeated.unwrap_or(within);
    name.split('.').all(is_key).then_some((name, repeated.is_some()))
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// `key = value`, and what follows.
fn entry(text: &str, line: usize) -> Option<(Entry, &str)> {
    let (key, rest) = text.split_once(" = ")?;
    let (value, rest) = value(rest, line)?;
    let key = key.to_owned();
    is_key(&key).then_some((Entry { key, value, line }, rest))
}

/// A value, and what follows.
fn value(text: &str, line: usize) -> Option<(Value, &str)> {
    if let Some(within) = text.strip_prefix('"') {
        let (text, rest) = within.split_once('"')?;
        return (!text.contains('\\')).then_some((Value::text(text), rest));
    }
    if let Some(within) = text.strip_prefix('[') {
        let (values, rest) = several(within, "]", |text| value(text, line))?;
        return Some((Value::List(values), rest));
    }
    if let Some(within) = text.strip_prefix("{ ") {
        let (entries, rest) = several(within, " }", |text| entry(text, line))?;
        let is_new =
            |(index, entry): (usize, &Entry)| entries[..index].iter().all(|other| other.key != entry.key);
        let are_new = entries.iter().enumerate().all(is_new);
        return are_new.then_some((Value::Fields(entries), rest));
    }
    let length = text
        .find(|next: char| !next.is_ascii_alphanumeric())
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(length);
    let value = match word {
        "true" | "false" => Value::Flag(word == "true"),
        _ => Value::Number(word.parse().ok()?),
    };
    Some((value, rest))
}

/// What stands between commas up to `end`, and what follows.
fn several<'a, T>(
    mut text: &'a str,
    end: &str,
    one: impl Fn(&'a str) -> Option<(T, &'a str)>,
) -> Option<(Vec<T>, &'a str)> {
    let mut found = Vec::new();
    if let Some(rest) = text.strip_prefix(end) {
        return Some((found, rest));
    }
    loop {
        let (next, rest) = one(text)?;
        found.push(next);
        if let Some(rest) = rest.strip_prefix(end) {
            return Some((found, rest));
        }
        text = rest.strip_prefix(", ")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Table>, Vec<Fault>) {
        super::read(&File {
            path: String::new(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn tables_keys_and_values_are_read_with_their_lines() {
        let text = "# a\na = 2\n\n[b.c-d]\ne = \"f = # g\"\n[[h]]\n[[h]]\ni = [\"j\", \"k\"]\nl = { m = true, n = \"\" }\n";
        let (tables, faults) = read(text);
        assert_eq!(faults, []);
        let names: Vec<_> = tables
            .iter()
            .map(|table| (table.name.as_str(), table.is_repeated, table.line))
            .collect();
        assert_eq!(
            names,
            [
                ("", false, 1),
                ("b.c-d", false, 4),
                ("h", true, 6),
                ("h", true, 7)
            ]
        );
        let entries: Vec<_> = tables
            .iter()
            .flat_map(|table| &table.entries)
            .map(|entry| format!("{}: {} = {}", entry.line, entry.key, entry.value))
            .collect();
        assert_eq!(
            entries,
            [
                "2: a = 2",
                "5: e = \"f = # g\"",
                "8: i = [\"j\", \"k\"]",
                "9: l = { m = true, n = \"\" }"
            ]
        );
        assert_eq!(tables[1].text("e"), "f = # g");
    }

    #[test]
    fn whatever_else_toml_allows_is_a_fault() {
        for line in [
            "a=1",
            " a = 1",
            "a = 1 # b",
            "a = 'b'",
            "a = \"b\\n\"",
            "a = \"\"\"b\"\"\"",
            "a = \"b",
            "a = [",
            "a = [\"b\",]",
            "a = [\"b\" \"c\"]",
            "a = { b = 1, b = 2 }",
            "a = {b = 1}",
            "a = 1.5",
            "a = yes",
            "a.b = 1 2",
            "\"a\" = 1",
            "[a",
            "[a]]",
            "[]",
            "[a..b]",
            "a",
        ] {
            let (_, faults) = read(line);
            assert_eq!(faults.len(), 1, "{line}");
        }
    }

    #[test]
    fn a_table_or_a_key_that_is_there_twice_is_a_fault() {
        let lines = |text: &str| -> Vec<usize> { read(text).1.iter().map(|fault| fault.line).collect() };
        assert_eq!(lines("[a]\nb = 1\nb = 2\n[c]\nb = 1\n[a]\n"), [3, 6]);
        assert_eq!(lines("[[a]]\n[a]\n"), [2]);
    }
}
