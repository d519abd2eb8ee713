//! Recovery on the machine: a system administrator gets an enrolment code when nobody can sign in any more.

use super::create::{CreatedAccount, new_offer};
use crate::audit::record_of_person;
use crate::{Context, transaction};
use domain::error::Error;
use domain::{AccountId, BuiltInRole};
use store::staff::account::{self, NewAccountRow};
use store::{Database, lock};
use vault::{hash_secret, random_bytes};

/// Makes an enrolment code for the account with this sign-in name: it is a system administrator and active afterwards. If
/// there is none it is opened, with `name` as the name of the person. Never on a request: whoever can do this has the
/// database and its keys.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn recover_account<D: Database>(
    cx: &Context<'_, D>,
    sign_in_name: &str,
    name: &str,
) -> Result<CreatedAccount, Error> {
    let enrolment = new_offer(cx);
    let hash = hash_secret(&enrolment.code);
    let new = AccountId::new(cx.now, random_bytes(cx.random));
    let administrator = BuiltInRole::SystemAdministrator.code();
    let recover = ("command_line", "recover", None);
    let id = transaction(cx, async |tx| {
        lock::staff(tx).await?;
        let present = account::by_sign_in_name(tx, sign_in_name).await?;
        let Some(present) = present else {
            let row = new.text();
            let stored = NewAccountRow {
                id: new,
                sign_in_name,
                name_sealed: cx
                    .vault
                    .seal(cx.random, account::NAME, row.as_bytes(), name.as_bytes())?,
                enrolment_hash: &hash,
                enrolment_ends_at: enrolment.ends_at,
            };
            account::insert(tx, &stored, cx.now).await?;
            account::set_roles(tx, new, &[administrator.to_owned()]).await?;
            record_of_person(cx, tx, recover, new).await?;
            return Ok(new);
        };
        let mut roles = account::roles(tx, present.id).await?;
        if !roles.iter().any(|role| role == administrator) {
            roles.push(administrator.to_owned());
            account::set_roles(tx, present.id, &roles).await?;
        }
        account::change(tx, present.id, (None, Some(true)), cx.now).await?;
        account::offer_enrolment(tx, present.id, (&hash, enrolment.ends_at), cx.now).await?;
        record_of_person(cx, tx, recover, present.id).await?;
        Ok(present.id)
    })
    .await?;
    Ok(CreatedAccount { id, enrolment })
}
