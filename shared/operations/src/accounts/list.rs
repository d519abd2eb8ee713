//! The accounts of staff as administrators see them: without anything that opens them.

use crate::Context;
use crate::unreadable::RowOpener;
use domain::error::Error;
use domain::{AccountId, Timestamp};
use store::Database;
use store::staff::account::{self, AccountRow};

/// Most accounts of one page.
pub const MAX_ACCOUNTS_PER_PAGE: u32 = 100;

/// An account.
#[derive(Clone, Debug)]
pub struct AccountView {
    /// Its identifier.
    pub id: AccountId,
    /// What the person signs in with.
    pub sign_in_name: String,
    /// Name of the person; none if it cannot be opened.
    pub name: Option<String>,
    /// The codes of its roles.
    pub roles: Vec<String>,
    /// False when it is disabled.
    pub active: bool,
    /// Whether the person has chosen a password.
    pub enrolled: bool,
    /// End of the enrolment code that can be used, if there is one.
    pub enrolment_ends_at: Option<Timestamp>,
    /// The last time that the person signed in.
    pub signed_in_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// A page of accounts.
#[derive(Clone, Debug)]
pub struct AccountPage {
    /// The accounts, by sign-in name.
    pub accounts: Vec<AccountView>,
    /// Where the next page begins, if there may be one.
    pub next: Option<String>,
}

/// Returns the account `only`, or up to `limit` accounts that follow `after` by their sign-in names.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn list_accounts<D: Database>(
    cx: &Context<'_, D>,
    only: Option<AccountId>,
    after: Option<&str>,
    limit: u32,
) -> Result<AccountPage, Error> {
    let limit = limit.clamp(1, MAX_ACCOUNTS_PER_PAGE);
    let rows = account::list(cx.db, only, after, limit).await?;
    let is_full = rows.len() == limit as usize && only.is_none();
    let next = rows
        .last()
        .filter(|_| is_full)
        .map(|row| row.sign_in_name.clone());
    let mut accounts = Vec::new();
    for row in rows {
        accounts.push(view(cx, row).await?);
    }
    Ok(AccountPage { accounts, next })
}

async fn view<D: Database>(cx: &Context<'_, D>, row: AccountRow) -> Result<AccountView, Error> {
    let id = row.id.text();
    let mut opener = RowOpener::new(cx, id.as_bytes());
    let name = opener.text("name", account::NAME, Some(&row.name_sealed));
    let unreadable = opener.unreadable;
    Ok(AccountView {
        name,
        roles: account::roles(cx.db, row.id).await?,
        active: row.active,
        enrolled: row.password_hash.is_some(),
        enrolment_ends_at: row.enrolment_ends_at.filter(|end| cx.now < *end),
        signed_in_at: row.signed_in_at,
        created_at: row.created_at,
        changed_at: row.changed_at,
        unreadable,
        id: row.id,
        sign_in_name: row.sign_in_name,
    })
}
