//! A person chooses a password with an enrolment code, and gets the secret of the second factor.

use std::net::IpAddr;

use super::secrets::{ENROLMENT_PREFIX, is_secret};
use super::throttle::attempt;
use crate::audit::record_of_person;
use crate::clients::malformed;
use crate::staff::account_text;
use crate::{Context, transaction};
use domain::error::{Error, Reason};
use store::Database;
use store::staff::{account, credential};
use vault::{TOTP_SECRET_BYTES, Zeroizing, hash_password, hash_secret, random_bytes, totp_text};

/// Shortest password, in characters.
const MIN_PASSWORD_CHARS: usize = 12;
/// Longest password, in characters.
pub const MAX_PASSWORD_CHARS: usize = 128;
/// Who issues one-time codes, as authenticator apps show it.
const ISSUER: &str = "xieka";

/// What the person needs to sign in. The secret is shown only here.
pub struct Enrolled {
    /// What the person signs in with.
    pub sign_in_name: String,
    /// Secret of the second factor, in base32.
    pub totp_secret: Zeroizing<String>,
    /// The same as a URI, for a QR code.
    pub totp_uri: Zeroizing<String>,
}

/// Stores the password that a person has chosen. Sessions and API keys of the account end: whoever enrols anew may have
/// lost control of them.
///
/// # Errors
/// [`Reason::EnrolmentCodeWrong`]; [`Reason::ParameterMalformed`] for the password; [`Reason::RateLimited`].
pub async fn enrol<D: Database>(
    cx: &Context<'_, D>,
    code: &str,
    password: &str,
    from: IpAddr,
) -> Result<Enrolled, Error> {
    let attempt = attempt(cx, None, from)?;
    if !is_secret(code, ENROLMENT_PREFIX) {
        return Err(Reason::EnrolmentCodeWrong.into());
    }
    let code_hash = hash_secret(code);
    let found = account::by_enrolment(cx.db, &code_hash).await?;
    let is_valid =
        |row: &account::AccountRow| row.active && row.enrolment_ends_at.is_some_and(|end| cx.now < end);
    let found = found.filter(is_valid).ok_or(Reason::EnrolmentCodeWrong)?;
    checked_password(password, &found.sign_in_name)?;
    let password_hash = hash_password(cx.random, password)?;
    let secret = Zeroizing::new(random_bytes::<TOTP_SECRET_BYTES>(cx.random));
    let row = found.id.text();
    let totp_sealed = cx
        .vault
        .seal(cx.random, account::TOTP, row.as_bytes(), secret.as_slice())?;
    transaction(cx, async |tx| {
        let chosen = (password_hash.as_str(), totp_sealed.as_slice());
        if !account::enrol(tx, found.id, &code_hash, chosen, cx.now).await? {
            return Err(Reason::EnrolmentCodeWrong.into());
        }
        credential::revoke_all(tx, found.id, cx.now).await?;
        let person = account_text(found.id);
        record_of_person(cx, tx, (&person, "sign_in.enrol", Some(from)), found.id).await
    })
    .await?;
    attempt.succeeded(cx);
    let text = Zeroizing::new(totp_text(secret.as_slice()));
    let uri = format!(
        "otpauth://totp/{ISSUER}:{}?secret={}&issuer={ISSUER}",
        found.sign_in_name, *text
    );
    Ok(Enrolled {
        sign_in_name: found.sign_in_name,
        totp_secret: text,
        totp_uri: Zeroizing::new(uri),
    })
}

fn checked_password(password: &str, sign_in_name: &str) -> Result<(), Error> {
    let chars = password.chars().count();
    if !(MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&chars) {
        return Err(malformed(
            "password",
            &format!("应为 {MIN_PASSWORD_CHARS} 至 {MAX_PASSWORD_CHARS} 个字符"),
            &format!("{MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters"),
        ));
    }
    if password.to_lowercase().contains(sign_in_name) {
        return Err(malformed(
            "password",
            "不得包含登录名",
            "it must not contain the sign-in name",
        ));
    }
    Ok(())
}
