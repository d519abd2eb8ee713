//! The help of `xieka` in Chinese. The English one is made of the doc comments in `args.rs` and, for the command itself,
//! of the description of the package.
//!
//! Every command and argument has a line in [`CHINESE`]; a test names those that have none.

use clap::{Arg, Command};

use crate::language::Language;

/// Chinese text of each command and argument, by the words of the command and the field of the argument.
const CHINESE: &[(&str, &str)] = &[
    ("", "在一台机器上运行 xieka：平台、网关与模拟卡，一个命令即可"),
    ("demo", "通过空中写入模拟卡，从申请到回调，显示每一步"),
    ("demo chips", "写入多少张卡；多于一张时显示进度条与汇总"),
    ("demo no_build", "使用已构建的组件，不重新构建"),
    ("up", "运行平台与网关，保存数据，打印地址与首个凭据"),
    ("up data", "存放数据库的文件夹；当前目录没有 .env 时也存放密钥"),
    ("up listen", "HTTP 接口的监听地址"),
    ("up gateway", "芯片连接的监听地址"),
    ("up metrics", "网关指标的监听地址"),
    (
        "up database",
        "使用 PostgreSQL 数据库而非文件：postgres://用户:密码@主机:端口/名称；缺省为密钥文件中的地址（如有）",
    ),
    (
        "up local_callbacks",
        "允许回调使用 http，并允许发往本机与内网；仅用于试用",
    ),
    ("up no_build", "使用已构建的组件，不重新构建"),
    (
        "init",
        "生成含新密钥的 .env 文件，供 `xieka up` 与 `spin up` 使用",
    ),
    ("init file", "要写入的文件；已有的文件不会被覆盖"),
    ("power", "给装有芯片文件中各芯片的模拟模组上电，连接运行中的网关"),
    ("power chips", "芯片文件，与导入时相同"),
    ("power eid", "只给此 EID 的芯片上电"),
    ("power gateway", "网关的监听地址"),
    ("power env", "含芯片主密钥的 .env 文件"),
    (
        "import",
        "将任意大小的表格分批导入运行中的平台；中断后重新执行同一命令即从中断处继续",
    ),
    ("import kind", "表格内容：`chips`（芯片）或 `numbers`（码号）"),
    (
        "import file",
        "表格文件：UTF-8、UTF-16 或 GBK 编码的 CSV，或 .xlsx",
    ),
    ("import sheet", "工作簿中的工作表；缺省为唯一有内容的工作表"),
    ("import client", "未填写 client_id 的芯片所属的业务需求方"),
    ("import preview", "只显示结果，不写入任何内容"),
    (
        "import accept_zeros",
        "接受以五个以上的零结尾且校验位不符的 ICCID",
    ),
    ("import platform", "平台的地址"),
    ("import env", "含管理员密钥的 .env 文件"),
    ("import api_key", "代替管理员密钥的 API 密钥"),
    ("recover", "无人能够登录时，为系统管理员生成启用码"),
    ("recover sign_in_name", "管理员的登录名；没有该账号时新建"),
    ("recover name", "新建账号的人员姓名"),
    (
        "recover data",
        "`xieka up` 的文件夹，存放数据库；当前目录没有 .env 时也存放密钥",
    ),
    ("recover env", "含密钥的 .env 文件；数据库不是文件时亦含其地址"),
    (
        "reindex",
        "为已停止的平台的数据库更换索引密钥；中断后重新执行同一命令即从中断处继续",
    ),
    (
        "reindex data",
        "`xieka up` 的文件夹，存放数据库；当前目录没有 .env 时也存放密钥",
    ),
    ("reindex database", "不由 `xieka up` 运行的平台的数据库"),
    ("reindex calls", "该平台的调用日志，一个独立的数据库"),
    ("reindex env", "含该数据库密钥的 .env 文件"),
    (
        "reindex end_old_secrets",
        "撤销仍按早期版本方式保存的业务需求方密钥",
    ),
    ("backup", "在平台运行时制作两个数据库的加密备份"),
    ("backup into", "写入备份及其清单的文件夹"),
    (
        "backup recipients",
        "备份为谁加密：以 age1 开头的 age 公钥；可重复填写",
    ),
    (
        "backup env",
        "可能含 PostgreSQL 数据库地址的 .env 文件；缺省为 `xieka up` 所用的文件（如有）",
    ),
    ("backup data", "`xieka up` 的文件夹，存放数据库"),
    (
        "backup database",
        "不由 `xieka up` 运行的平台的数据库：文件，或 postgres://用户:密码@主机:端口/名称；缺省为密钥文件中的地址（如有）",
    ),
    ("backup calls", "该平台的调用日志，如其为独立的文件"),
    (
        "verify",
        "打开备份，检查其是否完整、是否属于所给密钥、数据是否一致",
    ),
    ("verify file", "备份文件，或备份所在的文件夹（取其中最后一个）"),
    ("verify identity", "age-keygen 生成的文件，含接收者的密钥"),
    ("verify env", "含平台密钥的 .env 文件"),
    (
        "verify scratch",
        "供检查 PostgreSQL 备份的空数据库：postgres://用户:密码@主机:端口/名称；其中不会留下任何内容",
    ),
    ("verify record", "备份完好时，将本次验证登记到平台的数据库"),
    ("verify data", "登记所用的 `xieka up` 的文件夹"),
    (
        "verify database",
        "登记所用的数据库，平台不由 `xieka up` 运行时：文件，或 postgres://用户:密码@主机:端口/名称；缺省为密钥文件中的地址（如有）",
    ),
    ("verify calls", "该平台的调用日志，如其为独立的文件"),
    (
        "restore",
        "由备份建立新的平台；所有码号先隔离，由人证明未被使用后解除",
    ),
    ("restore file", "备份文件，或备份所在的文件夹（取其中最后一个）"),
    ("restore identity", "age-keygen 生成的文件，含接收者的密钥"),
    ("restore env", "含平台密钥的 .env 文件"),
    ("restore into", "新平台的文件夹，其中不得已有数据库"),
    (
        "restore database",
        "新平台的空 PostgreSQL 数据库：postgres://用户:密码@主机:端口/名称；未填写它与 `--into` 时为密钥文件中的地址",
    ),
    (
        "restore no_writes_since",
        "声明自此时刻起没有写过卡，此时刻不得晚于备份：码号不隔离，并登记该声明",
    ),
    (
        "migrate",
        "从数据库中移除本版本的程序不再读取的内容；须先制作备份",
    ),
    (
        "migrate backup",
        "本数据库在最近 24 小时内所作备份的清单，与备份在同一文件夹",
    ),
    (
        "migrate env",
        "可能含 PostgreSQL 数据库地址的 .env 文件；缺省为 `xieka up` 所用的文件（如有）",
    ),
    ("migrate data", "`xieka up` 的文件夹，存放数据库"),
    (
        "migrate database",
        "不由 `xieka up` 运行的平台的数据库：文件，或 postgres://用户:密码@主机:端口/名称；缺省为密钥文件中的地址（如有）",
    ),
    ("migrate calls", "该平台的调用日志，如其为独立的文件"),
    ("audit", "核对数据库的审计记录，或导出以供他人核对"),
    (
        "audit verify",
        "发现被改动、删除、调换的行，被截断的链尾与被删除的日期",
    ),
    (
        "audit verify heads",
        "接收方保存的链尾：audit_head 消息，每行一条；可多次给出",
    ),
    (
        "audit verify restored",
        "数据库由此备份恢复：恢复之前的链尾可属于已结束的分支；可多次给出",
    ),
    (
        "audit export",
        "导出审计记录，每行一条，格式见 docs/audit.zh-CN.md",
    ),
    ("audit export file", "要写入的文件；已有的文件不会被覆盖"),
    (
        "audit verify env",
        "可指明 PostgreSQL 数据库的 .env 文件；缺省为 `xieka up` 的文件（如有）",
    ),
    ("audit verify data", "`xieka up` 的文件夹，存放数据库"),
    (
        "audit verify database",
        "未使用 `xieka up` 的平台的数据库：文件，或 postgres://用户:密码@主机:端口/名称；缺省为密钥文件中的地址（如有）",
    ),
    ("audit verify calls", "该平台的调用日志，如其为独立的文件"),
    (
        "audit export env",
        "可指明 PostgreSQL 数据库的 .env 文件；缺省为 `xieka up` 的文件（如有）",
    ),
    ("audit export data", "`xieka up` 的文件夹，存放数据库"),
    (
        "audit export database",
        "未使用 `xieka up` 的平台的数据库：文件，或 postgres://用户:密码@主机:端口/名称；缺省为密钥文件中的地址（如有）",
    ),
    ("audit export calls", "该平台的调用日志，如其为独立的文件"),
    ("inventory", "生成示例 chips.csv 与 numbers.csv，供导入接口使用"),
    ("inventory folder", "写入的文件夹"),
    ("inventory count", "芯片数量；码号数量与之相同"),
    ("inventory first", "首个序号；不同的资源文件须使用不同的序号"),
    ("inventory env", "取其中第一个传输密钥加密 K 与 OPc 的 .env 文件"),
];
/// The help of one command, as clap lays it out by itself, with a Chinese heading of the usage.
const TEMPLATE: &str = "{before-help}{about-with-newline}\n用法: {usage}\n\n{all-args}{after-help}";

/// The command line with its help in one language.
pub(crate) fn in_language(command: Command, language: Language) -> Command {
    match language {
        Language::En => command,
        Language::Zh => {
            let mut command = own_texts(command, "");
            // clap adds `help`, `--help` and `--version` only here.
            command.build();
            texts_of_clap(command)
        }
    }
}

/// Replaces the texts of a command, its arguments and its subcommands. What has no Chinese text keeps the English one.
fn own_texts(command: Command, name: &str) -> Command {
    let command = match chinese(name) {
        Some(about) => command.about(about),
        None => command,
    };
    command
        .mut_args(|argument| own_text(argument, name))
        .mut_subcommands(|subcommand| {
            let name = joined(name, subcommand.get_name());
            own_texts(subcommand, &name)
        })
}

fn own_text(argument: Arg, command: &str) -> Arg {
    let Some(help) = chinese(&joined(command, argument.get_id().as_str())) else {
        return argument;
    };
    let defaults: Vec<_> = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    if defaults.is_empty() {
        return argument.help(help);
    }
    let help = format!("{help} [默认：{}]", defaults.join(" "));
    argument.help(help).hide_default_value(true)
}

/// Replaces the headings, and the texts of what clap adds to a command line.
fn texts_of_clap(command: Command) -> Command {
    let command = if command.get_name() == "help" {
        command.about("显示本帮助，或某个子命令的帮助")
    } else {
        command
    };
    command
        .help_template(TEMPLATE)
        .subcommand_help_heading("命令")
        .mut_args(|argument| {
            let heading = if argument.is_positional() {
                "参数"
            } else {
                "选项"
            };
            let argument = argument.help_heading(heading);
            match argument.get_id().as_str() {
                "help" => argument.help("显示帮助"),
                "version" => argument.help("显示版本"),
                _ => argument,
            }
        })
        .mut_subcommands(texts_of_clap)
}

fn chinese(name: &str) -> Option<&'static str> {
    let found = CHINESE.iter().find(|(own, _)| *own == name);
    found.map(|(_, text)| *text)
}

fn joined(command: &str, name: &str) -> String {
    format!("{command} {name}").trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Arguments;

    fn command_line(language: Language) -> Command {
        let mut command = in_language(Arguments::command(), language);
        command.build();
        command
    }

    /// The help of each command and argument, by its name.
    fn texts(command: &Command, name: &str, found: &mut BTreeMap<String, String>) {
        let about = command.get_long_about().or(command.get_about());
        found.insert(
            name.to_owned(),
            about.map(ToString::to_string).unwrap_or_default(),
        );
        for argument in command.get_arguments() {
            let help = argument.get_long_help().or(argument.get_help());
            let help = help.map(ToString::to_string).unwrap_or_default();
            found.insert(joined(name, &format!("<{}>", argument.get_id())), help);
        }
        for subcommand in command.get_subcommands() {
            texts(subcommand, &joined(name, subcommand.get_name()), found);
        }
    }

    fn all_texts(language: Language) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        texts(&command_line(language), "", &mut found);
        found
    }

    fn has_chinese(text: &str) -> bool {
        text.chars().any(|next| ('\u{4E00}'..='\u{9FFF}').contains(&next))
    }

    #[test]
    fn every_command_and_argument_has_a_chinese_and_an_english_text() {
        let (zh, en) = (all_texts(Language::Zh), all_texts(Language::En));
        assert!(
            zh.contains_key("power <eid>") && zh.contains_key("help demo") && zh.contains_key("<version>")
        );
        // A text that has Chinese characters never equals one that has none.
        assert!(zh.keys().eq(en.keys()));
        for (name, en) in &en {
            assert!(!en.is_empty(), "`{name}` has no English text");
            assert!(has_chinese(&zh[name]), "`{name}` has no Chinese text");
            assert!(!has_chinese(en), "`{name}`: {en}");
        }
    }

    #[test]
    fn every_chinese_text_belongs_to_something() {
        let en = all_texts(Language::En);
        for (name, _) in CHINESE {
            let (command, argument) = name.rsplit_once(' ').unwrap_or(("", name));
            let argument = joined(command, &format!("<{argument}>"));
            assert!(en.contains_key(*name) || en.contains_key(&argument), "`{name}`");
        }
    }

    #[test]
    fn the_chinese_help_has_no_english_heading_and_keeps_the_defaults() {
        let mut command = command_line(Language::Zh);
        let mut helps = vec![command.render_help().to_string()];
        for subcommand in command.get_subcommands_mut() {
            helps.push(subcommand.render_long_help().to_string());
        }
        for help in &helps {
            for english in ["Usage", "Commands:", "Arguments:", "Options:", "default", "Print"] {
                assert!(!help.contains(english), "{english}:\n{help}");
            }
        }
        assert!(
            helps[0].contains("\n用法: xieka <COMMAND>\n\n命令:\n"),
            "{}",
            helps[0]
        );
        assert!(
            helps
                .iter()
                .any(|help| help.contains("HTTP 接口的监听地址 [默认：127.0.0.1:3000]"))
        );
    }

    #[test]
    fn both_languages_accept_the_same_command_lines() {
        for language in [Language::Zh, Language::En] {
            let parse = |line: &str| {
                in_language(Arguments::command(), language).try_get_matches_from(line.split(' '))
            };
            let found = parse("xieka inventory folder --count 3").unwrap();
            let (name, found) = found.subcommand().unwrap();
            let numbers = ["count", "first"].map(|name| *found.get_one::<u32>(name).unwrap());
            assert_eq!((name, numbers), ("inventory", [3, 1]));
            assert!(parse("xieka demo --chips 0").is_err() && parse("xieka power").is_err());
        }
    }
}
