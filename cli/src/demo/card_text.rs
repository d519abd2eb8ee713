//! Events and results of the simulated chip and module, in the language of this process.
//!
//! The English texts are the simulator's own. What a command, a response or an ENVELOPE says stays as the simulator
//! describes it in both languages.

use card_sim::{Event, Outcome, PowerCycleReport, Reset, SessionEnd};

use crate::language::text;

/// An event in text.
pub(crate) fn event(event: &Event) -> String {
    text(event_in_chinese(event), event.to_string())
}

/// The result of a power cycle in text.
pub(crate) fn report(report: &PowerCycleReport) -> String {
    text(report_in_chinese(report), report.to_string())
}

fn event_in_chinese(event: &Event) -> String {
    match event {
        Event::Started(Reset::PowerUp) => "上电".into(),
        Event::Started(Reset::Refresh) => "UICC 复位".into(),
        Event::Proactive { description, .. } => format!("主动式命令：{description}"),
        Event::TerminalResponse { description } => format!("TERMINAL RESPONSE：{description}"),
        Event::Envelope { description } => format!("ENVELOPE：{description}"),
        Event::Attach { imsi, result: Ok(_) } => format!("已附着，IMSI {imsi}"),
        Event::Attach {
            imsi,
            result: Err(why),
        } => format!("附着被拒绝，IMSI {imsi}，原因 {}", why.cause),
        Event::TlsEstablished { version, suite } => format!("{version} 已建立，{suite}"),
        Event::Request {
            uri,
            resume,
            script_status,
            body_bytes,
        } => {
            let resume = if *resume { "，续传" } else { "" };
            let status = script_status.map(|status| format!("，脚本 {status}"));
            format!(
                "POST {uri}{resume}{}，{body_bytes} 字节",
                status.unwrap_or_default()
            )
        }
        Event::Answer {
            status,
            body_bytes,
            next_uri,
        } => {
            let next = next_uri.as_ref().map(|uri| format!("，下一个 {uri}"));
            format!("HTTP {status}，{body_bytes} 字节{}", next.unwrap_or_default())
        }
        Event::SessionEnded(end) => format!("会话：{}", end_in_chinese(end)),
        Event::AllowanceExhausted => "测试流量已用尽".into(),
        Event::IdentityRestored => "已恢复临时号码的 IMSI".into(),
        Event::Fault(what) => format!("故障：{what}"),
        // Names of commands, which are the same in both languages.
        other => other.to_string(),
    }
}

fn end_in_chinese(end: &SessionEnd) -> String {
    match end {
        SessionEnd::Finished => "已完成".into(),
        SessionEnd::NoResultWanted => "已完成，无需返回结果".into(),
        SessionEnd::NoChannel(result) => format!("未打开通道（终端结果 {result:02X}）"),
        SessionEnd::LinkLost => "链路中断".into(),
        SessionEnd::Refused(status) => format!("被拒绝，HTTP {status}"),
        SessionEnd::Security(why) => format!("TLS 失败：{why}"),
        SessionEnd::Malformed(why) => format!("应答格式错误：{why}"),
        SessionEnd::Inactive => "过久无数据".into(),
        SessionEnd::PowerLost => "断电".into(),
    }
}

fn report_in_chinese(report: &PowerCycleReport) -> String {
    let outcome = match report.outcome {
        Outcome::Settled => "运行结束",
        Outcome::PowerLost => "断电",
        Outcome::Silent => "芯片无应答",
        Outcome::TooManyResets => "复位次数过多",
        Outcome::TimedOut => "超时",
    };
    let attached = if report.attached { "已附着" } else { "未附着" };
    let (apdus, script_apdus, resets) = (report.apdus, report.script_apdus, report.resets);
    let (up, down) = (report.bytes_up, report.bytes_down);
    let tls = report.tls.as_ref();
    let tls = tls.map(|tls| format!("，{} {}", tls.version, tls.suite));
    let sessions: String = report
        .sessions
        .iter()
        .map(|end| format!("；会话：{}", end_in_chinese(end)))
        .collect();
    format!(
        "{outcome}，{attached}，{apdus} 条 APDU，其中脚本 {script_apdus} 条，复位 {resets} 次，\
         上行 {up} 字节，下行 {down} 字节{}{sessions}",
        tls.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_keep_their_figures_and_the_words_of_the_protocol() {
        let request = Event::Request {
            uri: "/adminagent?n=1".into(),
            resume: true,
            script_status: Some("ok"),
            body_bytes: 72,
        };
        let answer = Event::Answer {
            status: 200,
            body_bytes: 305,
            next_uri: Some("/adminagent?n=2".into()),
        };
        let response = Event::TerminalResponse {
            description: "Ok, channel 1".into(),
        };
        for (event, expected) in [
            (request, "POST /adminagent?n=1，续传，脚本 ok，72 字节"),
            (answer, "HTTP 200，305 字节，下一个 /adminagent?n=2"),
            (response, "TERMINAL RESPONSE：Ok, channel 1"),
            (Event::Refresh { qualifier: 4 }, "REFRESH 04"),
            (
                Event::SessionEnded(SessionEnd::NoChannel(0x3A)),
                "会话：未打开通道（终端结果 3A）",
            ),
        ] {
            assert_eq!(event_in_chinese(&event), expected);
        }
    }

    #[test]
    fn the_result_of_a_power_cycle_has_every_figure() {
        let report = PowerCycleReport {
            outcome: Outcome::Settled,
            apdus: 135,
            script_apdus: 71,
            resets: 1,
            attached: false,
            sessions: vec![SessionEnd::LinkLost, SessionEnd::Finished],
            tls: None,
            bytes_up: 3_510,
            bytes_down: 2_964,
        };
        assert_eq!(
            report_in_chinese(&report),
            "运行结束，未附着，135 条 APDU，其中脚本 71 条，复位 1 次，上行 3510 字节，下行 2964 字节；会话：链路中断；会话：已完成"
        );
    }
}
