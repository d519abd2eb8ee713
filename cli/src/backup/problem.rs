//! Why a backup is not what it should be: each kind with a text and an exit code of its own.

use crate::language::text;

/// What is wrong with a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The file is no backup, or of a form that this program does not know.
    NoBackup,
    /// No key of the identity file opens it.
    WrongIdentity,
    /// The end is missing.
    Cut,
    /// Bytes were changed.
    Changed,
    /// A database in it is not what the manifest says: what differs.
    Contents(String),
    /// Its data were made by a newer program.
    Newer(i64),
    /// It belongs to other keys than the file of the secrets has: which.
    WrongKeys(String),
    /// A sealed value belongs to another row: column, row, and the row that it belongs to.
    Swapped(&'static str, String, String),
    /// Sealed values that no key opens: column and row of one.
    Unopened(&'static str, String),
    /// A rule between rows does not hold.
    Broken(String, u64),
}

impl Problem {
    /// The exit code of the process.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NoBackup => 10,
            Self::WrongIdentity => 11,
            Self::Cut => 12,
            Self::Changed => 13,
            Self::Contents(_) => 14,
            Self::Newer(_) => 15,
            Self::WrongKeys(_) => 16,
            Self::Swapped(..) => 17,
            Self::Unopened(..) => 18,
            Self::Broken(..) => 19,
        }
    }

    fn zh(&self) -> String {
        match self {
            Self::NoBackup => "该文件不是 xieka 的备份，或其格式版本未知".to_owned(),
            Self::WrongIdentity => {
                "身份文件中没有能打开该备份的密钥：备份是为其他接收者加密的，或文件头已被改动".to_owned()
            }
            Self::Cut => "备份不完整：文件的末尾缺失".to_owned(),
            Self::Changed => "备份已被改动：文件中有字节与写入时不同".to_owned(),
            Self::Contents(what) => format!("备份的内容与清单不符：{what}"),
            Self::Newer(version) => format!("备份来自较新的版本（数据库结构 {version}）：请使用该版本的程序"),
            Self::WrongKeys(key) => format!("备份属于另一套平台密钥：{key}"),
            Self::Swapped(column, row, owner) => format!("行被调换：行 {row} 的 {column} 属于行 {owner}"),
            Self::Unopened(column, row) => format!("加密值无法打开：行 {row} 的 {column}"),
            Self::Broken(rule, rows) => format!("数据不一致：“{rule}”不成立（{rows} 行）"),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::NoBackup => "the file is no backup of xieka, or of a form that is not known".to_owned(),
            Self::WrongIdentity => {
                "no key of the identity file opens the backup: it was made for another recipient, or \
                its header was changed"
                    .to_owned()
            }
            Self::Cut => "the backup is cut: the end of the file is missing".to_owned(),
            Self::Changed => {
                "the backup was changed: bytes of the file are not those that were written".to_owned()
            }
            Self::Contents(what) => format!("the backup is not what its manifest says: {what}"),
            Self::Newer(version) => {
                format!(
                    "the backup is of a newer version (schema {version}): use the program of that version"
                )
            }
            Self::WrongKeys(key) => format!("the backup belongs to other keys of a platform: {key}"),
            Self::Swapped(column, row, owner) => {
                format!("rows were swapped: {column} of row {row} belongs to row {owner}")
            }
            Self::Unopened(column, row) => format!("a sealed value does not open: {column} of row {row}"),
            Self::Broken(rule, rows) => {
                format!("rows contradict each other: \"{rule}\" does not hold ({rows} rows)")
            }
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&text(self.zh(), self.en()))
    }
}

impl std::error::Error for Problem {}
