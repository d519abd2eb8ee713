//! The language of a caller, by `Accept-Language` (RFC 9110 §12.5.4). Chinese unless English is preferred.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

use domain::error::Lang;

/// Most language ranges that are read.
const MAX_RANGES: usize = 16;

/// The weight 1, in thousandths.
const WHOLE: u16 = 1_000;

/// The preferred language of the caller.
pub(super) fn preferred(headers: &HeaderMap) -> Lang {
    let Some(Ok(accepted)) = headers.get(ACCEPT_LANGUAGE).map(|value| value.to_str()) else {
        return Lang::default();
    };
    let mut best = (0, Lang::default());
    for range in accepted.split(',').take(MAX_RANGES) {
        let (tag, weight) = match range.split_once(';') {
            Some((tag, weight)) => (tag, weight_of(weight)),
            None => (range, WHOLE),
        };
        // `>` keeps the first of equals, as callers list them.
        if let Some(lang) = known(tag)
            && weight > best.0
        {
            best = (weight, lang);
        }
    }
    best.1
}

fn known(tag: &str) -> Option<Lang> {
    let primary = tag
        .trim()
        .split('-')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    match primary.as_str() {
        "zh" | "*" => Some(Lang::Zh),
        "en" => Some(Lang::En),
        _ => None,
    }
}

/// A weight in thousandths; RFC 9110 §12.4.2 allows three decimals. 0 for what is no weight.
fn weight_of(parameter: &str) -> u16 {
    let text = parameter.trim().strip_prefix("q=").unwrap_or_default();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{part:0<3}");
    match (whole, digits.len(), digits.parse::<u16>()) {
        ("0", 3, Ok(thousandths)) => thousandths,
        ("1", 3, Ok(0)) => WHOLE,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_the_default_and_english_is_there_for_who_asks() {
        for (accepted, lang) in [
            (None, Lang::Zh),
            (Some(""), Lang::Zh),
            (Some("en"), Lang::En),
            (Some("EN-us"), Lang::En),
            (Some("en-US,en;q=0.9,zh;q=0.8"), Lang::En),
            (Some("en;q=0.8,zh-CN"), Lang::Zh),
            (Some("fr, en;q=0.5"), Lang::En),
            (Some("fr"), Lang::Zh),
            (Some("*"), Lang::Zh),
            (Some("en;q=0"), Lang::Zh),
            (Some("en;q=nan"), Lang::Zh),
            (Some("zh, en"), Lang::Zh),
            (Some(";;,,=;q"), Lang::Zh),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accepted) = accepted {
                headers.insert(ACCEPT_LANGUAGE, accepted.parse().unwrap());
            }
            assert_eq!(preferred(&headers), lang, "{accepted:?}");
        }
    }
}
