//! Values that only the inventory has: how each is read and documented.

use std::borrow::Cow;

use domain::{Malformed, Network, Volume, parse_chip_label, parse_imei};
use serde::de::{Error as _, IntoDeserializer as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};
use web::values::{Kind, Parsed};

/// A text that is one of these codes.
pub(crate) fn one_of(codes: impl Iterator<Item = &'static str>, zh_en: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(zh_en))
        .enum_values(Some(codes))
        .build()
}

/// The network that a temporary number works on, as text.
pub(crate) type NetworkType = Parsed<NumberNetwork>;

/// The network that a temporary number works on.
#[derive(Debug)]
pub(crate) struct NumberNetwork(pub(crate) Network);

impl Kind for NumberNetwork {
    const NAME: &'static str = "NetworkType";

    fn parse(text: &str) -> Result<Self, Malformed> {
        Network::parse(text).map(Self)
    }

    fn object() -> Object {
        one_of(
            [Network::Lte, Network::NbIot].map(Network::code).into_iter(),
            "网络类型 / network that the number works on",
        )
    }
}

/// The name of a model or a card profile.
pub(crate) type ChipLabel = Parsed<Label>;
/// The IMEI of a module.
pub(crate) type ModuleImei = Parsed<Imei>;

/// The name of a model or a card profile.
#[derive(Debug)]
pub(crate) struct Label(pub(crate) String);

/// The IMEI of a module.
#[derive(Debug)]
pub(crate) struct Imei(pub(crate) String);

impl Kind for Label {
    const NAME: &'static str = "ChipLabel";
    const TAKES_NUMBERS: bool = false;

    fn parse(text: &str) -> Result<Self, Malformed> {
        parse_chip_label(text).map(Self)
    }

    fn object() -> Object {
        label(
            "芯片型号或卡片模板名称 / name of a model or a card profile",
            "qibiao-seed",
        )
    }
}

impl Kind for Imei {
    const NAME: &'static str = "ModuleImei";

    fn parse(text: &str) -> Result<Self, Malformed> {
        parse_imei(text).map(Self)
    }

    fn object() -> Object {
        ObjectBuilder::from(label(
            "模组 IMEI，15 位数字 / IMEI of the module, 15 digits",
            "350000000000001",
        ))
        .pattern(Some("^[0-9]{15}$"))
        .build()
    }
}

fn label(zh_en: &str, example: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(zh_en))
        .examples([json!(example)])
        .build()
}

/// A test allowance in megabytes, as a JSON number or as text.
#[derive(Debug)]
pub(crate) struct TestAllowance(pub(crate) Volume);

impl Kind for TestAllowance {
    const NAME: &'static str = "TestAllowance";

    fn parse(text: &str) -> Result<Self, Malformed> {
        Volume::parse_test_allowance(text).map(Self)
    }

    fn object() -> Object {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Number, Type::String]))
            .description(Some(
                "测试流量，MB，数字或文本 / test allowance in MB, a number or a text",
            ))
            .examples([json!(5)])
            .build()
    }
}

impl<'de> Deserialize<'de> for TestAllowance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text,
            _ => return Err(D::Error::custom("neither a number nor a text")),
        };
        Parsed::deserialize(text.into_deserializer()).map(Parsed::get)
    }
}

impl PartialSchema for TestAllowance {
    fn schema() -> RefOr<Schema> {
        Self::object().into()
    }
}

impl ToSchema for TestAllowance {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed(Self::NAME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowance(value: Value) -> Option<u64> {
        let read: Option<TestAllowance> = serde_json::from_value(value).ok();
        read.map(|allowance| allowance.0.bytes())
    }

    #[test]
    fn a_test_allowance_is_a_number_or_a_text() {
        for value in [json!(5), json!(5.0), json!("5"), json!("5.000")] {
            assert_eq!(allowance(value.clone()), Some(5_000_000), "{value}");
        }
        assert_eq!(allowance(json!(0.5)), Some(500_000));
        for value in [
            json!(true),
            json!(null),
            json!([5]),
            json!({}),
            json!(-1),
            json!("five"),
            json!(100_001),
        ] {
            assert_eq!(allowance(value.clone()), None, "{value}");
        }
    }
}
