//! The same document as a page: one HTML file without scripts and without external resources.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::answers;
use super::fields::{self, Field};
use domain::error::Lang;
use web::interface::{Access, BUSINESS, Interface, Methods, documented_reasons};

const STYLE: &str = "
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }
body { font: 16px/1.55 system-ui, 'Noto Sans CJK SC', sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
nav a { display: inline-block; margin: 0 .8rem .3rem 0; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; padding: .8rem; border: 1px solid var(--line); border-radius: .3rem; }
.en { opacity: .75; display: block; }
details summary { cursor: pointer; }
";

/// The page, as text.
#[must_use]
pub fn page() -> String {
    let page = html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "xieka 写卡 接口文档" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "xieka 写卡 接口文档" }
                p {
                    "业务接口，UTF-8，JSON；" code { "code" } " 等于 HTTP 状态码。TOKEN 置于参数 " code { "token" } " 或 "
                    code { "Authorization: Bearer" } "。机器可读：" a href="/openapi.json" { "/openapi.json" }
                    span class="en" lang="en" {
                        "Interfaces for business systems. UTF-8, JSON; " code { "code" } " equals the HTTP status. Send the token as parameter "
                        code { "token" } " or as " code { "Authorization: Bearer" } ". English messages with " code { "Accept-Language: en" } "."
                    }
                }
                nav { @for interface in BUSINESS { a href={ "#" (interface.name) } { code { (interface.path) } } } a href="#callback" { "回调 callback" } }
                @for interface in BUSINESS { (section(interface)) }
                h2 id="callback" { "空写回调 §7.3" }
                p {
                    "写卡结束后以 POST 推送至回调地址，应答 " code { "{\"code\":200,\"message\":\"接收成功\"}" } "。"
                    span class="en" lang="en" { "Sent by POST to the client's callback address when writing has ended." }
                }
                (table(&[answers::callback(), answers::callback_at_times()].concat()))
            }
        }
    };
    let mut text = page.into_string();
    text.push('\n');
    text
}

fn section(interface: &Interface) -> Markup {
    let (clause, zh, en) = fields::purpose(interface.name);
    let methods = if interface.methods == Methods::Get {
        "GET"
    } else {
        "GET, POST"
    };
    let parameters: Vec<_> = interface
        .params
        .iter()
        .map(|param| fields::parameter(*param))
        .collect();
    html! {
        section {
            h2 id=(interface.name) { code { (interface.path) } " " (clause) }
            p { (zh) span class="en" lang="en" { (en) } }
            p { (methods) " · " code { (interface.name) } " · 默认每分钟 " (interface.calls_per_minute) " 次" }
            @if !parameters.is_empty() { h3 { "参数 Parameters" } (table(&parameters)) }
            h3 { "响应 Answer" }
            (table(&answers::answer(interface.name)))
            pre { (curl(interface)) }
            details {
                summary { "错误 Refusals" }
                table {
                    tr { th { "HTTP" } th { "reason" } th { "原因 What" } th { "处理 Remedy" } }
                    @for reason in documented_reasons(interface) {
                        tr {
                            td { (reason.status()) }
                            td { code { (reason.code()) } }
                            td { (reason.message(Lang::Zh)) span class="en" lang="en" { (reason.message(Lang::En)) } }
                            td { (reason.remedy(Lang::Zh)) span class="en" lang="en" { (reason.remedy(Lang::En)) } }
                        }
                    }
                }
            }
        }
    }
}

fn table(fields: &[Field]) -> Markup {
    html! {
        table {
            tr { th { "名称 Name" } th { "说明 Meaning" } th { "示例 Example" } }
            @for field in fields {
                tr {
                    td { code { (field.name) } }
                    td { (field.zh) span class="en" lang="en" { (field.en) } }
                    td { code { (field.example.as_str().map_or_else(|| field.example.to_string(), str::to_owned)) } }
                }
            }
        }
    }
}

fn curl(interface: &Interface) -> String {
    let (needed, pair) = fields::needed(interface.name);
    let mut params = needed.to_vec();
    params.extend(pair.map(|[one, _]| one));
    if interface.name == "write.apply" {
        params.push(web::Param::ProvinceCode);
    }
    let query = params.iter().map(|param| {
        let field = fields::parameter(*param);
        format!(
            " --data-urlencode {}={}",
            field.name,
            field.example.as_str().unwrap_or_default()
        )
    });
    let bearer = match interface.access {
        Access::Client(_) => " -H \"Authorization: Bearer $token\"",
        Access::Anyone | Access::Secret => "",
    };
    format!(
        "curl -G $base{}{bearer}{}",
        interface.path,
        query.collect::<String>()
    )
}
