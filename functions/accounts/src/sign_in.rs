//! How people enrol, sign in and sign out. These operations are open: the call itself presents what is checked.

use domain::error::Reason;
use operations::{Enrolled, SignIn, SignedIn, sign_out};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, SigningIn};
use web::values::Time;
use web::{Answer, Success, codes};

use crate::values::{
    AccountIdText, OneTimeCodeText, PasswordText, RightText, RoleCodeText, SecretText, SignInNameText,
};

const SIGN_IN_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::SignInRefused,
];

const ENROL_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::EnrolmentCodeWrong,
];

const END_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::CredentialEnded,
];

/// What a person signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInRequest {
    /// 登录名 / sign-in name
    sign_in_name: SignInNameText,
    /// 密码 / password
    password: PasswordText,
    /// 动态验证码，按设置要求 / one-time code, of whom the settings ask it
    code: Option<OneTimeCodeText>,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionBegun {
    /// 账号标识 / identifier of the account
    #[schema(value_type = AccountIdText)]
    account_id: String,
    /// 会话的截止时间 / end of the session
    ends_at: Time,
    /// 不使用多少秒后失效 / for how many seconds it may lie unused
    idle_secs: i64,
    /// 人员姓名 / name of the person
    name: String,
    /// 操作权限 / what the account may do
    #[schema(value_type = Vec<RightText>)]
    rights: Vec<&'static str>,
    /// 角色代码 / the codes of its roles
    #[schema(value_type = Vec<RoleCodeText>)]
    roles: Vec<String>,
    /// 会话凭据，作为 Bearer 使用，仅在此显示 / the bearer credential of the session; shown only here
    session: String,
}

/// Signs a person in. Whatever is wrong has the same answer.
#[utoipa::path(
    post,
    path = "/admin/v1/sign-in",
    summary = "登录 / Sign in (§10.1)",
    request_body = SignInRequest,
    responses((status = 200, body = Success<SessionBegun>)),
    extensions(("x-reasons" = json!(codes(SIGN_IN_REASONS))))
)]
pub(crate) async fn sign_in(
    call: Call,
    _: SigningIn,
    Json(presented): Json<SignInRequest>,
) -> Answer<SessionBegun> {
    let presented = SignIn {
        sign_in_name: &presented.sign_in_name.0,
        password: &presented.password.0,
        code: presented.code.as_deref().map(|code| code.0.as_str()),
        from: call.from,
    };
    let begun: SignedIn = operations::sign_in(&call.context(), presented, &call.settings().sign_in).await?;
    Ok(Success::new(SessionBegun {
        account_id: begun.account.text(),
        ends_at: call.time(begun.ends_at),
        idle_secs: begun.idle_ms / domain::SECOND_MS,
        name: begun.name,
        rights: begun.rights.iter().map(|right| right.code()).collect(),
        roles: begun.roles,
        session: begun.session.as_str().to_owned(),
    }))
}

/// An enrolment code, and the password that its person chooses.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrolment {
    /// 启用码 / the enrolment code
    enrolment_code: SecretText,
    /// 密码，至少 12 个字符，不得包含登录名 / a password of at least 12 characters that does not contain the sign-in name
    password: PasswordText,
}

/// The second factor of an account.
#[derive(Serialize, ToSchema)]
pub(crate) struct EnrolmentDone {
    /// 登录名 / sign-in name
    #[schema(value_type = SignInNameText)]
    sign_in_name: String,
    /// 动态验证码的密钥（Base32），录入验证器，仅在此显示 / secret of the one-time codes in base32, for an authenticator app; shown
    /// only here
    totp_secret: String,
    /// 同一密钥的 URI，可制成二维码 / the same as a URI, for a QR code
    totp_uri: String,
}

/// Stores the password that a person has chosen, and shows the secret of the second factor. Sessions and API keys of the
/// account end.
#[utoipa::path(
    post,
    path = "/admin/v1/sign-in:enrol",
    summary = "以启用码设置密码 / Choose a password with an enrolment code (§10.1)",
    request_body = Enrolment,
    responses((status = 200, body = Success<EnrolmentDone>)),
    extensions(("x-reasons" = json!(codes(ENROL_REASONS))))
)]
pub(crate) async fn enrol(call: Call, _: SigningIn, Json(chosen): Json<Enrolment>) -> Answer<EnrolmentDone> {
    let context = call.context();
    let (code, password) = (&chosen.enrolment_code.0, &chosen.password.0);
    let enrolled: Enrolled = operations::enrol(&context, code, password, call.from).await?;
    Ok(Success::new(EnrolmentDone {
        sign_in_name: enrolled.sign_in_name,
        totp_secret: enrolled.totp_secret.as_str().to_owned(),
        totp_uri: enrolled.totp_uri.as_str().to_owned(),
    }))
}

/// A session that is to end.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionEnd {
    /// 会话凭据 / the credential of the session
    session: SecretText,
}

/// A session that has ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionEnded {
    /// 是否已结束 / whether it has ended
    ended: bool,
}

/// Ends a session.
#[utoipa::path(
    post,
    path = "/admin/v1/sign-in:end",
    summary = "退出登录 / Sign out (§10.1)",
    request_body = SessionEnd,
    responses((status = 200, body = Success<SessionEnded>)),
    extensions(("x-reasons" = json!(codes(END_REASONS))))
)]
pub(crate) async fn end(call: Call, _: SigningIn, Json(ending): Json<SessionEnd>) -> Answer<SessionEnded> {
    sign_out(&call.context(), &ending.session.0).await?;
    Ok(Success::new(SessionEnded { ended: true }))
}
