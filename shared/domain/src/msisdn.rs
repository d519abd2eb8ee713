//! MSISDN: the 13-digit IoT number, the only kind that may be used (§5.1.3, §5.4.2.1).

use super::{Kind, Malformed, all_digits, masked};

/// Digits of an IoT number.
const MSISDN_DIGITS: usize = 13;

/// Who issued a number, known by its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operator {
    /// China Mobile.
    ChinaMobile,
    /// China Unicom.
    ChinaUnicom,
    /// China Telecom.
    ChinaTelecom,
}

impl Operator {
    /// Name in Chinese.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::ChinaMobile => "中国移动",
            Self::ChinaUnicom => "中国联通",
            Self::ChinaTelecom => "中国电信",
        }
    }

    /// Name in English.
    #[must_use]
    pub fn en(self) -> &'static str {
        match self {
            Self::ChinaMobile => "China Mobile",
            Self::ChinaUnicom => "China Unicom",
            Self::ChinaTelecom => "China Telecom",
        }
    }
}

/// Prefixes of the 13-digit number ranges set aside for the internet of things.
const PREFIXES: &[(&str, Operator)] = &[
    ("1440", Operator::ChinaMobile),
    ("1441", Operator::ChinaMobile),
    ("148", Operator::ChinaMobile),
    ("10648", Operator::ChinaMobile),
    ("146", Operator::ChinaUnicom),
    ("10646", Operator::ChinaUnicom),
    ("1410", Operator::ChinaTelecom),
    ("10649", Operator::ChinaTelecom),
];

/// A 13-digit IoT number.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Msisdn {
    digits: String,
    operator: Operator,
}

impl Msisdn {
    /// Reads 13 digits of an IoT number range.
    ///
    /// # Errors
    /// [`Malformed`] with the rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() != MSISDN_DIGITS || !all_digits(text) {
            return Err(Malformed::new(
                Kind::Msisdn,
                "号码应为 13 位物联网号码",
                "a number is a 13-digit IoT number",
            ));
        }
        match PREFIXES.iter().find(|(prefix, _)| text.starts_with(prefix)) {
            Some(&(_, operator)) => Ok(Self {
                digits: text.to_owned(),
                operator,
            }),
            None => Err(Malformed::new(
                Kind::Msisdn,
                "号码不属于物联网号段（1410、1440、1441、146、148、10646、10648、10649）",
                "the number is in no IoT range (1410, 1440, 1441, 146, 148, 10646, 10648, 10649)",
            )),
        }
    }

    /// The 13 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.digits
    }

    /// Who issued the number.
    #[must_use]
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// First and last characters only, for logs.
    #[must_use]
    pub fn masked(&self) -> String {
        masked(&self.digits)
    }
}

impl std::fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Msisdn({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::{Msisdn, Operator};

    #[test]
    fn each_iot_range_names_its_operator() {
        for (text, operator) in [
            ("1440193898523", Operator::ChinaMobile),
            ("1441193898523", Operator::ChinaMobile),
            ("1480193898523", Operator::ChinaMobile),
            ("1064812345678", Operator::ChinaMobile),
            ("1460193898523", Operator::ChinaUnicom),
            ("1064612345678", Operator::ChinaUnicom),
            ("1410193898523", Operator::ChinaTelecom),
            ("1064912345678", Operator::ChinaTelecom),
        ] {
            assert_eq!(Msisdn::parse(text).unwrap().operator(), operator, "{text}");
        }
    }

    // §5.1.3
    #[test]
    fn numbers_of_people_are_refused() {
        for text in [
            "13800138000",
            "1380013800000",
            "+861440193898523",
            "144019389852",
            "14401938985234",
            "1440 93898523",
            "",
        ] {
            assert!(Msisdn::parse(text).is_err(), "{text}");
        }
    }
}
