//! Values that are one of a few words.

/// Types of values that have a stable name each, with the message for a text that is none of them.
macro_rules! words {
    ($($(#[$doc:meta])* $vis:vis $name:ident = $value:ty {
        values: $values:expr,
        about: $zh_en:literal,
        wrong: $zh:literal, $en:literal,
    })+) => {$(
        $(#[$doc])*
        $vis type $name = $crate::values::Parsed<$value>;

        impl $crate::values::Kind for $value {
            const NAME: &'static str = stringify!($name);

            fn parse(text: &str) -> Result<Self, domain::Malformed> {
                let found = $values.into_iter().find(|value: &Self| value.code() == text);
                found.ok_or(domain::Malformed::new(domain::Kind::Value, $zh, $en))
            }

            fn object() -> utoipa::openapi::schema::Object {
                let mut codes = $values.into_iter().map(|value: Self| value.code()).peekable();
                let first = codes.peek().copied().unwrap_or_default();
                $crate::values::identifiers::one_of(codes, $zh_en, first)
            }
        }

        impl $crate::values::Code for $value {
            fn code(&self) -> &'static str {
                <$value>::code(*self)
            }
        }
    )+};
}

pub(super) use words;
