//! The demonstration, as the README has it, in both languages.

use std::process::Command;

/// The value of `LANG` of a user who reads English.
const ENGLISH: &str = "en_US.UTF-8";

/// Runs the demonstration; without `lang` the environment names no language.
fn demo(chips: &str, lang: Option<&str>) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xieka"));
    for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
        command.env_remove(name);
    }
    let output = command
        .envs(lang.map(|lang| ("LANG", lang)))
        .args(["demo", "--chips", chips])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap_or_else(|error| panic!("the demonstration did not start: {error}"));
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

fn assert_shows(shown: &str, steps: &[&str]) {
    for step in steps {
        assert!(shown.contains(step), "{step} is not shown:\n{shown}");
    }
}

/// What is the same in both languages: interfaces, commands of the card, states.
const IN_BOTH: [&str; 7] = [
    "POST /admin/v1/chips:import",
    "GET /v1/write/apply",
    "OPEN CHANNEL",
    "TLSv1.2 PSK-AES128",
    "load key material and EF_IMSI",
    "REFRESH",
    "写卡成功",
];

#[test]
fn the_demonstration_of_one_card_shows_every_step_in_chinese_and_succeeds() {
    let (success, shown) = demo("1", None);
    assert!(success, "{shown}");
    assert_shows(&shown, &IN_BOTH);
    assert_shows(
        &shown,
        &[
            "\n准备（§6.2.1）\n",
            "\n申请（§6.2.2）\n",
            "\n上电、写卡、反馈（§6.2.3、§6.2.4）\n",
            "业务系统  回调接收端 http://127.0.0.1:",
            "管理员    POST /admin/v1/clients → cl_",
            "模组      上电\n",
            "芯片      POST /adminagent，0 字节\n",
            "网关      本次会话的工作：verify\n",
            "✔ /v1/write/status 返回写卡成功，100%\n",
            "✔ 收到 1 次回调，两个签名均有效\n",
            "卡中已是其运营号，业务系统已收到回调\n",
        ],
    );
    for english in ["gateway ", "session", "script", "acknowledged", "holds", "Check"] {
        assert!(!shown.contains(english), "{english} is English:\n{shown}");
    }
}

#[test]
fn the_demonstration_is_in_english_for_who_reads_english() {
    let (success, shown) = demo("1", Some(ENGLISH));
    assert!(success, "{shown}");
    assert_shows(&shown, &IN_BOTH);
    assert_shows(
        &shown,
        &[
            "\nPrepare (§6.2.1)\n",
            "\nApply (§6.2.2)\n",
            "\nPower up, write, report in (§6.2.3, §6.2.4)\n",
            "client    callback receiver at http://127.0.0.1:",
            "admin     POST /admin/v1/clients → cl_",
            "module    power up\n",
            "chip      POST /adminagent, 0 bytes\n",
            "gateway   work for this session: verify\n",
            "✔ /v1/write/status says 写卡成功, 100%\n",
            "✔ 1 callback arrived, both signatures valid\n",
            "the card holds its operator identity, and the client received the callback\n",
        ],
    );
    for chinese in ["网关", "字节", "会话", "核对"] {
        assert!(!shown.contains(chinese), "{chinese} is Chinese:\n{shown}");
    }
}

#[test]
fn the_demonstration_of_many_cards_writes_each_with_a_number_of_its_own() {
    let (success, shown) = demo("25", None);
    assert!(success, "{shown}");
    assert_shows(&shown, &["25 × 写卡成功", "25 个芯片中有 25 个不同的码号"]);
}
