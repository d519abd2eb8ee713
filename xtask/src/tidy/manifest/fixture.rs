//! A small checkout in which everything agrees.

use crate::walk::File;

const MANIFEST: &str = r#"spin_manifest_version = 2

[application]
name = "a"
version = "1.2.3"
description = "An application"

[variables]
index_key = { required = true, secret = true, description = "Key of the indexes" }
token_key = { required = true, secret = true, description = "Key of the tokens" }
tick_secret = { required = true, secret = true, description = "Bearer for /internal/tick, see docs/a.md" }
zone = { default = "", description = "Time zone; operator_api ignores it" }
operator_api = { default = "", description = "How to ask the operator" }
operator_api_host = { default = "https://operator.invalid", description = "Whom to ask" }
database_host_1 = { default = "", description = "A server" }
database_host_2 = { default = "", description = "A server" }
database_host_3 = { default = "", description = "A server" }
callback_extra_host = { default = "https://*:443", description = "One more destination" }

[[trigger.http]]
route = "/v1/one"
component = "one"

[component.one]
description = "Does one thing (clause 7.2.1)"
source = "target/wasm32-wasip2/component/one.wasm"
sqlite_databases = ["default"]
allowed_outbound_hosts = ["{{ database_host_1 }}", "{{ database_host_2 }}", "{{ database_host_3 }}", "{{ operator_api_host }}"]

[component.one.variables]
token_key = "{{ token_key }}"
operator_api = "{{ operator_api }}"
index_key = "{{ index_key }}"
zone = "{{ zone }}"

[component.one.build]
command = "cargo build --target wasm32-wasip2 --profile component -p one"
watch = ["functions/one/**/*.rs", "functions/one/**/Cargo.toml", "shared/**/*.rs", "shared/**/*.sql", "shared/**/Cargo.toml", "uicc/src/**/*.rs", "uicc/Cargo.toml"]

[[trigger.http]]
route = "/internal/..."
component = "two-three"

[[trigger.http]]
route = "/internal/tick"
component = "two-three"

[component.two-three]
description = "Calls `one` and others"
source = "target/wasm32-wasip2/component-small/two_three.wasm"
sqlite_databases = ["default"]
allowed_outbound_hosts = ["{{ database_host_1 }}", "{{ database_host_2 }}", "{{ database_host_3 }}", "https://*:*", "{{ callback_extra_host }}", "http://one.spin.internal"]

[component.two-three.variables]
tick_secret = "{{ tick_secret }}"
index_key = "{{ index_key }}"
zone = "{{ zone }}"

[component.two-three.build]
command = "cargo build --target wasm32-wasip2 --profile component-small -p two-three"
watch = ["functions/two-three/**/*.rs", "functions/two-three/**/Cargo.toml", "shared/**/*.rs", "shared/**/*.sql", "shared/**/Cargo.toml", "uicc/src/**/*.rs", "uicc/Cargo.toml"]

[[trigger.http]]
route = "/page"
component = "page"

[component.page]
description = "Shows a page"
source = "target/wasm32-wasip2/component-small/page.wasm"

[component.page.build]
command = "cargo build --target wasm32-wasip2 --profile component-small -p page"
watch = ["functions/page/**/*.rs", "functions/page/**/Cargo.toml", "functions/page/page.html"]
"#;

const VARIABLES: &str = r#"
async fn read(required: RequiredVariables) -> Result<Variables, Error> {
    let secrets = [
        (true, "index_key", &mut index_key),
        (required.token_key, "token_key", &mut read.token_key),
        (required.secret.is_some(), required.secret.unwrap_or_default(), &mut read.secret),
    ];
    let texts = [
        (true, "zone", &mut read.zone),
        (required.operator, "operator_api", &mut read.operator_api),
    ];
}
pub(super) async fn text(name: &str) {}
"#;

const ONE: &str = r#"
use spin_host::RequiredVariables;
const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    token_key: true,
    operator: true,
    ..RequiredVariables::NONE
};
async fn handle(request: Request) {
    spin_host::answer(router::router, REQUIRED_VARIABLES, request).await
}
"#;

const ONE_ROUTER: &str = r#"
use web::outbound::fresh;
#[utoipa::path(
    get,
    path = "/v1/one",
    summary = "一 / One (thing) \
        (§7.2.1)",
    responses((status = 200, body = Success<One>)),
    extensions(("x-reasons" = json!(["/v1/reason"])))
)]
async fn one() { fresh(&call).await }
#[utoipa::path(post, path = "/v1/one", summary = "一 / One thing (§7.2.1)")]
async fn one_by_post() {}
#[cfg(test)]
mod tests {
    #[utoipa::path(get, path = "/v1/other")]
    async fn other() {}
}
"#;

const TWO: &str = r#"
const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    secret: Some("tick_secret"),
    migrate: None,
    ..RequiredVariables::NONE
};
"#;

const TWO_ROUTER: &str = r#"
mod more;
use gateway_protocol::TICK_PATH;
use web::outbound;
const CALLED: &str = "one";
#[utoipa::path(post, path = TICK_PATH)]
async fn tick() { outbound::call_component::<Vec<(u8, u8)>>(call.host(), CALLED, "/v1/one").await }
"#;

const MORE: &str = r#"
#[utoipa::path(post, path = super::TOCK_PATH)]
async fn tock() { web::outbound::post(a) }
const TOCK_PATH: &str = "/internal/tock";
"#;

const PAGE: &str = r#"
const DOCUMENTS: [Document; 1] = [Document {
    path: "/page",
    text: include_str!(concat!(env!("OUT_DIR"), "/page")),
}];
"#;

const FILES: &[(&str, &str)] = &[
    ("spin.toml", MANIFEST),
    ("Cargo.toml", "[workspace.package]\nversion = \"1.2.3\"\n"),
    ("docs/a.md", ""),
    ("shared/web/Cargo.toml", "[package]\nname = \"web\"\n"),
    (
        "shared/gateway-protocol/src/lib.rs",
        "pub const TICK_PATH: &str = \"/internal/tick\";\n",
    ),
    ("shared/spin-host/src/variables.rs", VARIABLES),
    (
        "shared/spin-host/src/sqlite.rs",
        "const LABEL: &str = \"default\";\n",
    ),
    (
        "shared/spin-host/src/host.rs",
        "pub async fn answer() { self.send(request) }\n",
    ),
    ("shared/web/src/log.rs", "pub fn log() {}\n"),
    ("shared/web/src/outbound/mod.rs", "pub struct Received;\n"),
    (
        "shared/web/src/outbound/operator.rs",
        "pub async fn fresh() { call.host().send(request) }\n",
    ),
    (
        "shared/web/src/outbound/post.rs",
        "pub async fn post() { host.send(request) }\n",
    ),
    (
        "shared/web/src/outbound/component.rs",
        "pub async fn call_component() { host.send(request) }\n",
    ),
    (
        "functions/one/Cargo.toml",
        "[package]\nname = \"one-router\"\n\n[dependencies]\nweb = { workspace = true }\n",
    ),
    (
        "functions/one/component/Cargo.toml",
        "[package]\nname = \"one\"\n",
    ),
    ("functions/one/src/lib.rs", ONE_ROUTER),
    (
        "functions/one/src/tests.rs",
        "fn a() { web::outbound::post(a) }\n",
    ),
    ("functions/one/component/src/lib.rs", ONE),
    (
        "functions/two-three/Cargo.toml",
        "[package]\nname = \"two-three-router\"\n",
    ),
    (
        "functions/two-three/component/Cargo.toml",
        "[package]\nname = \"two-three\"\n[dependencies]\nweb.workspace = true\n",
    ),
    ("functions/two-three/src/lib.rs", TWO_ROUTER),
    ("functions/two-three/src/more.rs", MORE),
    ("functions/two-three/component/src/lib.rs", TWO),
    (
        "functions/page/Cargo.toml",
        "[package]\nname = \"page-router\"\n[dev-dependencies]\nweb = { workspace = true }\n",
    ),
    (
        "functions/page/component/Cargo.toml",
        "[package]\nname = \"page\"\n",
    ),
    (
        "functions/page/build.rs",
        "fn main() { println!(\"cargo::rerun-if-changed=page.html\"); }\n",
    ),
    ("functions/page/src/lib.rs", PAGE),
    ("functions/page/component/src/lib.rs", "fn handle() {}\n"),
];

/// The checkout with a text replaced in one of its files.
pub(super) fn checkout(path: &str, from: &str, to: &str) -> Vec<File> {
    let replaced = |name: &str, text: &str| {
        if name != path {
            return text.to_owned();
        }
        assert!(text.contains(from), "{path}: {from}");
        text.replacen(from, to, 1)
    };
    let file = |(name, text): &(&str, &str)| File {
        path: (*name).to_owned(),
        text: replaced(name, text),
    };
    FILES.iter().map(file).collect()
}
