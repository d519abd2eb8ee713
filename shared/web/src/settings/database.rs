//! The address of the PostgreSQL database.

use domain::error::Error;
use vault::Zeroizing;

/// How the address begins.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// Seconds for a server to answer a connection, and to acknowledge what was sent to it: of a machine that is gone nothing
/// else is heard.
const ANSWER_TIMES: [&str; 2] = ["connect_timeout=2", "tcp_user_timeout=10"];

/// The server ends a transaction that nobody goes on with after 10 s, and a connection without use after 1 s. The host keeps
/// connections in pools, one for each component, and what one pool keeps another one lacks. Set when the connection is
/// made: Spin resets what is set later.
const SERVER_TIMES: &str =
    "options=-c%20idle_in_transaction_session_timeout%3D10000%20-c%20idle_session_timeout%3D1000";

/// Reads the address, whose password is not looked at, and adds the times that it lacks. An empty text is none.
///
/// # Errors
/// An internal error when the text is no URL of PostgreSQL.
pub(super) fn address(text: Option<&Zeroizing<String>>) -> Result<Option<Zeroizing<String>>, Error> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if !SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
        return Err(Error::internal(
            "variable database: not empty and no postgres://…",
        ));
    }
    let mut address = text.clone();
    for parameter in ANSWER_TIMES.into_iter().chain([SERVER_TIMES]) {
        let name = parameter.split('=').next();
        let query = address.split_once('?').map(|(_, query)| query);
        let known = |query: &str| query.split('&').any(|part| part.split('=').next() == name);
        let separator = if query.is_some() { '&' } else { '?' };
        if !query.is_some_and(known) {
            address.push(separator);
            address.push_str(parameter);
        }
    }
    Ok(Some(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(text: &str) -> Option<String> {
        let text = Zeroizing::new(text.to_owned());
        address(Some(&text))
            .unwrap()
            .map(|address| address.as_str().to_owned())
    }

    #[test]
    fn no_address_chooses_sqlite() {
        assert_eq!(completed(""), None);
        assert!(address(None).unwrap().is_none());
    }

    #[test]
    fn an_address_gets_the_times_that_it_lacks() {
        let [connect, send] = ANSWER_TIMES;
        for (given, expected) in [
            (
                "postgres://u:p@db.example/xieka",
                format!("postgres://u:p@db.example/xieka?{connect}&{send}&{SERVER_TIMES}"),
            ),
            (
                "postgresql://db.example/xieka?connect_timeout=9",
                format!("postgresql://db.example/xieka?connect_timeout=9&{send}&{SERVER_TIMES}"),
            ),
            (
                "postgres://db.example/xieka?sslmode=disable&options=-c%20a%3D1",
                format!("postgres://db.example/xieka?sslmode=disable&options=-c%20a%3D1&{connect}&{send}"),
            ),
        ] {
            assert_eq!(completed(given), Some(expected));
        }
    }

    #[test]
    fn another_text_is_refused_without_its_password() {
        for text in [
            "host=db.example password=hunter2",
            "mysql://u:hunter2@db.example/x",
        ] {
            let error = address(Some(&Zeroizing::new(text.to_owned()))).unwrap_err();
            let cause = error.cause().unwrap();
            assert!(
                cause.starts_with("variable database") && !cause.contains("hunter2"),
                "{cause}"
            );
        }
    }
}
