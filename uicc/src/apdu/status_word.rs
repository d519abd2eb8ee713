//! Status words and their meaning (TS 102 221 §10.2, TS 102 226 §5.2).
//!
//! It must never decide what to do about one: a card profile may treat a refusal as harmless.

use core::fmt;

/// SW1 SW2, the two bytes that end every answer of a card.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusWord(pub u16);

/// The kinds of status word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwClass {
    /// `9000`: done.
    Ok,
    /// `91XX`: done, and a proactive command of this many bytes (0 = 256) waits to be fetched.
    ProactivePending(u8),
    /// `61XX`, `9FXX`: done, this many bytes (0 = 256) can be fetched with GET RESPONSE.
    DataAvailable(u8),
    /// `62XX`, `63XX`, `92XX` below `40`: done, but.
    Warning,
    /// `9300`: the card cannot at the moment; try again.
    Busy,
    /// `6CXX`: repeat with this Le.
    WrongLe(u8),
    /// Everything else: not done.
    Error,
}

/// Meaning of one status word, or of all that agree with it under the mask.
struct Meaning {
    mask: u16,
    value: u16,
    en: &'static str,
    zh: &'static str,
}

const fn exact(value: u16, en: &'static str, zh: &'static str) -> Meaning {
    Meaning {
        mask: 0xFFFF,
        value,
        en,
        zh,
    }
}

const fn family(mask: u16, value: u16, en: &'static str, zh: &'static str) -> Meaning {
    Meaning { mask, value, en, zh }
}

/// The first match counts: exact values stand before their family.
const MEANINGS: &[Meaning] = &[
    exact(0x9000, "done", "执行成功"),
    family(
        0xFF00,
        0x9100,
        "done, a proactive command is pending",
        "执行成功，有主动式命令待取",
    ),
    family(
        0xFF00,
        0x6100,
        "done, response data available",
        "执行成功，有响应数据待取",
    ),
    family(
        0xFF00,
        0x9F00,
        "done, response data available",
        "执行成功，有响应数据待取",
    ),
    exact(0x6200, "warning: nothing changed", "警告：未作改变"),
    exact(
        0x6281,
        "warning: part of the returned data may be corrupted",
        "警告：部分返回数据可能损坏",
    ),
    exact(
        0x6282,
        "warning: end of file or record before the expected length",
        "警告：未达到期望长度已到文件或记录末尾",
    ),
    exact(
        0x6283,
        "warning: the selected file is deactivated",
        "警告：所选文件已停用",
    ),
    exact(
        0x6285,
        "warning: the selected file is in termination state",
        "警告：所选文件处于终止状态",
    ),
    exact(
        0x62F1,
        "warning: response data truncated, script stopped",
        "警告：响应数据被截断，脚本中止",
    ),
    exact(
        0x62F2,
        "warning: more data available and a proactive command pending",
        "警告：还有数据，且有主动式命令待取",
    ),
    exact(0x62F3, "warning: response data available", "警告：有响应数据待取"),
    family(0xFF00, 0x6200, "warning: nothing changed", "警告：未作改变"),
    family(
        0xFFF0,
        0x63C0,
        "done after internal retries, or so many tries left",
        "内部重试后成功，或剩余尝试次数",
    ),
    family(
        0xFF00,
        0x6300,
        "warning: memory was changed",
        "警告：存储内容已改变",
    ),
    exact(0x6400, "error: nothing changed", "错误：未作改变"),
    exact(0x6500, "error: memory was changed", "错误：存储内容已改变"),
    exact(0x6581, "memory problem", "存储器故障"),
    exact(0x6700, "wrong length", "长度错误"),
    family(0xFF00, 0x6700, "wrong length", "长度错误"),
    exact(0x6881, "logical channel not supported", "不支持该逻辑通道"),
    exact(0x6882, "secure messaging not supported", "不支持安全报文"),
    exact(
        0x6981,
        "command incompatible with the file structure",
        "命令与文件结构不符",
    ),
    exact(0x6982, "security status not satisfied", "安全状态不满足"),
    exact(0x6983, "authentication method blocked", "鉴权方式已锁定"),
    exact(0x6984, "referenced data invalidated", "引用的数据已失效"),
    exact(0x6985, "conditions of use not satisfied", "使用条件不满足"),
    exact(
        0x6986,
        "command not allowed: no file selected",
        "命令不允许：未选择文件",
    ),
    exact(
        0x6989,
        "command not allowed: secure channel required",
        "命令不允许：需要安全通道",
    ),
    exact(0x6A80, "wrong data", "数据错误"),
    exact(0x6A81, "function not supported", "不支持该功能"),
    exact(0x6A82, "file not found", "文件未找到"),
    exact(0x6A83, "record not found", "记录未找到"),
    exact(0x6A84, "not enough memory", "存储空间不足"),
    exact(0x6A86, "wrong P1 P2", "参数 P1 P2 错误"),
    exact(0x6A87, "Lc inconsistent with P1 P2", "Lc 与 P1 P2 不一致"),
    exact(0x6A88, "referenced data not found", "引用的数据未找到"),
    exact(0x6B00, "wrong offset or parameters", "偏移或参数错误"),
    family(0xFF00, 0x6C00, "wrong Le", "Le 错误"),
    exact(0x6D00, "instruction not supported", "不支持该指令"),
    exact(0x6E00, "class not supported", "不支持该类别"),
    exact(0x6F00, "technical problem, no diagnosis", "技术故障，无法诊断"),
    family(0xFF00, 0x6F00, "technical problem", "技术故障"),
    exact(0x9240, "memory problem", "存储器故障"),
    family(0xFFF0, 0x9200, "done after internal retries", "内部重试后成功"),
    exact(0x9300, "toolkit busy, try again", "工具箱忙，请重试"),
    exact(0x9850, "counter at its maximum", "计数器已达最大值"),
    exact(
        0x9862,
        "authentication error, incorrect MAC",
        "鉴权错误：MAC 不正确",
    ),
];

impl StatusWord {
    /// `9000`.
    pub const OK: Self = Self(0x9000);
    /// `6581`, memory problem.
    pub const MEMORY_PROBLEM: Self = Self(0x6581);
    /// `6700`, wrong length.
    pub const WRONG_LENGTH: Self = Self(0x6700);
    /// `6981`, command incompatible with the file structure.
    pub const INCOMPATIBLE_STRUCTURE: Self = Self(0x6981);
    /// `6982`, security status not satisfied.
    pub const SECURITY_STATUS: Self = Self(0x6982);
    /// `6985`, conditions of use not satisfied.
    pub const CONDITIONS: Self = Self(0x6985);
    /// `6986`, no EF selected.
    pub const NO_EF_SELECTED: Self = Self(0x6986);
    /// `6A80`, wrong data.
    pub const WRONG_DATA: Self = Self(0x6A80);
    /// `6A82`, file not found.
    pub const FILE_NOT_FOUND: Self = Self(0x6A82);
    /// `6A83`, record not found.
    pub const RECORD_NOT_FOUND: Self = Self(0x6A83);
    /// `6A86`, wrong P1 P2.
    pub const WRONG_P1_P2: Self = Self(0x6A86);
    /// `6B00`, wrong offset or parameters.
    pub const WRONG_PARAMETERS: Self = Self(0x6B00);
    /// `6D00`, instruction not supported.
    pub const INS_NOT_SUPPORTED: Self = Self(0x6D00);
    /// `6E00`, class not supported.
    pub const CLA_NOT_SUPPORTED: Self = Self(0x6E00);
    /// `6F00`, technical problem.
    pub const TECHNICAL_PROBLEM: Self = Self(0x6F00);
    /// `9300`, toolkit busy.
    pub const BUSY: Self = Self(0x9300);
    /// `62F1`, response data truncated: a remote script stops here (TS 102 226 §5.2).
    pub const RESPONSE_TRUNCATED: Self = Self(0x62F1);

    /// `91XX`: done, fetch a proactive command of `length` bytes (0 for 256).
    #[must_use]
    pub const fn proactive(length: u8) -> Self {
        Self(0x9100 | length as u16)
    }

    /// First byte.
    #[must_use]
    pub const fn sw1(self) -> u8 {
        self.0.to_be_bytes()[0]
    }

    /// Second byte.
    #[must_use]
    pub const fn sw2(self) -> u8 {
        self.0.to_be_bytes()[1]
    }

    /// Which kind it is.
    #[must_use]
    pub const fn class(self) -> SwClass {
        match (self.sw1(), self.sw2()) {
            (0x90, 0x00) => SwClass::Ok,
            (0x91, length) => SwClass::ProactivePending(length),
            (0x61 | 0x9F, length) => SwClass::DataAvailable(length),
            (0x62 | 0x63, _) | (0x92, 0x00..=0x3F) => SwClass::Warning,
            (0x6C, le) => SwClass::WrongLe(le),
            (0x93, 0x00) => SwClass::Busy,
            _ => SwClass::Error,
        }
    }

    /// The command was carried out: ok, proactive pending, data available, or a warning of success after
    /// internal retries (`63CX` of a command other than VERIFY PIN, `920X`).
    #[must_use]
    pub const fn is_success(self) -> bool {
        match self.class() {
            SwClass::Ok | SwClass::ProactivePending(_) | SwClass::DataAvailable(_) => true,
            SwClass::Warning => self.0 & 0xFFF0 == 0x63C0 || self.sw1() == 0x92,
            SwClass::Busy | SwClass::WrongLe(_) | SwClass::Error => false,
        }
    }

    /// A remote script goes on after this word: no error, not truncated (TS 102 226 §5.2).
    #[must_use]
    pub const fn continues_script(self) -> bool {
        !matches!(self.class(), SwClass::Error | SwClass::WrongLe(_) | SwClass::Busy)
            && self.0 != Self::RESPONSE_TRUNCATED.0
    }

    /// Meaning in English.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.look_up().map_or("unknown status", |known| known.en)
    }

    /// Meaning in Chinese.
    #[must_use]
    pub fn meaning_zh(self) -> &'static str {
        self.look_up().map_or("未知状态", |known| known.zh)
    }

    fn look_up(self) -> Option<&'static Meaning> {
        MEANINGS
            .iter()
            .find(|meaning| self.0 & meaning.mask == meaning.value)
    }
}

impl From<u16> for StatusWord {
    fn from(word: u16) -> Self {
        Self(word)
    }
}

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X} ({})", self.0, self.meaning())
    }
}

impl fmt::Debug for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusWord({:04X})", self.0)
    }
}
