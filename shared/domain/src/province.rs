//! Provinces by their GB/T 2260 code.

use super::{Kind, Malformed};

/// Code, Chinese name, English name of every province-level region of GB/T 2260.
const PROVINCES: &[(&str, &str, &str)] = &[
    ("11", "北京", "Beijing"),
    ("12", "天津", "Tianjin"),
    ("13", "河北", "Hebei"),
    ("14", "山西", "Shanxi"),
    ("15", "内蒙古", "Inner Mongolia"),
    ("21", "辽宁", "Liaoning"),
    ("22", "吉林", "Jilin"),
    ("23", "黑龙江", "Heilongjiang"),
    ("31", "上海", "Shanghai"),
    ("32", "江苏", "Jiangsu"),
    ("33", "浙江", "Zhejiang"),
    ("34", "安徽", "Anhui"),
    ("35", "福建", "Fujian"),
    ("36", "江西", "Jiangxi"),
    ("37", "山东", "Shandong"),
    ("41", "河南", "Henan"),
    ("42", "湖北", "Hubei"),
    ("43", "湖南", "Hunan"),
    ("44", "广东", "Guangdong"),
    ("45", "广西", "Guangxi"),
    ("46", "海南", "Hainan"),
    ("50", "重庆", "Chongqing"),
    ("51", "四川", "Sichuan"),
    ("52", "贵州", "Guizhou"),
    ("53", "云南", "Yunnan"),
    ("54", "西藏", "Tibet"),
    ("61", "陕西", "Shaanxi"),
    ("62", "甘肃", "Gansu"),
    ("63", "青海", "Qinghai"),
    ("64", "宁夏", "Ningxia"),
    ("65", "新疆", "Xinjiang"),
    ("71", "台湾", "Taiwan"),
    ("81", "香港", "Hong Kong"),
    ("82", "澳门", "Macao"),
];

/// The suffix that makes the six-digit form out of the two digits.
const SIX_DIGIT_TAIL: &str = "0000";

/// A province of GB/T 2260.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Province(&'static (&'static str, &'static str, &'static str));

impl Province {
    /// Reads the two-digit code, or the six-digit form that ends in `0000`.
    ///
    /// # Errors
    /// [`Malformed`] when no province has that code.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let code = text.strip_suffix(SIX_DIGIT_TAIL).unwrap_or(text);
        PROVINCES
            .iter()
            .find(|(known, _, _)| *known == code)
            .map(Self)
            .ok_or(Malformed::new(
                Kind::Province,
                "省份编码应为 GB/T 2260 的两位省级代码（如 37）或六位形式（如 370000）",
                "a province code is the two-digit code of GB/T 2260 (37) or its six-digit form (370000)",
            ))
    }

    /// Every province, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Self> {
        PROVINCES.iter().map(Self)
    }

    /// The two-digit code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.0
    }

    /// The bit of the code, which has two digits and begins at 11.
    fn bit(self) -> u128 {
        self.code().parse().map_or(0, |code: u32| 1 << code)
    }

    /// Name in Chinese.
    #[must_use]
    pub fn zh(self) -> &'static str {
        self.0.1
    }

    /// Name in English.
    #[must_use]
    pub fn en(self) -> &'static str {
        self.0.2
    }
}

/// A set of provinces, a bit for each code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provinces(u128);

impl Provinces {
    /// Reads codes separated by commas.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let codes = text.split(',').map(|code| Province::parse(code.trim()));
        codes
            .collect::<Result<_, _>>()
            .map_err(|_| "not province codes of GB/T 2260, separated by commas")
    }

    /// Whether the set has this province.
    #[must_use]
    pub fn contains(self, province: Province) -> bool {
        self.0 & province.bit() != 0
    }
}

impl FromIterator<Province> for Provinces {
    fn from_iter<T: IntoIterator<Item = Province>>(provinces: T) -> Self {
        Self(
            provinces
                .into_iter()
                .fold(0, |set, province| set | province.bit()),
        )
    }
}

impl std::fmt::Debug for Province {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Province({} {})", self.code(), self.en())
    }
}

#[cfg(test)]
mod tests {
    use super::{Province, Provinces};

    #[test]
    fn a_set_has_the_provinces_whose_codes_it_was_read_from() {
        let set = Provinces::parse("37, 650000").unwrap();
        for province in Province::all() {
            assert_eq!(set.contains(province), ["37", "65"].contains(&province.code()));
        }
        assert_eq!(
            set,
            ["65", "37"]
                .map(|code| Province::parse(code).unwrap())
                .into_iter()
                .collect()
        );
        for text in ["", "37;65", "37,", "99", "all"] {
            assert!(Provinces::parse(text).is_err(), "{text}");
        }
        let every: Vec<&str> = Province::all().map(Province::code).collect();
        let all = Provinces::parse(&every.join(",")).unwrap();
        assert!(Province::all().all(|province| all.contains(province)));
    }

    #[test]
    fn both_forms_name_the_same_province() {
        assert_eq!(Province::parse("37").unwrap(), Province::parse("370000").unwrap());
        assert_eq!(Province::parse("37").unwrap().zh(), "山东");
    }

    #[test]
    fn cities_unknown_codes_and_names_are_refused() {
        for text in ["370100", "99", "", "0000", "3", "山东", "37000", "37 "] {
            assert!(Province::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn codes_are_unique_and_ascending() {
        let codes: Vec<&str> = Province::all().map(Province::code).collect();
        assert_eq!(codes.len(), 34);
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
