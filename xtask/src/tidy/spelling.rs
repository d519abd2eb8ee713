//! Takes identifiers and prose apart into words that can be compared.

/// The words of an identifier in lower case: `heed_blame`, `HeedBlame` and `HEED_BLAME` have the same.
pub(super) fn parts(identifier: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut was_lower = false;
    for next in identifier.chars() {
        if next == '_' || (next.is_uppercase() && was_lower) {
            parts.push(String::new());
        }
        was_lower = next.is_lowercase() || next.is_ascii_digit();
        if next != '_' {
            let last = parts.len() - 1;
            parts[last].extend(next.to_lowercase());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Whether the words of `wanted` stand in a row among `own`, each as it is or in the plural.
pub(super) fn has_row(own: &[String], wanted: &[String]) -> bool {
    !wanted.is_empty()
        && own
            .windows(wanted.len())
            .any(|row| row.iter().zip(wanted).all(|(own, wanted)| is_word(own, wanted)))
}

fn is_word(own: &str, wanted: &str) -> bool {
    own.strip_prefix(wanted)
        .is_some_and(|rest| matches!(rest, "" | "s" | "es"))
        || (wanted.ends_with('y') && own.strip_suffix("ies") == wanted.strip_suffix('y'))
}

/// The identifiers and words of a line of prose.
pub(super) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|next: char| !next.is_alphanumeric() && next != '_')
        .filter(|word| !word.is_empty())
}

/// The words of a line in lower case, with one blank between them.
pub(super) fn flattened(line: &str) -> String {
    let words: Vec<String> = words(line).map(str::to_lowercase).collect();
    format!(" {} ", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_the_same_words_however_it_is_written() {
        for identifier in ["heed_blame", "HeedBlame", "HEED_BLAME", "_heed_blame"] {
            assert_eq!(parts(identifier), ["heed", "blame"], "{identifier}");
        }
    }

    #[test]
    fn rows_of_words_are_found_in_the_plural_too() {
        let has = |own: &str, wanted: &str| has_row(&parts(own), &parts(wanted));
        assert!(has("next_lane_due", "lane") && has("Lanes", "lane") && has("breaches", "breach"));
        assert!(has("DIARIES", "diary") && has("was_told_at", "told_at"));
        assert!(!has("planet", "lane") && !has("told_by_at", "told_at") && !has("lane", ""));
    }
}
