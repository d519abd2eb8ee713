//! Roles of staff: sets of rights.

use std::collections::BTreeSet;

use domain::Right;
use domain::error::Reason;
use operations::{NewRole, RoleChange, RoleView, change_role, create_role, delete_role, list_roles};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::{Answer, Success, codes};

use crate::values::{LabelText, RightText, RoleCodeText};

const CREATE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::RightNotHeld,
    Reason::RoleExists,
    Reason::TooMany,
];

const CHANGE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownRole,
    Reason::RightNotHeld,
    Reason::RoleInUse,
];

/// A new role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStaffRole {
    /// 角色代码 / its code
    role: RoleCodeText,
    /// 中文名称 / its name in Chinese
    name_zh: LabelText,
    /// 英文名称 / its name in English
    name_en: LabelText,
    /// 操作权限 / what it permits
    rights: Vec<RightText>,
}

/// A role.
#[derive(Serialize, ToSchema)]
struct StaffRole {
    /// 是否内置，内置角色不能变更 / whether every platform has it; then it does not change
    built_in: bool,
    /// 英文名称 / its name in English
    name_en: String,
    /// 中文名称 / its name in Chinese
    name_zh: String,
    /// 操作权限 / what it permits
    #[schema(value_type = Vec<RightText>)]
    rights: Vec<&'static str>,
    /// 角色代码 / its code
    #[schema(value_type = RoleCodeText)]
    role: String,
}

/// Every role.
#[derive(Serialize, ToSchema)]
pub(crate) struct StaffRoles {
    /// 角色，内置的在前 / the roles, those that are built in first
    roles: Vec<StaffRole>,
}

/// A role that was made, changed or deleted.
#[derive(Serialize, ToSchema)]
pub(crate) struct StaffRoleChanged {
    /// 角色代码 / its code
    #[schema(value_type = RoleCodeText)]
    role: String,
}

fn set(rights: Vec<RightText>) -> BTreeSet<Right> {
    rights.into_iter().map(|right| right.get().0).collect()
}

fn changed(role: String) -> Answer<StaffRoleChanged> {
    Ok(Success::new(StaffRoleChanged { role }))
}

/// Returns every role with its rights.
#[utoipa::path(
    get,
    path = "/admin/v1/roles",
    summary = "查询角色 / List the roles (§10.1)",
    responses((status = 200, body = Success<StaffRoles>)),
    extensions(("x-reasons" = json!(codes(&[]))))
)]
pub(crate) async fn list(call: Call, _: Staff<rights::RolesList>) -> Answer<StaffRoles> {
    let shown = |role: RoleView| StaffRole {
        built_in: role.built_in,
        name_en: role.name_en,
        name_zh: role.name_zh,
        rights: role.rights.iter().map(|right| right.code()).collect(),
        role: role.code,
    };
    let roles = list_roles(&call.context()).await?;
    Ok(Success::new(StaffRoles {
        roles: roles.into_iter().map(shown).collect(),
    }))
}

/// Makes a role. Nobody gives it a right that he does not have himself.
#[utoipa::path(
    post,
    path = "/admin/v1/roles",
    summary = "创建角色 / Make a role (§10.1)",
    request_body = NewStaffRole,
    responses((status = 200, body = Success<StaffRoleChanged>)),
    extensions(("x-reasons" = json!(codes(CREATE_REASONS))))
)]
pub(crate) async fn create(
    call: Call,
    staff: Staff<rights::RolesCreate>,
    Json(new): Json<NewStaffRole>,
) -> Answer<StaffRoleChanged> {
    let rights = set(new.rights);
    let role = NewRole {
        code: &new.role.0,
        name_zh: &new.name_zh.0,
        name_en: &new.name_en.0,
        rights: &rights,
    };
    create_role(&call.context(), &staff, &role).await?;
    changed(new.role.get().0)
}

/// The fields of a role to change. Absent ones stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StaffRoleUpdate {
    /// 角色代码 / its code
    role: RoleCodeText,
    /// 中文名称 / its name in Chinese
    name_zh: Option<LabelText>,
    /// 英文名称 / its name in English
    name_en: Option<LabelText>,
    /// 全部操作权限 / everything that it permits
    rights: Option<Vec<RightText>>,
}

/// Changes a role for every account that has it, from the next call on.
#[utoipa::path(
    post,
    path = "/admin/v1/roles:update",
    summary = "修改角色 / Change a role (§10.1)",
    request_body = StaffRoleUpdate,
    responses((status = 200, body = Success<StaffRoleChanged>)),
    extensions(("x-reasons" = json!(codes(CHANGE_REASONS))))
)]
pub(crate) async fn update(
    call: Call,
    staff: Staff<rights::RolesUpdate>,
    Json(update): Json<StaffRoleUpdate>,
) -> Answer<StaffRoleChanged> {
    let rights = update.rights.map(set);
    let change = RoleChange {
        name_zh: update.name_zh.as_deref().map(|name| name.0.as_str()),
        name_en: update.name_en.as_deref().map(|name| name.0.as_str()),
        rights: rights.as_ref(),
    };
    change_role(&call.context(), &staff, &update.role.0, &change).await?;
    changed(update.role.get().0)
}

/// Which role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichStaffRole {
    /// 角色代码 / its code
    role: RoleCodeText,
}

/// Deletes a role that no account has.
#[utoipa::path(
    post,
    path = "/admin/v1/roles:delete",
    summary = "删除角色 / Delete a role (§10.1)",
    request_body = WhichStaffRole,
    responses((status = 200, body = Success<StaffRoleChanged>)),
    extensions(("x-reasons" = json!(codes(CHANGE_REASONS))))
)]
pub(crate) async fn delete(
    call: Call,
    staff: Staff<rights::RolesDelete>,
    Json(which): Json<WhichStaffRole>,
) -> Answer<StaffRoleChanged> {
    delete_role(&call.context(), &staff, &which.role.0).await?;
    changed(which.role.get().0)
}
