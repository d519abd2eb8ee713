//! The number ranges of the internet of things (§5.1.3): a number of another range may not come in. Which ranges there
//! are is configuration, because operators open new ones.

use super::error::{Error, Reason};
use super::{Msisdn, all_digits};

/// The ranges where nothing else is configured, by their prefixes.
const DEFAULT: [&str; 8] = ["1410", "1440", "1441", "146", "148", "10646", "10648", "10649"];
/// Most ranges.
const MAX_RANGES: usize = 100;
/// Digits of a prefix.
const PREFIX_DIGITS: std::ops::RangeInclusive<usize> = 2..=12;

/// The ranges that a number may belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberRanges(Vec<String>);

impl Default for NumberRanges {
    fn default() -> Self {
        Self(DEFAULT.map(str::to_owned).to_vec())
    }
}

impl NumberRanges {
    /// Reads prefixes separated by commas. An empty text is the default.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let prefixes: Vec<String> = text.split(',').map(|prefix| prefix.trim().to_owned()).collect();
        let is_prefix = |prefix: &String| PREFIX_DIGITS.contains(&prefix.len()) && all_digits(prefix);
        if prefixes.len() > MAX_RANGES || !prefixes.iter().all(is_prefix) {
            return Err("not up to 100 prefixes of 2 to 12 digits, separated by commas");
        }
        Ok(Self(prefixes))
    }

    /// Checks that a number belongs to one of the ranges.
    ///
    /// # Errors
    /// [`Reason::MsisdnMalformed`], with the number masked and the ranges.
    pub fn check(&self, msisdn: &Msisdn) -> Result<(), Error> {
        let Self(prefixes) = self;
        if prefixes.iter().any(|prefix| msisdn.as_str().starts_with(prefix)) {
            return Ok(());
        }
        let (shown, zh, en) = (msisdn.masked(), prefixes.join("、"), prefixes.join(", "));
        Err(Error::new(Reason::MsisdnMalformed).with_detail(
            format!("{shown} 不属于物联网号段（{zh}）"),
            format!("{shown} is in no IoT range ({en})"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::NumberRanges;
    use crate::Msisdn;
    use crate::error::{Lang, Reason};

    fn takes(ranges: &NumberRanges, text: &str) -> bool {
        ranges.check(&Msisdn::parse(text).unwrap()).is_ok()
    }

    // §5.1.3
    #[test]
    fn without_configuration_the_ranges_are_those_of_the_three_operators() {
        let ranges = NumberRanges::parse(" ").unwrap();
        for text in [
            "1440193898523",
            "1441193898523",
            "1480193898523",
            "1064812345678",
            "1460193898523",
            "1064612345678",
            "1410193898523",
            "1064912345678",
        ] {
            assert!(takes(&ranges, text), "{text}");
        }
        for text in ["1380013800000", "1064112345678", "1400193898523"] {
            assert!(!takes(&ranges, text), "{text}");
        }
        let refused = ranges
            .check(&Msisdn::parse("1380013800000").unwrap())
            .unwrap_err();
        assert_eq!(refused.reason(), Reason::MsisdnMalformed);
        let message = refused.message(Lang::En);
        assert!(
            message.contains("138****0000 is in no IoT range (1410, "),
            "{message}"
        );
    }

    #[test]
    fn configured_ranges_replace_the_default() {
        let ranges = NumberRanges::parse("10641, 140,1440").unwrap();
        for (text, is_in) in [
            ("1064112345678", true),
            ("1400193898523", true),
            ("1440193898523", true),
            ("1480193898523", false),
        ] {
            assert_eq!(takes(&ranges, text), is_in, "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_prefixes_is_refused() {
        for text in [
            "1",
            "14x0",
            "1440,",
            "1440;148",
            "1440193898523",
            &"1440,".repeat(101),
        ] {
            assert!(NumberRanges::parse(text).is_err(), "{text}");
        }
    }
}
