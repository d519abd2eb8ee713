//! Accounts of staff.

use domain::error::Reason;
use operations::{
    AccountChange, AccountPage, AccountView, MAX_ACCOUNTS_PER_PAGE, Offer, change_account, create_account,
    freeze_account, list_accounts, offer_enrolment, revoke_account,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Json, Query, Staff, rights};
use web::values::{ActReason, Cursor, PageLimit, Person, Rows, Time};
use web::{Answer, Success, codes};

use crate::values::{AccountIdText, RoleCodeText, SignInNameText};

const CREATE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::SessionNeeded,
    Reason::UnknownRole,
    Reason::RightNotHeld,
    Reason::SignInNameTaken,
];

const UPDATE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownAccount,
    Reason::UnknownRole,
    Reason::OwnAccount,
    Reason::RightNotHeld,
    Reason::LastAdministrator,
];

const REVOKE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownAccount,
    Reason::RightNotHeld,
];

const FREEZE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownAccount,
    Reason::OwnAccount,
    Reason::RightNotHeld,
    Reason::LastAdministrator,
];

const ENROL_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::SessionNeeded,
    Reason::UnknownAccount,
    Reason::OwnAccount,
    Reason::RightNotHeld,
];

/// A new account of staff.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStaffAccount {
    /// 人员姓名 / name of the person
    name: Person,
    /// 登录名 / what the person signs in with
    sign_in_name: SignInNameText,
    /// 角色代码 / the codes of its roles
    roles: Vec<RoleCodeText>,
}

/// A code with which a person chooses a password.
#[derive(Serialize, ToSchema)]
pub(crate) struct EnrolmentOffered {
    /// 账号标识 / identifier of the account
    #[schema(value_type = AccountIdText)]
    account_id: String,
    /// 启用码，交给本人，仅在此显示 / the code, to be given to the person; shown only here
    enrolment_code: String,
    /// 启用码的截止时间 / end of the code
    enrolment_ends_at: Time,
}

impl EnrolmentOffered {
    fn of(call: &Call, account_id: String, offer: &Offer) -> Self {
        Self {
            account_id,
            enrolment_code: offer.code.as_str().to_owned(),
            enrolment_ends_at: call.time(offer.ends_at),
        }
    }
}

fn names(roles: Vec<RoleCodeText>) -> Vec<String> {
    roles.into_iter().map(|role| role.get().0).collect()
}

/// Opens an account. The person chooses the password with the code of this answer.
#[utoipa::path(
    post,
    path = "/admin/v1/accounts",
    summary = "创建人员账号 / Open an account of staff (§10.1)",
    request_body = NewStaffAccount,
    responses((status = 200, body = Success<EnrolmentOffered>)),
    extensions(("x-reasons" = json!(codes(CREATE_REASONS))))
)]
pub(crate) async fn create(
    call: Call,
    staff: Staff<rights::AccountsCreate>,
    Json(new): Json<NewStaffAccount>,
) -> Answer<EnrolmentOffered> {
    let roles = names(new.roles);
    let account = operations::NewAccount {
        name: &new.name.0,
        sign_in_name: &new.sign_in_name.0,
        roles: &roles,
    };
    let created = create_account(&call.context(), &staff, &account).await?;
    Ok(Success::new(EnrolmentOffered::of(
        &call,
        created.id.text(),
        &created.enrolment,
    )))
}

type AccountLimit = PageLimit<MAX_ACCOUNTS_PER_PAGE>;

/// Which accounts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountList {
    /// 仅查询该账号 / only this account
    #[param(inline)]
    account_id: Option<AccountIdText>,
    /// 上一页应答的 next / the `next` of the page before
    #[param(inline, value_type = Option<Cursor>)]
    cursor: Option<SignInNameText>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<AccountLimit>,
}

/// A page of accounts.
#[derive(Serialize, ToSchema)]
pub(crate) struct StaffAccounts {
    /// 账号，按登录名排列 / the accounts, by sign-in name
    accounts: Vec<StaffAccount>,
    /// 下一页的 cursor，无下一页时为 null / `cursor` of the next page; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// An account of staff.
#[derive(Serialize, ToSchema)]
struct StaffAccount {
    /// 账号标识 / identifier of the account
    #[schema(value_type = AccountIdText)]
    account_id: String,
    /// 是否启用 / false when it is disabled
    active: bool,
    /// 最近修改时间 / when it was last changed
    changed_at: Time,
    /// 创建时间 / when it was created
    created_at: Time,
    /// 本人是否已设置密码 / whether the person has chosen a password
    enrolled: bool,
    /// 可用启用码的截止时间 / end of the enrolment code that can be used
    #[schema(required)]
    enrolment_ends_at: Option<Time>,
    /// 人员姓名；无法解密时为 null / name of the person; null if it cannot be opened
    #[schema(required)]
    name: Option<String>,
    /// 角色代码 / the codes of its roles
    #[schema(value_type = Vec<RoleCodeText>)]
    roles: Vec<String>,
    /// 登录名 / what the person signs in with
    #[schema(value_type = SignInNameText)]
    sign_in_name: String,
    /// 最近登录时间 / the last time that the person signed in
    #[schema(required)]
    signed_in_at: Option<Time>,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

/// Returns an account, or a page of all accounts.
#[utoipa::path(
    get,
    path = "/admin/v1/accounts",
    summary = "查询人员账号 / List the accounts of staff (§10.1)",
    params(AccountList),
    responses((status = 200, body = Success<StaffAccounts>)),
    extensions(("x-reasons" = json!(codes(&[Reason::ParameterMalformed, Reason::CursorMismatch]))))
)]
pub(crate) async fn list(
    call: Call,
    _: Staff<rights::AccountsList>,
    Query(which): Query<AccountList>,
) -> Answer<StaffAccounts> {
    let only = which.account_id.map(AccountIdText::get);
    let after = which.cursor.map(|name| name.get().0);
    let page: AccountPage =
        list_accounts(&call.context(), only, after.as_deref(), Rows::of(which.limit)).await?;
    let accounts = page.accounts.into_iter().map(|account| shown(&call, account));
    Ok(Success::new(StaffAccounts {
        accounts: accounts.collect(),
        next: call.next(page.next),
    }))
}

fn shown(call: &Call, account: AccountView) -> StaffAccount {
    StaffAccount {
        account_id: account.id.text(),
        active: account.active,
        changed_at: call.time(account.changed_at),
        created_at: call.time(account.created_at),
        enrolled: account.enrolled,
        enrolment_ends_at: account.enrolment_ends_at.map(|at| call.time(at)),
        name: account.name,
        roles: account.roles,
        sign_in_name: account.sign_in_name,
        signed_in_at: account.signed_in_at.map(|at| call.time(at)),
        unreadable: account.unreadable,
    }
}

/// The fields of an account to change. Absent ones stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StaffAccountUpdate {
    /// 账号标识 / identifier of the account
    account_id: AccountIdText,
    /// 人员姓名 / name of the person
    name: Option<Person>,
    /// 全部角色的代码 / the codes of all its roles
    roles: Option<Vec<RoleCodeText>>,
    /// 是否启用；停用同时吊销其会话与 API 密钥 / whether it may be used; disabling it ends its sessions and API keys
    active: Option<bool>,
}

/// A changed account.
#[derive(Serialize, ToSchema)]
pub(crate) struct StaffAccountUpdated {
    /// 账号标识 / identifier of the account
    #[schema(value_type = AccountIdText)]
    account_id: String,
}

/// Changes name, roles or state of an account, from the next call on.
#[utoipa::path(
    post,
    path = "/admin/v1/accounts:update",
    summary = "修改人员账号 / Change an account of staff (§10.1)",
    request_body = StaffAccountUpdate,
    responses((status = 200, body = Success<StaffAccountUpdated>)),
    extensions(("x-reasons" = json!(codes(UPDATE_REASONS))))
)]
pub(crate) async fn update(
    call: Call,
    staff: Staff<rights::AccountsUpdate>,
    Json(update): Json<StaffAccountUpdate>,
) -> Answer<StaffAccountUpdated> {
    let id = update.account_id.get();
    let roles = update.roles.map(names);
    let change = AccountChange {
        name: update.name.as_deref().map(|name| name.0.as_str()),
        roles: roles.as_deref(),
        active: update.active,
    };
    change_account(&call.context(), &staff, id, &change).await?;
    Ok(Success::new(StaffAccountUpdated {
        account_id: id.text(),
    }))
}

/// Which account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichStaffAccount {
    /// 账号标识 / identifier of the account
    account_id: AccountIdText,
}

/// What ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct StaffAccountRevoked {
    /// 账号标识 / identifier of the account
    #[schema(value_type = AccountIdText)]
    account_id: String,
    /// 失效的会话与 API 密钥数 / how many sessions and API keys ended
    revoked: usize,
}

/// Ends every session and API key of an account at once.
#[utoipa::path(
    post,
    path = "/admin/v1/accounts:revoke",
    summary = "吊销人员账号的全部会话与 API 密钥 / End the sessions and API keys of an account (§10.1)",
    request_body = WhichStaffAccount,
    responses((status = 200, body = Success<StaffAccountRevoked>)),
    extensions(("x-reasons" = json!(codes(REVOKE_REASONS))))
)]
pub(crate) async fn revoke(
    call: Call,
    staff: Staff<rights::AccountsRevoke>,
    Json(which): Json<WhichStaffAccount>,
) -> Answer<StaffAccountRevoked> {
    let id = which.account_id.get();
    let revoked = revoke_account(&call.context(), &staff, id).await?;
    Ok(Success::new(StaffAccountRevoked {
        account_id: id.text(),
        revoked,
    }))
}

/// An account that is frozen.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StaffAccountFreeze {
    /// 账号标识 / identifier of the account
    account_id: AccountIdText,
    /// 原因，记入审计记录 / why; kept in the audit trail
    #[serde(rename = "reason")]
    _reason: ActReason,
}

/// Freezes an account: it is disabled, and its sessions, API keys and enrolment code end for good.
#[utoipa::path(
    post,
    path = "/admin/v1/accounts:freeze",
    summary = "冻结人员账号 / Freeze an account of staff (§9.2)",
    request_body = StaffAccountFreeze,
    responses((status = 200, body = Success<StaffAccountRevoked>)),
    extensions(("x-reasons" = json!(codes(FREEZE_REASONS))))
)]
pub(crate) async fn freeze(
    call: Call,
    staff: Staff<rights::AccountsFreeze>,
    Json(freeze): Json<StaffAccountFreeze>,
) -> Answer<StaffAccountRevoked> {
    let id = freeze.account_id.get();
    let revoked = freeze_account(&call.context(), &staff, id).await?;
    Ok(Success::new(StaffAccountRevoked {
        account_id: id.text(),
        revoked,
    }))
}

/// Gives the person of an account another code to choose a password and a second factor. Until it is used, those that were
/// chosen before stay valid.
#[utoipa::path(
    post,
    path = "/admin/v1/accounts:enrol",
    summary = "重新生成启用码 / Make another enrolment code for an account (§10.1)",
    request_body = WhichStaffAccount,
    responses((status = 200, body = Success<EnrolmentOffered>)),
    extensions(("x-reasons" = json!(codes(ENROL_REASONS))))
)]
pub(crate) async fn enrol(
    call: Call,
    staff: Staff<rights::AccountsEnrol>,
    Json(which): Json<WhichStaffAccount>,
) -> Answer<EnrolmentOffered> {
    let id = which.account_id.get();
    let offer = offer_enrolment(&call.context(), &staff, id).await?;
    Ok(Success::new(EnrolmentOffered::of(&call, id.text(), &offer)))
}
