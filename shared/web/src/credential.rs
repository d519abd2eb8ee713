//! The credential of a call: `Authorization: Bearer …`, or the parameter `token` (clause 7.1.2).
//!
//! Never choose between two different ones: a call with both is refused.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::operation::{Access, Role};
use super::query::Pair;
use domain::error::{Error, Reason};

const SCHEME: &str = "bearer";
/// The parameter that may hold a client's token.
pub(crate) const TOKEN_PARAMETER: &str = "token";
/// The parameter that may hold the secret of timers.
pub(crate) const KEY_PARAMETER: &str = "key";

/// Longest token, in characters.
const MAX_TOKEN_CHARS: usize = 1_024;

/// Longest key, in characters.
const MAX_KEY_CHARS: usize = 256;

/// The access token of a call to a public interface.
///
/// # Errors
/// [`Reason::TokenMissing`]; [`Reason::TokenInvalid`] for another scheme; [`Reason::TokenConflict`] when header
/// and parameter differ.
pub(super) fn token<'a>(headers: &'a HeaderMap, pairs: &'a [Pair]) -> Result<&'a str, Error> {
    let in_header = bearer(headers)?;
    let mut in_parameters = pairs
        .iter()
        .filter(|(name, _)| name == TOKEN_PARAMETER)
        .map(|(_, value)| value.as_str());
    match (in_header, in_parameters.next()) {
        (Some(one), Some(other)) if one != other => Err(Reason::TokenConflict.into()),
        (Some(token), _) | (None, Some(token)) => Ok(token),
        (None, None) => Err(Reason::TokenMissing.into()),
    }
}

/// The bearer credential of a call, if it carries one.
///
/// # Errors
/// [`Reason::TokenInvalid`] for another scheme, [`Reason::TokenConflict`] for more than one header.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Error> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Reason::TokenConflict.into());
    }
    let credential = value.to_str().ok().and_then(|text| text.trim().split_once(' '));
    match credential {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(SCHEME) => Ok(Some(token.trim())),
        _ => Err(Error::new(Reason::TokenInvalid).with_detail(
            "Authorization 应为 Bearer 方式",
            "Authorization uses the Bearer scheme",
        )),
    }
}

/// The name of the parameter that may hold the credential, and its longest value in characters.
pub(crate) fn parameter_of(access: Access) -> Option<(&'static str, usize)> {
    match access {
        Access::Client(_) => Some((TOKEN_PARAMETER, MAX_TOKEN_CHARS)),
        Access::Secret(Role::Timer) => Some((KEY_PARAMETER, MAX_KEY_CHARS)),
        Access::Anyone | Access::SignIn | Access::Staff(_) | Access::Secret(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(authorization: &[&str], parameters: &[&str]) -> Result<String, Reason> {
        let mut headers = HeaderMap::new();
        for value in authorization {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        let pairs: Vec<Pair> = parameters
            .iter()
            .map(|value| ("token".into(), (*value).into()))
            .collect();
        token(&headers, &pairs)
            .map(str::to_owned)
            .map_err(|error| error.reason())
    }

    // §7.1.2
    #[test]
    fn a_token_is_taken_from_either_place() {
        assert_eq!(read(&["Bearer abc"], &[]), Ok("abc".into()));
        assert_eq!(read(&["bearer   abc"], &[]), Ok("abc".into()));
        assert_eq!(read(&[], &["abc"]), Ok("abc".into()));
        assert_eq!(read(&["Bearer abc"], &["abc"]), Ok("abc".into()));
    }

    #[test]
    fn two_different_tokens_are_an_error_and_not_a_choice() {
        assert_eq!(read(&["Bearer abc"], &["abd"]), Err(Reason::TokenConflict));
        assert_eq!(
            read(&["Bearer abc", "Bearer abc"], &[]),
            Err(Reason::TokenConflict)
        );
    }

    #[test]
    fn no_token_and_other_schemes_are_told_apart() {
        assert_eq!(read(&[], &[]), Err(Reason::TokenMissing));
        for other in ["Basic YTpi", "abc", "Bearer", ""] {
            assert_eq!(read(&[other], &["abc"]), Err(Reason::TokenInvalid), "{other}");
        }
    }
}
