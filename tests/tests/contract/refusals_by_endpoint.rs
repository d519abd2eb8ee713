//! The refusals that depend on what an endpoint does: callers, parameters, cards, numbers.

use domain::error::Reason;
use serde_json::json;
use test_support::http::TestRequest;
use test_support::platform::{ClientAccount, TestPlatform};
use web::Access;

use crate::endpoints::{self, Endpoint, named};
use crate::refusal_coverage::RefusalCoverage;
use crate::valid_requests::{valid_request, valid_target};

const UNKNOWN_EID: &str = "89086030202200000000000099999945";
const UNKNOWN_TASK: &str = "0190a5b0-0000-7000-8000-000000000009";
const UNKNOWN_MSISDN: &str = "1440199999999";
const DAY_MS: i64 = 86_400_000;

fn with_client() -> impl Iterator<Item = &'static Endpoint> {
    endpoints::business().filter(|endpoint| matches!(endpoint.access, Access::Client(_)))
}

/// Allots numbers to both clients before any is taken from the pool, since the pool's order differs from run to run.
pub(crate) async fn allot(platform: &TestPlatform) {
    for (client, numbers) in [(&platform.owner, &[16, 17, 20][..]), (&platform.other, &[18, 21])] {
        let iccids: Vec<_> = numbers
            .iter()
            .map(|number| &platform.inventory.numbers[*number].iccid)
            .collect();
        let body = json!({"client_id": client.id, "iccids": iccids});
        platform.admin_post("/admin/v1/numbers:allot", body).await;
    }
}

/// Callers without access.
pub(crate) async fn clients(coverage: &mut RefusalCoverage<'_>) {
    let platform = coverage.platform;
    let outside = platform.create_account("198.51.100.0/24").await;
    let disabled = platform.create_account("127.0.0.1/32").await;
    let bare = platform.create_account("127.0.0.1/32").await;
    let unlisted = platform.create_account("127.0.0.1/32").await;
    let change = "/admin/v1/clients:update";
    platform
        .admin_post(change, json!({"client_id": disabled.id, "active": false}))
        .await;
    platform
        .admin_post(change, json!({"client_id": unlisted.id, "ips": ["198.51.100.7"]}))
        .await;
    for endpoint in with_client() {
        let own = endpoint.name;
        let others: Vec<_> = with_client()
            .map(|other| other.name)
            .filter(|name| *name != own)
            .collect();
        platform
            .admin_post(change, json!({"client_id": bare.id, "permissions": others}))
            .await;
        let with = |token: &str| TestRequest::get(valid_target(platform, endpoint)).bearer(token);
        let forged = platform.owner.token.replace("v1.", "v2.");
        let conflicting = format!("{}&token={forged}", valid_target(platform, endpoint)).replace("?&", "?");
        for (reason, request) in [
            (
                Reason::TokenMissing,
                TestRequest::get(valid_target(platform, endpoint)),
            ),
            (Reason::TokenInvalid, with(&forged)),
            (
                Reason::TokenConflict,
                TestRequest::get(conflicting).bearer(&platform.owner.token),
            ),
            (Reason::ClientDisabled, with(&disabled.token)),
            (Reason::IpNotAllowed, with(&unlisted.token)),
            (Reason::PermissionMissing, with(&bare.token)),
        ] {
            coverage.expect_refusal(endpoint, reason, request).await;
        }
        platform.advance_clock(60_000);
    }
    credentials(coverage, &disabled, &outside).await;
    let expiring = platform.create_account("127.0.0.1/32").await;
    platform.advance_clock(DAY_MS);
    for endpoint in with_client() {
        let request = TestRequest::get(valid_target(platform, endpoint)).bearer(&expiring.token);
        coverage
            .expect_refusal(endpoint, Reason::TokenExpired, request)
            .await;
    }
    platform.advance_clock(-DAY_MS);
}

/// Credentials that give no token.
async fn credentials(coverage: &mut RefusalCoverage<'_>, disabled: &ClientAccount, outside: &ClientAccount) {
    let platform = coverage.platform;
    let credentials = |account: &ClientAccount, secret: &str| {
        TestRequest::get(format!(
            "/v1/token?client_id={}&client_secret={secret}",
            account.id
        ))
    };
    for (reason, request) in [
        (
            Reason::ParameterMissing,
            TestRequest::get("/v1/token?client_id=x"),
        ),
        (
            Reason::ClientUnknownOrSecretWrong,
            credentials(&platform.owner, "wrong"),
        ),
        (
            Reason::ClientUnknownOrSecretWrong,
            credentials(&platform.owner, &platform.other.secret),
        ),
        (Reason::ClientDisabled, credentials(disabled, &disabled.secret)),
        (Reason::IpNotAllowed, credentials(outside, &outside.secret)),
    ] {
        coverage.expect_refusal(named("token"), reason, request).await;
    }
}

type Refusals = Vec<(&'static Endpoint, Reason, TestRequest)>;

/// Parameters that are missing or malformed.
pub(crate) async fn parameters(coverage: &mut RefusalCoverage<'_>) {
    let platform = coverage.platform;
    let task = platform.apply(3).await;
    let table = [
        apply_parameters(platform),
        chip_parameters(platform),
        task_parameters(platform, &task),
        number_parameters(platform),
        list_parameters(platform),
    ];
    for (endpoint, reason, request) in table.into_iter().flatten() {
        coverage.expect_refusal(endpoint, reason, request).await;
    }
}

fn with_query(platform: &TestPlatform, endpoint: &'static Endpoint, query: &str) -> TestRequest {
    TestRequest::get(format!("{}?{query}", endpoint.path)).bearer(&platform.owner.token)
}

fn apply_parameters(platform: &TestPlatform) -> Refusals {
    let eid = platform.eid(2);
    let number = &platform.inventory.numbers[20];
    let designated = format!("iccid={}&msisdn={}", number.iccid, number.msisdn);
    let of_chip = |rest: &str| format!("eid={eid}&{rest}");
    let table = [
        (
            Reason::ParameterMissing,
            "write_type=1&province_code=37".to_owned(),
        ),
        (Reason::ParameterMissing, of_chip("province_code=37")),
        (Reason::ParameterMissing, of_chip("write_type=1")),
        (
            Reason::ParameterMissing,
            of_chip(&format!("write_type=0&iccid={}", number.iccid)),
        ),
        (
            Reason::ParameterNotApplicable,
            of_chip(&format!("write_type=1&province_code=37&{designated}")),
        ),
        (
            Reason::EidMalformed,
            "eid=123&write_type=1&province_code=37".to_owned(),
        ),
        (
            Reason::WriteTypeMalformed,
            of_chip("write_type=2&province_code=37"),
        ),
        (
            Reason::ProvinceMalformed,
            of_chip("write_type=1&province_code=99"),
        ),
        (
            Reason::IccidMalformed,
            of_chip(&format!("write_type=0&iccid=1&msisdn={}", number.msisdn)),
        ),
        (
            Reason::MsisdnMalformed,
            of_chip(&format!("write_type=0&iccid={}&msisdn=1", number.iccid)),
        ),
    ];
    let request = |(reason, query): (Reason, String)| {
        let request = with_query(platform, named("write.apply"), &query);
        (named("write.apply"), reason, request)
    };
    table.into_iter().map(request).collect()
}

fn chip_parameters(platform: &TestPlatform) -> Refusals {
    let unknown_chip = format!("eid={UNKNOWN_EID}");
    let two_chips = format!(
        "eid={}&msisdn={}",
        platform.eid(2),
        platform.inventory.chips[5].temp_msisdn
    );
    let unknown_number = format!("msisdn={UNKNOWN_MSISDN}");
    let unknown_fault = format!("eid={}&fault=sad", platform.eid(2));
    let long = format!(
        "eid={}&fault=no_network&description={}",
        platform.eid(2),
        "a".repeat(501)
    );
    let fault_of_unknown = format!("eid={UNKNOWN_EID}&fault=no_network");
    let table: [(&'static Endpoint, Reason, &str); 14] = [
        (named("chip.fault"), Reason::ParameterMissing, ""),
        (
            named("chip.fault"),
            Reason::EidMalformed,
            "eid=1&fault=no_network",
        ),
        (named("chip.fault"), Reason::ParameterMalformed, &unknown_fault),
        (named("chip.fault"), Reason::ParameterTooLong, &long),
        (named("chip.fault"), Reason::UnknownChip, &fault_of_unknown),
        (named("chip.read"), Reason::ParameterMissing, ""),
        (named("chip.read"), Reason::EidMalformed, "eid=1"),
        (named("chip.read"), Reason::UnknownChip, &unknown_chip),
        (named("number.open_time"), Reason::ParameterMissing, ""),
        (named("number.open_time"), Reason::EidMalformed, "eid=1"),
        (named("number.open_time"), Reason::MsisdnMalformed, "msisdn=1"),
        (named("number.open_time"), Reason::UnknownChip, &unknown_chip),
        (named("number.open_time"), Reason::UnknownNumber, &unknown_number),
        (
            named("number.open_time"),
            Reason::ParameterNotApplicable,
            &two_chips,
        ),
    ];
    let request = |(endpoint, reason, query)| (endpoint, reason, with_query(platform, endpoint, query));
    table.into_iter().map(request).collect()
}

fn task_parameters(platform: &TestPlatform, task: &str) -> Refusals {
    let mut refusals = Refusals::new();
    for endpoint in [named("write.status"), named("write.cancel")] {
        for (reason, query) in [
            (Reason::ParameterMissing, String::new()),
            (Reason::EidMalformed, "eid=1".to_owned()),
            (Reason::ParameterMalformed, "task_id=1".to_owned()),
            (Reason::UnknownChip, format!("eid={UNKNOWN_EID}")),
            (Reason::UnknownTask, format!("task_id={UNKNOWN_TASK}")),
            (
                Reason::ParameterNotApplicable,
                format!("eid={}&task_id={task}", platform.eid(2)),
            ),
        ] {
            refusals.push((endpoint, reason, with_query(platform, endpoint, &query)));
        }
    }
    refusals
}

fn number_parameters(platform: &TestPlatform) -> Refusals {
    let (number, next) = (&platform.inventory.numbers[20], &platform.inventory.numbers[21]);
    let mut refusals = Refusals::new();
    for endpoint in [named("number.read"), named("number.usage"), named("number.city")] {
        for (reason, query) in [
            (Reason::ParameterMissing, String::new()),
            (Reason::MsisdnMalformed, "msisdn=1".to_owned()),
            (Reason::IccidMalformed, "iccid=1".to_owned()),
            (Reason::UnknownNumber, format!("msisdn={UNKNOWN_MSISDN}")),
            (Reason::UnknownNumber, format!("iccid={}", next.iccid)),
            (
                Reason::ParameterNotApplicable,
                format!("iccid={}&msisdn={}", number.iccid, next.msisdn),
            ),
        ] {
            refusals.push((endpoint, reason, with_query(platform, endpoint, &query)));
        }
    }
    refusals
}

fn list_parameters(platform: &TestPlatform) -> Refusals {
    let long = format!("iccid={}", "9".repeat(65));
    let unknown = format!("task_id={UNKNOWN_TASK}");
    let table = [
        (Reason::EidMalformed, "eid=1"),
        (Reason::IccidMalformed, "iccid=1"),
        (Reason::MsisdnMalformed, "msisdn=1"),
        (Reason::ProvinceMalformed, "province_code=99"),
        (Reason::ParameterMalformed, "status=lost"),
        // A place of another query.
        (Reason::CursorMismatch, "cursor=000000000000000030"),
        (Reason::ParameterTooLong, &long),
        (Reason::UnknownTask, &unknown),
    ];
    let listing = named("write.tasks");
    let request = |(reason, query)| (listing, reason, with_query(platform, listing, query));
    table.into_iter().map(request).collect()
}

/// Cards whose state or allowance does not permit the request.
pub(crate) async fn cards(coverage: &mut RefusalCoverage<'_>) {
    let platform = coverage.platform;
    let (applying, cancelling) = (named("write.apply"), named("write.cancel"));
    let apply = |eid: &str, province: &str| apply(platform, eid, province);
    coverage
        .expect_refusal(applying, Reason::UnknownChip, apply(UNKNOWN_EID, "37"))
        .await;
    coverage
        .expect_refusal(
            applying,
            Reason::ProvinceWithoutNumber,
            apply(platform.eid(6), "11"),
        )
        .await;
    coverage
        .expect_refusal(applying, Reason::ProvinceNotServed, apply(platform.eid(6), "65"))
        .await;
    // A refused application may be corrected.
    assert_eq!(platform.send(apply(platform.eid(6), "37")).await.status, 200);
    coverage
        .expect_refusal(applying, Reason::ApplicationPending, apply(platform.eid(6), "11"))
        .await;

    platform
        .admin_post(
            "/admin/v1/chips:fault",
            json!({"eid": platform.eid(7), "faulty": true}),
        )
        .await;
    coverage
        .expect_refusal(applying, Reason::ChipFaulty, apply(platform.eid(7), "37"))
        .await;

    exhausted_allowance(coverage).await;
    platform.write_card(9).await;
    coverage
        .expect_refusal(applying, Reason::AlreadyWritten, apply(platform.eid(9), "37"))
        .await;
    let cancel =
        |eid: &str| TestRequest::get(format!("/v1/write/cancel?eid={eid}")).bearer(&platform.owner.token);
    coverage
        .expect_refusal(cancelling, Reason::WrongState, cancel(platform.eid(9)))
        .await;
    coverage
        .expect_refusal(cancelling, Reason::WrongState, cancel(platform.eid(10)))
        .await;
    platform
        .admin_post(
            "/admin/v1/incidents:open",
            json!({"kind": "eid_duplicated", "eid": platform.eid(10)}),
        )
        .await;
    coverage
        .expect_refusal(applying, Reason::ChipBlocked, apply(platform.eid(10), "37"))
        .await;

    let a_year = 365 * DAY_MS;
    platform.advance_clock(a_year);
    let token = platform.token(&platform.owner.id, &platform.owner.secret).await;
    let late = TestRequest::get(format!(
        "/v1/write/apply?eid={}&write_type=1&province_code=37",
        platform.eid(11)
    ));
    coverage
        .expect_refusal(applying, Reason::TemporaryNumberExpired, late.bearer(&token))
        .await;
    platform.advance_clock(-a_year);
}

fn apply(platform: &TestPlatform, eid: &str, province: &str) -> TestRequest {
    let query = format!("eid={eid}&write_type=1&province_code={province}");
    with_query(platform, named("write.apply"), &query)
}

async fn exhausted_allowance(coverage: &mut RefusalCoverage<'_>) {
    let platform = coverage.platform;
    // One session uses all of the 5 MB and then loses its link.
    platform.apply(8).await;
    let (session, _) = platform.open_session_at(8).await;
    let lost = json!({"session_id": session, "seq": 1, "event": {"kind": "closed", "reason": "link"},
        "bytes_up": 5_000_000, "bytes_down": 0});
    let request = TestRequest::post("/internal/gateway/report", "application/json", lost.to_string());
    platform
        .send(request.bearer(&platform.secret("gateway_secret")))
        .await;
    platform.open_session_at(8).await;
    coverage
        .expect_refusal(
            named("write.apply"),
            Reason::AllowanceExhausted,
            apply(platform, platform.eid(8), "37"),
        )
        .await;
}

/// Designated data cards that are not available.
pub(crate) async fn numbers(coverage: &mut RefusalCoverage<'_>) {
    let platform = coverage.platform;
    let numbers = &platform.inventory.numbers;
    let apply = |chip: usize, iccid: &str, msisdn: &str| {
        let target = format!(
            "/v1/write/apply?eid={}&write_type=0&iccid={iccid}&msisdn={msisdn}",
            platform.eid(chip)
        );
        TestRequest::get(target).bearer(&platform.owner.token)
    };
    let of = |chip, number: usize| apply(chip, &numbers[number].iccid, &numbers[number].msisdn);
    coverage
        .expect_refusal(named("write.apply"), Reason::UnknownNumber, of(12, 19))
        .await;
    // Another client's card is unknown, not forbidden.
    coverage
        .expect_refusal(named("write.apply"), Reason::UnknownNumber, of(12, 18))
        .await;
    let crossed = apply(12, &numbers[17].iccid, &numbers[16].msisdn);
    coverage
        .expect_refusal(named("write.apply"), Reason::NumberMismatch, crossed)
        .await;
    assert_eq!(platform.send(of(12, 17)).await.status, 200);
    coverage
        .expect_refusal(named("write.apply"), Reason::NumberTaken, of(13, 17))
        .await;
    platform
        .admin_post("/admin/v1/numbers:suspend", json!({"iccid": numbers[16].iccid}))
        .await;
    coverage
        .expect_refusal(named("write.apply"), Reason::NumberSuspended, of(13, 16))
        .await;
    platform
        .admin_post("/admin/v1/numbers:resume", json!({"iccid": numbers[16].iccid}))
        .await;
    assert_eq!(platform.send(of(13, 16)).await.status, 200);
    assert_eq!(
        platform
            .send(valid_request(platform, named("write.provinces")))
            .await
            .status,
        200
    );
}
