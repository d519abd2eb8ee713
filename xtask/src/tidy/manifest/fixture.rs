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
callback_extra_host = { default = "https://*:443", description = "One more destination" }

[[trigger.http]]
route = "/v1/one"
component = "one"

[component.one]
description = "Does one thing (clause 7.2.1)"
source = "target/wasm32-wasip2/component/one.wasm"
sqlite_databases = ["default"]
allowed_outbound_hosts = ["{{ operator_api_host }}"]

[component.one.variables]
token_key = "{{ token_key }}"
operator_api = "{{ operator_api }}"
index_key = "{{ index_key }}"
zone = "{{ zone }}"

[component.one.build]
command = "cargo build --target wasm32-wasip2 --profile component -p one"
watch = ["functions/one/**/*.rs", "functions/one/Cargo.toml", "shared/**/*.rs", "shared/**/*.sql", "shared/**/Cargo.toml", "uicc/src/**/*.rs", "uicc/Cargo.toml"]

[[trigger.http]]
route = "/internal/..."
component = "two-three"

[[trigger.http]]
route = "/internal/tick"
component = "two-three"

[component.two-three]
description = "Calls `one` and others"
source = "target/wasm32-wasip2/component/two_three.wasm"
sqlite_databases = ["default"]
allowed_outbound_hosts = ["https://*:*", "{{ callback_extra_host }}", "http://one.spin.internal"]

[component.two-three.variables]
tick_secret = "{{ tick_secret }}"
index_key = "{{ index_key }}"
zone = "{{ zone }}"

[component.two-three.build]
command = "cargo build --target wasm32-wasip2 --profile component -p two-three"
watch = ["functions/two-three/**/*.rs", "functions/two-three/Cargo.toml", "shared/**/*.rs", "shared/**/*.sql", "shared/**/Cargo.toml", "uicc/src/**/*.rs", "uicc/Cargo.toml"]

[[trigger.http]]
route = "/page"
component = "page"

[component.page]
description = "Shows a page"
source = "target/wasm32-wasip2/component/page.wasm"

[component.page.build]
command = "cargo build --target wasm32-wasip2 --profile component -p page"
watch = ["functions/page/**/*.rs", "functions/page/Cargo.toml", "functions/page/page.html"]
"#;

const VARIABLES: &str = r#"
async fn read(required: RequiredVariables) -> Result<Variables, Error> {
    Ok(Variables {
        index_key: secret("index_key").await?,
        token_key: if required.token_key {
            Some(secret("token_key").await?)
        } else {
            None
        },
        secret: match required.secret {
            Some(name) => Some(secret(name).await?),
            None => None,
        },
        zone: Some(text("zone").await?),
    })
}
pub(super) async fn text(name: &str) {}
"#;

const ONE: &str = r#"
use spin_host::{self, RequiredVariables, fresh};
const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    token_key: true,
    ..RequiredVariables::NONE
};
async fn handle(request: Request) {
    spin_host::serve(&interface::ONE, REQUIRED_VARIABLES, request, one).await
}
fn one() {
    interface::TICK.path
}
"#;

const TWO: &str = r#"
mod more;
use spin_host::{RequiredVariables, call};
const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    secret: Some("tick_secret"),
    migrate: None,
    ..RequiredVariables::NONE
};
const INTERFACES: &[&Interface] = &[&interface::TICK, &interface::TOCK];
const CALLED: &str = "one";
"#;

const PAGE: &str = r#"
const DOCUMENTS: [Document; 1] = [Document {
    path: "/page",
    text: include_str!("../page.html"),
}];
"#;

const FILES: &[(&str, &str)] = &[
    ("spin.toml", MANIFEST),
    ("Cargo.toml", "[workspace.package]\nversion = \"1.2.3\"\n"),
    ("docs/a.md", ""),
    (
        "shared/web/src/interface/business.rs",
        "/// Clause 7.2.1: one\n/// thing.\npub const ONE: Interface = business(\n    \"one\",\n    \"/v1/one\",\n);\n",
    ),
    (
        "shared/web/src/interface/internal.rs",
        "pub const TICK: Interface = timer(\"tick\", TICK_PATH);\npub const TOCK: Interface = timer(\"tock\", \"/internal/tock\");\npub const NONE: Interface = none(\"none\", \"\");\n",
    ),
    (
        "shared/gateway-protocol/src/lib.rs",
        "pub const TICK_PATH: &str = \"/internal/tick\";\n",
    ),
    ("shared/spin-host/src/variables.rs", VARIABLES),
    (
        "shared/spin-host/src/database.rs",
        "const LABEL: &str = \"default\";\n",
    ),
    ("shared/spin-host/src/endpoint.rs", "pub async fn serve() {}\n"),
    (
        "shared/spin-host/src/operator.rs",
        "async fn api() { text(\"operator_api\").await }\npub async fn fresh() { send(request) }\n",
    ),
    (
        "shared/spin-host/src/post.rs",
        "pub async fn post() { send(request) }\n",
    ),
    (
        "shared/spin-host/src/chain.rs",
        "pub async fn call() { send(request) }\n",
    ),
    ("functions/one/src/lib.rs", ONE),
    ("functions/two-three/src/lib.rs", TWO),
    (
        "functions/two-three/src/more.rs",
        "fn send() { spin_host::post(a) }\n",
    ),
    ("functions/page/src/lib.rs", PAGE),
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
