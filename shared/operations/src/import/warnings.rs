//! What is not as usual in a file, without being wrong: reported, and imported all the same.

/// Most warnings of a file.
const MAX_WARNINGS: usize = 100;

/// What is not as usual.
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

    /// What it means, in Chinese.
    #[must_use]
    pub fn zh(self) -> &'static str {
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

    /// What it means, in English.
    #[must_use]
    pub fn en(self) -> &'static str {
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

/// A warning, once for all rows that it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportWarning {
    /// What is not as usual.
    pub kind: WarningKind,
    /// Name of the column, if it is one.
    pub column: Option<String>,
    /// First line that it concerns.
    pub line: u64,
    /// How many lines it concerns.
    pub lines: usize,
    /// The gateways that know the value, if only some do.
    pub gateways: Vec<String>,
}

/// The warnings of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Warnings(pub(super) Vec<ImportWarning>);

impl Warnings {
    /// Adds what is not as usual in `line`.
    pub(super) fn add(&mut self, kind: WarningKind, column: Option<String>, line: u64) {
        self.add_known(kind, column, line, Vec::new());
    }

    /// Adds what is not as usual in `line`, and which gateways know the value.
    pub(super) fn add_known(
        &mut self,
        kind: WarningKind,
        column: Option<String>,
        line: u64,
        gateways: Vec<String>,
    ) {
        let is_same = |known: &&mut ImportWarning| {
            known.kind == kind && known.column == column && known.gateways == gateways
        };
        if let Some(known) = self.0.iter_mut().find(is_same) {
            known.lines += 1;
        } else if self.0.len() < MAX_WARNINGS {
            self.0.push(ImportWarning {
                kind,
                column,
                line,
                lines: 1,
                gateways,
            });
        }
    }
}
