//! A platform with accounts, whose clock the test owns, and people who sign in to it.

use std::cell::Cell;
use std::rc::Rc;

use domain::Timestamp;
use serde_json::{Value, json};
use test_support::http::{Reply, TestRequest};
use test_support::router::{TestDatabase, TestRouter};
use test_support::settings::{NOW, SECRET, variables};
use vault::totp_code;
use web::Variables;

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
pub(crate) const UNKNOWN_ID: &str = "019f1a2b-3c4d-7e5f-8a6b-7c8d9e0f1a2b";

/// A platform whose clock the test owns.
pub(crate) struct Platform {
    pub(crate) router: TestRouter,
    pub(crate) now: Rc<Cell<i64>>,
}

/// Somebody with an account.
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) totp: Vec<u8>,
    pub(crate) session: String,
}

pub(crate) fn base32(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits = text.bytes().flat_map(|letter| {
        let value = LETTERS.iter().position(|known| *known == letter).unwrap();
        (0..5).rev().map(move |bit| value >> bit & 1)
    });
    let bits: Vec<usize> = bits.collect();
    let byte = |bits: &[usize]| bits.iter().fold(0, |byte, bit| byte << 1 | *bit);
    bits.chunks_exact(8)
        .map(|bits| u8::try_from(byte(bits)).unwrap())
        .collect()
}

impl Platform {
    pub(crate) async fn new() -> Self {
        Self::with(&variables()).await
    }

    /// A platform with these variables.
    pub(crate) async fn with(variables: &Variables) -> Self {
        let now = Rc::new(Cell::new(NOW.millis()));
        let clock = Rc::clone(&now);
        let database = TestDatabase::new().await;
        let host = database.host_of(variables, move || Timestamp(clock.get()));
        let routes = accounts_router::router().merge(clients_router::router());
        Self {
            router: TestRouter::on(database, routes, host),
            now,
        }
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.now.set(self.now.get() + ms);
    }

    pub(crate) async fn post(&self, by: &str, path: &str, document: Value) -> Reply {
        self.router
            .send(TestRequest::document(path, &document).bearer(by))
            .await
    }

    pub(crate) async fn get(&self, by: &str, path: &str) -> Reply {
        self.router.send(TestRequest::get(path).bearer(by)).await
    }

    /// An account with these roles, made by `by`: its identifier and enrolment code.
    pub(crate) async fn account(&self, by: &str, name: &str, roles: &[&str]) -> (String, String) {
        let new = json!({"name": "王芳", "sign_in_name": name, "roles": roles});
        let made = self.post(by, "/admin/v1/accounts", new).await;
        assert_eq!(made.status, 200, "{}", made.text);
        let text = |field: &str| made.body[field].as_str().unwrap().to_owned();
        (text("account_id"), text("enrolment_code"))
    }

    pub(crate) async fn enrol(&self, code: &str, password: &str) -> Reply {
        let document = json!({"enrolment_code": code, "password": password});
        self.router
            .send(TestRequest::document("/admin/v1/sign-in:enrol", &document))
            .await
    }

    pub(crate) async fn sign_in(&self, name: &str, password: &str, code: Option<&str>) -> Reply {
        let document = match code {
            Some(code) => json!({"sign_in_name": name, "password": password, "code": code}),
            None => json!({"sign_in_name": name, "password": password}),
        };
        self.router
            .send(TestRequest::document("/admin/v1/sign-in", &document))
            .await
    }

    /// The one-time code of a person now.
    pub(crate) fn code(&self, person: &[u8]) -> String {
        totp_code(person, self.now.get() / 30_000)
    }

    /// Somebody who has signed in with these roles.
    pub(crate) async fn person(&self, by: &str, name: &str, roles: &[&str]) -> Person {
        let (id, code) = self.account(by, name, roles).await;
        let enrolled = self.enrol(&code, PASSWORD).await;
        assert_eq!(enrolled.status, 200, "{}", enrolled.text);
        let totp = base32(enrolled.body["totp_secret"].as_str().unwrap());
        let signed_in = self.sign_in(name, PASSWORD, Some(&self.code(&totp))).await;
        assert_eq!(signed_in.status, 200, "{}", signed_in.text);
        Person {
            id,
            name: name.to_owned(),
            totp,
            session: signed_in.body["session"].as_str().unwrap().to_owned(),
        }
    }

    /// The first system administrator.
    pub(crate) async fn administrator(&self) -> Person {
        self.person(SECRET, "admin", &["system_administrator"]).await
    }
}

pub(crate) fn refused(reply: &Reply) -> (u16, &str) {
    (reply.status, reply.reason())
}
