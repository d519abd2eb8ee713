//! The same document as a page: one HTML file without scripts and without external resources.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use super::document::{calls_per_minute, document};
use super::fields::{self, Field, both};
use super::operation::{Operation, listed};
use super::reasons::reasons;
use domain::error::{Lang, Reason};
use web::{Access, Content, Role};

const STYLE: &str = "
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }
body { font: 16px/1.55 system-ui, 'Noto Sans CJK SC', sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
nav a { display: inline-block; margin: 0 .8rem .3rem 0; }
h2 { margin-top: 3.5rem; border-bottom: 2px solid var(--line); padding-bottom: .3rem; }
h3 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; padding: .8rem; border: 1px solid var(--line); border-radius: .3rem; }
.en { opacity: .75; display: block; }
details summary { cursor: pointer; }
";

/// What the sections of the page are made from.
struct Source {
    document: Value,
    operations: Vec<Operation>,
}

/// The page, as text.
///
/// # Panics
/// Those of [`document`].
#[must_use]
pub fn page() -> String {
    let document = document();
    let source = Source {
        operations: listed(&document),
        document,
    };
    let tags = source.document["tags"].as_array().into_iter().flatten();
    let tags: Vec<_> = tags
        .map(|tag| ["name", "description"].map(|key| tag[key].as_str().unwrap_or_default()))
        .collect();
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
                (introduction())
                @for [tag, text] in &tags {
                    p { a href={ "#" (tag) } { (bilingual(both(text))) } }
                    nav { @for operation in source.of_tag(tag) { a href={ "#" (operation.name) } { code { (operation.path) } } " " } }
                }
                nav { a href="#callback" { "回调 callback" } " " a href="#refusals" { "错误 refusals" } }
                @for [tag, text] in &tags {
                    h2 id=(tag) { (tag) }
                    p { (bilingual(both(text))) }
                    @for operation in source.of_tag(tag) { (source.section(operation)) }
                }
                (source.callback())
                (source.refusals())
            }
        }
    };
    let mut text = page.into_string();
    text.push('\n');
    text
}

fn introduction() -> Markup {
    html! {
        p {
            "UTF-8，JSON；" code { "code" } " 等于 HTTP 状态码。TOKEN 置于参数 " code { "token" } " 或 "
            code { "Authorization: Bearer" } "；其他接口的凭据置于 " code { "Authorization: Bearer" } "。机器可读："
            a href="/openapi.json" { "/openapi.json" }
            span class="en" lang="en" {
                "UTF-8, JSON; " code { "code" } " equals the HTTP status. Send the token as parameter " code { "token" }
                " or as " code { "Authorization: Bearer" } ", and the secrets of the other operations as "
                code { "Authorization: Bearer" } ". English messages with " code { "Accept-Language: en" } "."
            }
        }
    }
}

/// A text in both languages.
fn bilingual<T: AsRef<str>>([zh, en]: [T; 2]) -> Markup {
    let (zh, en) = (zh.as_ref(), en.as_ref());
    html! { (zh) @if zh != en { span class="en" lang="en" { (en) } } }
}

fn table(fields: &[Field]) -> Markup {
    html! {
        table {
            tr { th { "名称 Name" } th { "说明 Meaning" } th { "示例 Example" } }
            @for field in fields {
                tr {
                    td { code { (field.name) } @if field.is_required { " *" } }
                    td { (bilingual([&field.meaning[0], &field.meaning[1]])) }
                    td { code { (field.example) } }
                }
            }
        }
    }
}

impl Source {
    fn documented(&self, operation: &Operation) -> &Value {
        &self.document["paths"][&operation.path][operation.method.to_lowercase()]
    }

    fn schemas(&self) -> &Value {
        &self.document["components"]["schemas"]
    }

    /// The operations of a tag. One that is called by GET and by POST is named once.
    fn of_tag(&self, tag: &str) -> impl Iterator<Item = &Operation> {
        let is_first = |operation: &&Operation| {
            let first = self.operations.iter().find(|other| other.name == operation.name);
            first.is_some_and(|first| first.id == operation.id)
        };
        let tag = tag.to_owned();
        let is_in = move |operation: &&Operation| self.documented(operation)["tags"][0] == tag.as_str();
        self.operations.iter().filter(is_first).filter(is_in)
    }

    /// The same operation by GET and by POST.
    fn forms(&self, operation: &Operation) -> Vec<&Operation> {
        let same = |other: &&Operation| other.name == operation.name;
        self.operations.iter().filter(same).collect()
    }

    fn section(&self, operation: &Operation) -> Markup {
        let documented = self.documented(operation);
        let summary = documented["summary"].as_str().unwrap_or_default();
        let (summary, clause) = clause_of(summary);
        let forms = self.forms(operation);
        let methods: Vec<_> = forms.iter().map(|form| form.method).collect();
        let parameters: Vec<_> = documented["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| fields::of_parameter(parameter, self.schemas()))
            .collect();
        html! {
            section {
                h3 id=(operation.name) { code { (operation.path) } @if let Some(clause) = clause { " " (clause) } }
                p { (bilingual(both(summary))) }
                p {
                    (methods.join(", ")) " · " code { (operation.name) }
                    @if let Some(limit) = calls_per_minute(operation.access) { " · 默认每分钟 " (limit) " 次" }
                }
                @if !parameters.is_empty() { h4 { "参数 Parameters" } (table(&parameters)) }
                // By POST the parameters are in the body.
                @for form in &forms {
                    @if form.content != Some(Content::Parameters) || forms.len() == 1 { (self.body(form)) }
                }
                (self.answer(documented))
                pre { (curl(operation)) }
                details {
                    summary { "错误 Refusals" }
                    p { @for reason in reasons(operation) { a href={ "#" (reason.code()) } { code { (reason.code()) } } " " } }
                }
            }
        }
    }

    fn body(&self, operation: &Operation) -> Markup {
        let content = self.documented(operation)["requestBody"]["content"].as_object();
        html! {
            @if let Some((media_type, content)) = content.and_then(|content| content.iter().next()) {
                h4 { "请求体 Body · " code { (media_type) } }
                @let rows = fields::of_schema(&content["schema"], self.schemas());
                @if !rows.is_empty() { (table(&rows)) }
                @if let Some(text) = content["example"].as_str() { pre { (text) } }
            }
        }
    }

    fn answer(&self, documented: &Value) -> Markup {
        let contents = documented["responses"]["200"]["content"]
            .as_object()
            .into_iter()
            .flatten();
        html! {
            @for (media_type, content) in contents {
                h4 { "响应 Answer" @if media_type != "application/json" { " · " code { (media_type) } } }
                @let rows = fields::of_schema(&content["schema"], self.schemas());
                @if !rows.is_empty() { (table(&rows)) }
            }
        }
    }

    fn callback(&self) -> Markup {
        let callback = &self.document["components"]["pathItems"]["Callback"]["post"];
        let content = &callback["requestBody"]["content"]["application/json"];
        html! {
            h2 id="callback" { "空写回调 §7.3" }
            p {
                "写卡结束后以 POST 推送至回调地址，应答 " code { "{\"code\":200,\"message\":\"接收成功\"}" } "。"
                span class="en" lang="en" { "Sent by POST to the client's callback address when writing has ended." }
            }
            (table(&fields::of_schema(&content["schema"], self.schemas())))
        }
    }

    /// Every reason that an operation names.
    fn refusals(&self) -> Markup {
        let known: Vec<_> = self.operations.iter().flat_map(reasons).collect();
        let listed = Reason::ALL.iter().filter(|reason| known.contains(reason));
        html! {
            h2 id="refusals" { "错误 Refusals" }
            table {
                tr { th { "HTTP" } th { "reason" } th { "原因 What" } th { "处理 Remedy" } }
                @for reason in listed {
                    tr id=(reason.code()) {
                        td { (reason.status()) }
                        td { code { (reason.code()) } }
                        td { (bilingual([reason.message(Lang::Zh), reason.message(Lang::En)])) }
                        td { (bilingual([reason.remedy(Lang::Zh), reason.remedy(Lang::En)])) }
                    }
                }
            }
        }
    }
}

/// A summary without its clause, which stands in brackets at its end; and the clause.
fn clause_of(summary: &str) -> (&str, Option<&str>) {
    let parts = summary
        .strip_suffix(')')
        .and_then(|summary| summary.rsplit_once(" (§"));
    match parts {
        Some((rest, _)) => (rest, Some(&summary[rest.len() + " (".len()..summary.len() - 1])),
        None => (summary, None),
    }
}

/// A command that calls the operation.
fn curl(operation: &Operation) -> String {
    let secret = match operation.access {
        Access::Anyone | Access::SignIn => None,
        Access::Client(_) => Some("token"),
        Access::Staff(_) => Some("admin_secret"),
        Access::Secret(Role::Operator) => Some("ingest_secret"),
        Access::Secret(Role::Gateway) => Some("gateway_secret"),
        Access::Secret(Role::Timer) => Some("cron_secret"),
    };
    let bearer = secret.map_or_else(String::new, |secret| {
        format!(" -H \"Authorization: Bearer ${secret}\"")
    });
    let query = &operation.example_query;
    let path = operation.example_path();
    if operation.method == "GET" {
        let query: String = query
            .iter()
            .map(|(name, value)| format!(" --data-urlencode {name}={value}"))
            .collect();
        return format!("curl -G $base{path}{bearer}{query}");
    }
    let query: Vec<_> = query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let query = if query.is_empty() {
        String::new()
    } else {
        format!("?{}", query.join("&"))
    };
    let Some(body) = &operation.example_body else {
        return format!("curl -X POST \"$base{path}{query}\"{bearer}");
    };
    let (media_type, value) = (&body.media_type, &body.value);
    let data = if value.is_string() {
        "--data-binary @-".to_owned()
    } else {
        format!("-d '{value}'")
    };
    format!("curl \"$base{path}{query}\"{bearer} -H 'Content-Type: {media_type}' {data}")
}
