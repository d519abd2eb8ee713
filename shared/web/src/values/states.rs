//! States and names that the standard gives in Chinese; answers have them in Chinese whatever the caller's language.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use domain::{CardStatus, NumberStatus, Province};
use operations::LineStatus;

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident: $zh_en:literal, $values:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub &'static str);

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let values: Vec<(&'static str, String)> = $values;
                let names: Vec<String> = values.iter().map(|(_, name)| upper_snake(name)).collect();
                let texts: Vec<&'static str> = values.iter().map(|(text, _)| *text).collect();
                let example = json!(texts.first());
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .title(Some(stringify!($name)))
                    .description(Some($zh_en))
                    .enum_values(Some(texts))
                    .examples([example])
                    // Clients are generated with these names instead of Chinese ones.
                    .extensions(Some(ExtensionsBuilder::new().add("x-enum-varnames", names).build()))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )+};
}

states! {
    /// State of a card (Table 2).
    CardState: "卡片状态（表 2） / state of the card (Table 2)",
        CardStatus::ALL.iter().map(|status| (status.zh(), format!("{status:?}"))).collect();
    /// State of a number, in the word of operators.
    NumberState: "码号状态 / state of the number",
        operator_words(NumberStatus::ALL.into_iter().map(LineStatus::Operator));
    /// State of a number in the platform.
    NumberCode: "码号在本平台的状态 / state of the number in this platform",
        NumberStatus::ALL.iter().map(|status| (status.code(), format!("{status:?}"))).collect();
    /// State of a number, temporary ones included.
    OpenedState: "码号状态，含临时号码 / state of the number, temporary ones included",
        operator_words(LineStatus::all().into_iter());
    /// State of a number in the platform, temporary ones included.
    OpenedCode: "码号在本平台的状态，含临时号码 / state of the number in this platform, temporary ones included",
        LineStatus::all().into_iter().map(|status| (status.code(), format!("{status:?}"))).collect();
    /// Name of a province.
    ProvinceName: "省份 / province",
        Province::all().map(|province| (province.zh(), format!("Province{}", province.code()))).collect();
}

/// The words of operators for states, each once, with its English name.
fn operator_words(states: impl Iterator<Item = LineStatus>) -> Vec<(&'static str, String)> {
    let name = |status: &LineStatus| match status {
        LineStatus::Operator(NumberStatus::Available | NumberStatus::Allotted | NumberStatus::Reserved) => {
            "NotActivated".to_owned()
        }
        LineStatus::Operator(NumberStatus::Written) => "Active".to_owned(),
        LineStatus::Operator(other) => format!("{other:?}"),
        temporary => format!("{temporary:?}"),
    };
    let mut words: Vec<_> = states.map(|status| (status.zh(), name(&status))).collect();
    words.dedup();
    words
}

/// A name of Rust as the name of a constant: `WaitingPowerOn` is `WAITING_POWER_ON`, `Operator(Free)` is
/// `OPERATOR_FREE`.
fn upper_snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars().filter(char::is_ascii_alphanumeric) {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_uppercase());
    }
    snake
}
