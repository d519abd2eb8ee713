//! The kinds of texts of accounts, roles and sign-ins.

use domain::{Kind as Sort, MAX_ROLE_CODE_CHARS, MAX_SIGN_IN_NAME_CHARS, Malformed, Right};
use operations::{MAX_CREDENTIAL_CHARS, MAX_PASSWORD_CHARS};
use serde_json::json;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaFormat, Type};
use web::values::{Kind, Parsed};

/// Longest name of a role or an API key, in characters.
const MAX_LABEL_CHARS: usize = 64;
/// Longest one-time code as a person may type it, in characters: six digits.
const ONE_TIME_CODE_CHARS: usize = 6;

/// Identifier of an account.
pub(crate) type AccountIdText = web::values::AccountId;
/// Identifier of an API key.
pub(crate) type ApiKeyIdText = Parsed<ApiKeyId>;
/// What a person signs in with.
pub(crate) type SignInNameText = Parsed<SignInName>;
/// The code of a role.
pub(crate) type RoleCodeText = Parsed<RoleCode>;
/// The name of a right.
pub(crate) type RightText = Parsed<RightCode>;
/// A name for people.
pub(crate) type LabelText = Parsed<Label>;
/// A password.
pub(crate) type PasswordText = Parsed<Password>;
/// A one-time code.
pub(crate) type OneTimeCodeText = Parsed<OneTimeCode>;
/// An enrolment code, or a session.
pub(crate) type SecretText = Parsed<Secret>;

/// Identifier of an API key.
pub(crate) struct ApiKeyId(pub(crate) domain::ApiKeyId);
/// What a person signs in with: small letters.
pub(crate) struct SignInName(pub(crate) String);
/// The code of a role.
pub(crate) struct RoleCode(pub(crate) String);
/// The name of a right.
pub(crate) struct RightCode(pub(crate) Right);
/// A name for people.
pub(crate) struct Label(pub(crate) String);
/// A password.
pub(crate) struct Password(pub(crate) String);
/// A one-time code.
pub(crate) struct OneTimeCode(pub(crate) String);
/// An enrolment code, or a session.
pub(crate) struct Secret(pub(crate) String);

fn text(max_chars: usize, about: &str, example: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(about))
        .min_length(Some(1))
        .max_length(Some(max_chars))
        .examples([json!(example)])
}

fn uuid(about: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom("uuid".to_owned())))
        .description(Some(about))
        .examples([json!("019f1a2b-3c4d-7e5f-8a6b-7c8d9e0f1a2b")])
        .build()
}

fn malformed<T>(zh: &'static str, en: &'static str) -> Result<T, Malformed> {
    Err(Malformed::new(Sort::Value, zh, en))
}

impl Kind for ApiKeyId {
    const NAME: &'static str = "ApiKeyId";

    fn parse(text: &str) -> Result<Self, Malformed> {
        domain::ApiKeyId::parse(text).map(Self)
    }

    fn object() -> Object {
        uuid("API 密钥标识 / identifier of an API key")
    }
}

impl Kind for SignInName {
    const NAME: &'static str = "SignInName";
    const TAKES_NUMBERS: bool = false;

    fn parse(text: &str) -> Result<Self, Malformed> {
        domain::sign_in_name(text).map(Self)
    }

    fn object() -> Object {
        text(
            MAX_SIGN_IN_NAME_CHARS,
            "登录名，不区分大小写 / what a person signs in with, in capital or small letters",
            "wang.fang",
        )
        .pattern(Some("^[A-Za-z0-9._@-]+$"))
        .build()
    }
}

impl Kind for RoleCode {
    const NAME: &'static str = "RoleCode";
    const TAKES_NUMBERS: bool = false;

    fn parse(text: &str) -> Result<Self, Malformed> {
        domain::role_code(text).map(|code| Self(code.to_owned()))
    }

    fn object() -> Object {
        text(MAX_ROLE_CODE_CHARS, "角色代码 / code of a role", "auditor")
            .pattern(Some("^[a-z][a-z0-9_]*$"))
            .build()
    }
}

impl Kind for RightCode {
    const NAME: &'static str = "RightCode";
    const TAKES_NUMBERS: bool = false;

    fn parse(text: &str) -> Result<Self, Malformed> {
        Right::parse(text).map(Self)
    }

    fn object() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("操作权限 / a right to one operation"))
            .enum_values(Some(Right::ALL.iter().map(|right| right.code())))
            .examples([json!("tasks.list")])
            .build()
    }
}

impl Kind for Label {
    const NAME: &'static str = "Label";
    const TAKES_NUMBERS: bool = false;

    fn parse(text: &str) -> Result<Self, Malformed> {
        let label = text.trim();
        let chars = label.chars().count();
        if (1..=MAX_LABEL_CHARS).contains(&chars) && !label.contains(char::is_control) {
            return Ok(Self(label.to_owned()));
        }
        malformed("应为 1 至 64 个字符", "not 1 to 64 characters")
    }

    fn object() -> Object {
        text(MAX_LABEL_CHARS, "名称 / a name for people", "夜班 / night shift").build()
    }
}

impl Kind for Password {
    const NAME: &'static str = "Password";
    const TAKES_NUMBERS: bool = false;

    // How long a new one must be is checked where it is chosen: signing in has one answer to whatever is wrong.
    fn parse(text: &str) -> Result<Self, Malformed> {
        if (1..=MAX_PASSWORD_CHARS).contains(&text.chars().count()) {
            return Ok(Self(text.to_owned()));
        }
        malformed("应为 1 至 128 个字符", "not 1 to 128 characters")
    }

    fn object() -> Object {
        text(MAX_PASSWORD_CHARS, "密码 / password", "correct horse battery")
            .format(Some(SchemaFormat::Custom("password".to_owned())))
            .build()
    }
}

impl Kind for OneTimeCode {
    const NAME: &'static str = "OneTimeCode";

    fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() == ONE_TIME_CODE_CHARS && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self(text.to_owned()));
        }
        malformed("应为 6 位数字", "not six digits")
    }

    fn object() -> Object {
        text(
            ONE_TIME_CODE_CHARS,
            "动态验证码，6 位数字，以字符串提交 / one-time code: six digits, as text",
            "287082",
        )
        .pattern(Some("^[0-9]{6}$"))
        .build()
    }
}

impl Kind for Secret {
    const NAME: &'static str = "StaffSecret";
    const TAKES_NUMBERS: bool = false;

    fn parse(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        if (1..=MAX_CREDENTIAL_CHARS).contains(&text.len()) {
            return Ok(Self(text.to_owned()));
        }
        malformed("应为 1 至 47 个字符", "not 1 to 47 characters")
    }

    fn object() -> Object {
        text(
            MAX_CREDENTIAL_CHARS,
            "启用码或会话凭据 / an enrolment code, or a session",
            "xke_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        )
        .build()
    }
}

#[cfg(test)]
mod tests {
    use web::values::Kind;

    use super::{Label, OneTimeCode, Password, RightCode, Secret, SignInName};

    #[test]
    fn a_sign_in_name_is_letters_digits_and_four_signs_and_its_case_does_not_matter() {
        let parsed = |text: &str| SignInName::parse(text).map(|name| name.0);
        assert_eq!(
            parsed(" Wang.Fang@example-1.com ").as_deref(),
            Ok("wang.fang@example-1.com")
        );
        for wrong in ["", " ", "王芳", "a b", "a\nb", "a/b", &"a".repeat(65)] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn other_texts_have_their_lengths_and_characters() {
        assert!(OneTimeCode::parse("012345").is_ok());
        for wrong in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert!(OneTimeCode::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Password::parse(&"密".repeat(128)).is_ok() && Password::parse(&"密".repeat(129)).is_err());
        assert!(Password::parse("").is_err());
        assert!(Label::parse(&"名".repeat(64)).is_ok() && Label::parse(&"名".repeat(65)).is_err());
        assert!(Label::parse(" ").is_err() && Label::parse("a\tb").is_err());
        assert!(Secret::parse(&"x".repeat(47)).is_ok() && Secret::parse(&"x".repeat(48)).is_err());
        assert!(RightCode::parse("tasks.list").is_ok() && RightCode::parse("tasks").is_err());
    }
}
