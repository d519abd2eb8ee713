//! Which documented refusals the tests have provoked.

use std::collections::BTreeSet;

use domain::error::{Lang, Reason};
use test_support::http::{Reply, TestRequest};
use test_support::platform::TestPlatform;

use crate::endpoints::Endpoint;

/// Names of interfaces, with reason codes.
pub(crate) type Provoked = BTreeSet<(&'static str, &'static str)>;

/// The refusals that were provoked, by endpoint.
pub(crate) struct RefusalCoverage<'a> {
    pub(crate) platform: &'a TestPlatform,
    provoked: Provoked,
}

impl<'a> RefusalCoverage<'a> {
    /// Starts with nothing provoked.
    pub(crate) fn new(platform: &'a TestPlatform) -> Self {
        Self {
            platform,
            provoked: Provoked::new(),
        }
    }

    /// What was provoked.
    pub(crate) fn into_provoked(self) -> Provoked {
        self.provoked
    }

    /// Sends a request in both languages and compares the refusal with the catalogue.
    pub(crate) async fn expect_refusal(
        &mut self,
        endpoint: &'static Endpoint,
        reason: Reason,
        request: TestRequest,
    ) -> Reply {
        let zh = self
            .platform
            .send(request.clone().with("x-request-id", "contract-1"))
            .await;
        let en = self.platform.send(request.with("accept-language", "en")).await;
        let case = format!("{} {}: {}", endpoint.name, reason.code(), zh.text);
        for (reply, lang) in [(&zh, Lang::Zh), (&en, Lang::En)] {
            assert_eq!(
                (reply.status, reply.reason()),
                (reason.status(), reason.code()),
                "{case}"
            );
            assert_eq!(reply.body["code"], reason.status(), "{case}");
            let message = reply.body["message"].as_str().unwrap();
            assert!(message.starts_with(reason.message(lang)), "{case}");
            assert_eq!(reply.body["remedy"], reason.remedy(lang), "{case}");
            assert_eq!(
                reply.header("content-length"),
                reply.text.len().to_string(),
                "{case}"
            );
            assert_eq!(
                reply.header("content-type"),
                "application/json; charset=utf-8",
                "{case}"
            );
        }
        assert_eq!(zh.body["request_id"], "contract-1", "{case}");
        assert_eq!(zh.header("x-request-id"), "contract-1", "{case}");
        self.record(endpoint, reason);
        zh
    }

    /// Records a refusal, which must be documented.
    pub(crate) fn record(&mut self, endpoint: &'static Endpoint, reason: Reason) {
        assert!(
            endpoint.reasons().contains(&reason),
            "{} is not documented to refuse with {}",
            endpoint.name,
            reason.code()
        );
        self.provoked.insert((endpoint.name, reason.code()));
    }
}
