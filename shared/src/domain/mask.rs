//! Shortens identifiers for logs and debug output: `890860****0090`.

/// Characters kept at the front of a masked identifier.
const KEPT_FRONT: usize = 6;
/// Characters kept at the end of a masked identifier.
const KEPT_BACK: usize = 4;

/// `text` with everything but its first six and last four characters replaced by `****`.
/// A text too short to hide anything that way becomes `****` as a whole.
#[must_use]
pub fn masked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= KEPT_FRONT + KEPT_BACK {
        return "****".to_owned();
    }
    let front: String = chars[..KEPT_FRONT].iter().collect();
    let back: String = chars[chars.len() - KEPT_BACK..].iter().collect();
    format!("{front}****{back}")
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_long_identifier_keeps_six_and_four() {
        assert_eq!(masked("89086030202200000022000000000090"), "890860****0090");
        assert_eq!(masked("1440193898523"), "144019****8523");
    }

    #[test]
    fn a_short_text_shows_nothing() {
        assert_eq!(masked("1234567890"), "****");
        assert_eq!(masked(""), "****");
    }

    #[test]
    fn characters_of_several_bytes_are_not_cut() {
        assert_eq!(masked("一二三四五六七八九十一二"), "一二三四五六****九十一二");
    }
}
