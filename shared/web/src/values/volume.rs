//! Volumes of data: decimal megabytes as JSON numbers (§7.2.3.1, §7.2.3.3).

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use domain::Volume;

/// A volume of an answer, in megabytes of 1,000,000 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Megabytes(pub Volume);

impl Serialize for Megabytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl PartialSchema for Megabytes {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .description(Some(
                "流量，MB（1 MB = 1 000 000 字节） / data in MB of 1,000,000 bytes",
            ))
            .minimum(Some(0))
            .maximum(Some(999_999_999.999_999_f64))
            .examples([json!(4.999_35)])
            .into()
    }
}

impl ToSchema for Megabytes {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Megabytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_written_as_its_exact_number_of_megabytes() {
        for (bytes, json) in [(5_000_000, "5"), (4_999_350, "4.99935"), (0, "0")] {
            let volume = Megabytes(Volume::from_bytes(bytes));
            assert_eq!(serde_json::to_string(&volume).unwrap(), json);
        }
    }
}
