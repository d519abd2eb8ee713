//! What became of the rows of a table, over all its parts, by their lines in the whole file.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use operations::TablePart;
use serde_json::Value;

use crate::language::text;

/// What the platform counts.
const COUNTS: [&str; 4] = ["rows", "imported", "unchanged", "rejected"];

/// The answers about all parts so far, as one.
#[derive(Default)]
pub(super) struct Outcome {
    counts: [u64; COUNTS.len()],
    errors: Vec<(u64, String)>,
    /// First line, number of lines and text of each warning, by its code and column.
    warnings: BTreeMap<(String, String), (u64, u64, String)>,
    import_ids: Vec<String>,
}

impl Outcome {
    /// Adds the answer about a part.
    ///
    /// # Errors
    /// An answer that is not that of an import.
    pub(super) fn add(&mut self, answer: &Value, part: &TablePart) -> Result<()> {
        for (count, name) in self.counts.iter_mut().zip(COUNTS) {
            *count += answer[name].as_u64().with_context(|| name.to_owned())?;
        }
        self.import_ids
            .extend(answer["import_id"].as_str().map(str::to_owned));
        let word = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        for error in answer["errors"].as_array().into_iter().flatten() {
            let line = line(error, part).unwrap_or_default();
            let [column, reason, detail, remedy] =
                ["column", "reason", "detail", "remedy"].map(|name| word(error, name));
            let column = if column.is_empty() { column } else { column + " " };
            self.errors
                .push((line, format!("{column}{reason}: {detail} ({remedy})")));
        }
        for warning in answer["warnings"].as_array().into_iter().flatten() {
            let [code, column, message] = ["warning", "column", "message"].map(|name| word(warning, name));
            // A warning about the header is in the answer about every part.
            let (line, lines) = match line(warning, part) {
                Some(line) => (line, warning["lines"].as_u64().unwrap_or_default()),
                None => (1, 0),
            };
            let known = self.warnings.entry((code, column)).or_insert((line, 0, message));
            known.0 = known.0.min(line);
            known.1 += lines;
        }
        Ok(())
    }

    /// How many rows were not imported.
    pub(super) fn rejected(&self) -> u64 {
        self.counts[3]
    }

    /// The counts, in words.
    pub(super) fn counts(&self) -> String {
        let [rows, imported, unchanged, rejected] = self.counts;
        text(
            format!("共 {rows} 行，新导入 {imported}，未变 {unchanged}，未导入 {rejected}"),
            format!("{rows} rows: {imported} imported, {unchanged} unchanged, {rejected} not imported"),
        )
    }

    /// Prints everything.
    pub(super) fn print(&mut self, is_preview: bool) {
        self.errors.sort();
        for (line, error) in &self.errors {
            println!(
                "{}",
                text(format!("第 {line} 行 {error}"), format!("line {line}: {error}"))
            );
        }
        for ((code, column), (line, lines, message)) in &self.warnings {
            let of_lines = if *lines > 1 {
                text(format!("等 {lines} 行"), format!(" and others, {lines} in all"))
            } else {
                String::new()
            };
            println!(
                "{}",
                text(
                    format!("提示：第 {line} 行{of_lines} {column} {code}：{message}"),
                    format!("warning: line {line}{of_lines}: {column} {code}: {message}"),
                )
            );
        }
        for id in &self.import_ids {
            println!("import_id={id}");
        }
        let preview = if is_preview {
            text("（预览，未写入）", " (preview, nothing was changed)")
        } else {
            ""
        };
        println!("{}{preview}", self.counts());
    }
}

/// The line in the whole file of what a part's answer is about; `None` for its header.
fn line(entry: &Value, part: &TablePart) -> Option<u64> {
    part.lines.get(&entry["line"].as_u64()?).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use operations::TablePart;
    use serde_json::json;

    use super::Outcome;

    #[test]
    fn answers_about_parts_become_one_with_the_lines_of_the_file() {
        let part = |lines: &[(u64, u64)]| TablePart {
            csv: String::new(),
            lines: BTreeMap::from_iter(lines.iter().copied()),
        };
        let warnings = json!([
            {"line": 1, "lines": 1, "column": "备注", "warning": "column_unknown", "message": "m"},
            {"line": 2, "lines": 1, "column": "iccid", "warning": "check_digit_wrong", "message": "m"},
        ]);
        let error =
            json!({"line": 2, "column": "iccid", "reason": "import_conflict", "detail": "d", "remedy": "r"});
        let answer = |errors| {
            json!({"rows": 2, "imported": 1, "unchanged": 0, "rejected": 1, "import_id": "a", "errors": errors,
                "warnings": warnings})
        };
        let mut outcome = Outcome::default();
        outcome
            .add(&answer(json!([error])), &part(&[(2, 9), (3, 4)]))
            .unwrap();
        outcome
            .add(&answer(json!([error])), &part(&[(2, 3), (3, 5)]))
            .unwrap();
        assert_eq!(
            outcome.counts(),
            "4 rows: 2 imported, 0 unchanged, 2 not imported"
        );
        assert_eq!(outcome.rejected(), 2);
        let lines: Vec<u64> = outcome.errors.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [9, 3]);
        let warned: Vec<_> = outcome
            .warnings
            .values()
            .map(|(line, lines, _)| (*line, *lines))
            .collect();
        assert_eq!(warned, [(3, 2), (1, 0)]);
        assert!(outcome.add(&json!({"rows": 1}), &part(&[])).is_err());
    }
}
