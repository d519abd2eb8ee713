//! What is not as usual in a file or a correction, without being wrong: by name and in words.

use domain::error::Lang;

/// What is not as usual in a file or a correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarningKind {
    /// The file has a column that is not read.
    ColumnUnknown,
    /// The row has fewer fields than the header.
    RowShort,
    /// The check digit of a numeric ICCID is wrong.
    CheckDigitWrong,
    /// No gateway has announced which profiles and master keys it has.
    NoGatewayAnnounced,
    /// Only some gateways announced that they have the value.
    KnownToSomeGateways,
}

impl WarningKind {
    /// Name, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ColumnUnknown => "column_unknown",
            Self::RowShort => "row_short",
            Self::CheckDigitWrong => "check_digit_wrong",
            Self::NoGatewayAnnounced => "no_gateway_announced",
            Self::KnownToSomeGateways => "known_to_some_gateways",
        }
    }

    /// What it means.
    #[must_use]
    pub fn message(self, lang: Lang) -> &'static str {
        match lang {
            Lang::Zh => self.zh(),
            Lang::En => self.en(),
        }
    }

    fn zh(self) -> &'static str {
        match self {
            Self::ColumnUnknown => "该列未定义，未读取",
            Self::RowShort => "该行的列数少于表头，缺少的列按空值处理",
            Self::CheckDigitWrong => "ICCID 的校验位不符（ITU-T E.118），请核对是否录入有误",
            Self::NoGatewayAnnounced => "尚无网关公布其卡片模板与主密钥版本，未核对 profile 与 key_version",
            Self::KnownToSomeGateways => {
                "仅部分网关具有该值，连接到其他网关的芯片无法写卡；请在其他网关上补充配置"
            }
        }
    }

    fn en(self) -> &'static str {
        match self {
            Self::ColumnUnknown => "the column is not defined and was not read",
            Self::RowShort => {
                "the row has fewer fields than the header; those that are missing count as empty"
            }
            Self::CheckDigitWrong => {
                "the check digit of the ICCID is wrong (ITU-T E.118); check whether it was entered correctly"
            }
            Self::NoGatewayAnnounced => {
                "no gateway has announced its card profiles and master keys; profile and key_version were not checked"
            }
            Self::KnownToSomeGateways => {
                "only some gateways have the value; a chip that connects to another one cannot be written: set it up there too"
            }
        }
    }
}
