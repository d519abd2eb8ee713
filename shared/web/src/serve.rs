//! The checks of every endpoint: method, address, credential, permission, parameters. An endpoint adds its handler.
//!
//! The order is fixed. The database is read only after the address is known, and parameters are checked, beyond
//! decoding, only after the caller is known.

use std::net::IpAddr;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Uri};

use super::address::{AddressProblem, true_client_addr};
use super::call::Call;
use super::credential;
use super::interface::{Access, Content, Interface};
use super::language;
use super::leases::Leases;
use super::params::{Param, Params};
use super::query::{MAX_QUERY_BYTES, Pair, decode_form, decode_json};
use super::refusal::Refusal;
use super::reply::Reply;
use super::settings::Settings;
use super::trace::Trace;
use domain::Budget;
use domain::error::{Error, Reason};
use operations::{Context, Verified, spend_calls, verify_token};
use store::Database;

/// A request whose body was read, or was not for the given reason. A body longer than the interface's limit may
/// be cut off anywhere beyond it.
pub type Request = http::Request<Result<Vec<u8>, Reason>>;

/// A request that passed the checks which need neither its body nor the database.
pub struct Admitted {
    from: IpAddr,
}

/// Checks address, method and, on internal interfaces, the secret. This happens before the body is read, so that an
/// unauthenticated caller cannot make the platform read megabytes. The address is recorded in `trace`.
///
/// # Errors
/// [`Reason::MethodNotAllowed`], [`Reason::HeaderForged`], [`Reason::AddressUnknown`],
/// [`Reason::CredentialWrong`].
pub fn admit(
    interface: &Interface,
    (method, uri): (&Method, &Uri),
    headers: &HeaderMap,
    settings: &Settings,
    trace: &mut Trace,
) -> Result<Admitted, Refusal> {
    let from = true_client_addr(headers, &settings.trusted_proxies).map_err(address_error)?;
    trace.from = Some(from);
    if !interface.methods.allow(method) {
        let allowed = interface.methods.header();
        return Err(Error::new(Reason::MethodNotAllowed)
            .with_detail(allowed, allowed)
            .into());
    }
    if interface.access == Access::Secret {
        let is_right = match credential::bearer(headers) {
            Ok(Some(presented)) => settings.is_secret(presented),
            Ok(None) if interface.params.contains(&Param::Key) => {
                let query = uri.query().filter(|query| query.len() <= MAX_QUERY_BYTES);
                let pairs = decode_form(query.unwrap_or_default()).unwrap_or_default();
                let mut keys = pairs.iter().filter(|(name, _)| name == Param::Key.name());
                keys.next().is_some_and(|(_, key)| settings.is_secret(key))
            }
            _ => false,
        };
        if !is_right {
            return Err(Reason::CredentialWrong.into());
        }
    }
    Ok(Admitted { from })
}

fn address_error(problem: AddressProblem) -> Error {
    match problem {
        AddressProblem::Forged(header) => Error::new(Reason::HeaderForged).with_detail(&header, &header),
        AddressProblem::NoPeer | AddressProblem::BadForwardedFor => {
            Error::new(Reason::AddressUnknown).with_cause(problem)
        }
    }
}

/// What an instance of a component keeps between requests.
#[derive(Clone, Copy)]
pub struct Instance<'a> {
    /// The configuration of the component.
    pub settings: &'a Settings,
    /// Leases of calls.
    pub leases: &'a Leases,
}

/// Takes an admitted request through the remaining checks to the handler. The values for the call log are collected in
/// `trace`.
///
/// # Errors
/// The refusal of any check or of the handler; the caller renders it with [`crate::Exchange::finish`].
pub async fn serve<D: Database>(
    interface: &'static Interface,
    admitted: &Admitted,
    request: &Request,
    cx: &Context<'_, D>,
    instance: Instance<'_>,
    trace: &mut Trace,
    handler: impl AsyncFnOnce(&Call<'_, D>) -> Result<Reply, Refusal>,
) -> Result<Reply, Refusal> {
    let from = admitted.from;
    let (body, pairs) = read(interface, request)?;
    trace.note(interface, cx, &pairs);
    let verified = match interface.access {
        Access::Client(permission) => {
            let token = credential::token(request.headers(), &pairs)?;
            let verified = verify_token(cx, token, from).await?;
            if !verified.may(permission) {
                let code = permission.code();
                return Err(Error::new(Reason::PermissionMissing).with_detail(code, code).into());
            }
            Some(verified)
        }
        Access::Anyone | Access::Secret => None,
    };
    let budget = match &verified {
        Some(verified) => {
            trace.is_known = true;
            trace.client_id = Some(verified.caller.id.clone());
            Some(charge_rate_limit(interface, cx, instance.leases, verified).await?)
        }
        None => None,
    };
    let answer = async {
        let params = Params::from_pairs(pairs, |name| interface.accepts(name))?;
        let call = Call {
            cx,
            settings: instance.settings,
            params,
            body,
            from,
            lang: language::preferred(request.headers()),
            caller: verified.map(|verified| verified.caller),
        };
        handler(&call).await
    };
    match (answer.await, budget) {
        (Ok(reply), Some(budget)) => Ok(reply.with_budget(budget)),
        (Err(refusal), Some(budget)) => Err(refusal.with_budget(budget)),
        (outcome, None) => outcome,
    }
}

/// Charges one call to the client's rate limit of the interface.
async fn charge_rate_limit<D: Database>(
    interface: &'static Interface,
    cx: &Context<'_, D>,
    leases: &Leases,
    verified: &Verified,
) -> Result<Budget, Error> {
    let (client, name) = (&verified.caller.id, interface.name);
    if let Some(budget) = leases.spend(client, name, cx.now) {
        return Ok(budget);
    }
    let limit = verified.calls_per_minute(name).unwrap_or(interface.calls_per_minute);
    let taken = spend_calls(cx, client, name, limit, leases.permits_to_take(client, name)).await?;
    Ok(leases.keep(client, name, cx.now, taken))
}

/// The body where it is a document or a file, and the parameters in query and body, decoded but not checked.
fn read<'a>(interface: &Interface, request: &'a Request) -> Result<(&'a [u8], Vec<Pair>), Refusal> {
    let query = request.uri().query().unwrap_or_default();
    if query.len() > MAX_QUERY_BYTES {
        return Err(Reason::QueryTooLong.into());
    }
    let mut pairs = decode_form(query)?;
    let body = request.body().as_deref().map_err(|reason| *reason)?;
    if body.len() > interface.max_body_bytes {
        let limit = interface.max_body_bytes;
        let error = Error::new(Reason::BodyTooLarge);
        return Err(error
            .with_detail(
                format!("上限 {limit} 字节"),
                format!("the limit is {limit} bytes"),
            )
            .into());
    }
    if body.is_empty() {
        return Ok((body, pairs));
    }
    if request.method() == Method::GET {
        return Err(Reason::BodyUnexpected.into());
    }
    match (interface.content, media_type(request.headers()).as_str()) {
        (Content::Parameters, "application/x-www-form-urlencoded") => {
            let text = std::str::from_utf8(body).map_err(|_| Reason::BadUtf8)?;
            pairs.extend(decode_form(text)?);
            Ok((&[], pairs))
        }
        (Content::Parameters, "application/json") => {
            pairs.extend(decode_json(body)?);
            Ok((&[], pairs))
        }
        (Content::Json, "application/json")
        | (Content::Csv, "text/csv")
        | (Content::Ndjson, "application/x-ndjson" | "application/jsonl") => Ok((body, pairs)),
        (content, _) => {
            let accepted = accepted_media_types(content);
            Err(Error::new(Reason::MediaTypeUnsupported)
                .with_detail(accepted, accepted)
                .into())
        }
    }
}

fn accepted_media_types(content: Content) -> &'static str {
    match content {
        Content::Parameters => "application/x-www-form-urlencoded, application/json",
        Content::Json => "application/json",
        Content::Csv => "text/csv",
        Content::Ndjson => "application/x-ndjson",
    }
}

/// The media type without its parameters; a `charset` other than UTF-8 is found when the body is decoded.
fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}
