//! The refusals that each interface has for reasons of its own.

use domain::error::Reason;
use serde_json::json;
use web::interface::{
    self, Access, BUSINESS, CHIP, Interface, NUMBER, NUMBER_CITY, NUMBER_OPEN_TIME, NUMBER_USAGE, TOKEN,
    WRITE_APPLY, WRITE_CANCEL, WRITE_STATUS,
};

use crate::cases::{Score, call, good};
use crate::door::{Door, Sent};

const UNKNOWN_EID: &str = "89086030202200000000000099999945";
const UNKNOWN_TASK: &str = "0190a5b0-0000-7000-8000-000000000009";
const UNKNOWN_MSISDN: &str = "1440199999999";
const DAY_MS: i64 = 86_400_000;

fn with_client() -> impl Iterator<Item = &'static Interface> {
    let has_client = |interface: &&&Interface| matches!(interface.access, Access::Client(_));
    BUSINESS.iter().filter(has_client).copied()
}

/// Sets numbers aside for both clients before the pool is drawn from: which of it comes first follows from keys that
/// differ from run to run.
pub(crate) async fn allot(door: &Door) {
    for (client, numbers) in [(&door.one, &[16, 17, 20][..]), (&door.other, &[18, 21])] {
        let iccids: Vec<_> = numbers
            .iter()
            .map(|number| &door.inventory.numbers[*number].iccid)
            .collect();
        let body = json!({"client_id": client.id, "iccids": iccids});
        door.admin_post("/admin/v1/numbers:allot", body).await;
    }
}

/// Whoever is not let in.
pub(crate) async fn clients(score: &mut Score<'_>) {
    let door = score.door;
    let outside = door.account("198.51.100.0/24").await;
    let disabled = door.account("127.0.0.1/32").await;
    let bare = door.account("127.0.0.1/32").await;
    let unlisted = door.account("127.0.0.1/32").await;
    let change = "/admin/v1/clients:update";
    door.admin_post(change, json!({"client_id": disabled.id, "active": false}))
        .await;
    door.admin_post(change, json!({"client_id": unlisted.id, "ips": ["198.51.100.7"]}))
        .await;
    for interface in with_client() {
        let own = interface.name;
        let others: Vec<_> = with_client()
            .map(|other| other.name)
            .filter(|name| *name != own)
            .collect();
        door.admin_post(change, json!({"client_id": bare.id, "permissions": others}))
            .await;
        let with = |token: &str| Sent::get(good(door, interface)).bearer(token);
        let forged = door.one.token.replace("v1.", "v2.");
        let conflicting = format!("{}&token={forged}", good(door, interface)).replace("?&", "?");
        for (reason, sent) in [
            (Reason::TokenMissing, Sent::get(good(door, interface))),
            (Reason::TokenInvalid, with(&forged)),
            (
                Reason::TokenConflict,
                Sent::get(conflicting).bearer(&door.one.token),
            ),
            (Reason::ClientDisabled, with(&disabled.token)),
            (Reason::IpNotAllowed, with(&unlisted.token)),
            (Reason::PermissionMissing, with(&bare.token)),
        ] {
            score.refused(interface, reason, sent).await;
        }
        door.pass(60_000);
    }
    let credentials = |account: &crate::door::Account, secret: &str| {
        Sent::get(format!(
            "/v1/token?client_id={}&client_secret={secret}",
            account.id
        ))
    };
    for (reason, sent) in [
        (Reason::ParameterMissing, Sent::get("/v1/token?client_id=x")),
        (
            Reason::ClientUnknownOrSecretWrong,
            credentials(&door.one, "wrong"),
        ),
        (
            Reason::ClientUnknownOrSecretWrong,
            credentials(&door.one, &door.other.secret),
        ),
        (Reason::ClientDisabled, credentials(&disabled, &disabled.secret)),
        (Reason::IpNotAllowed, credentials(&outside, &outside.secret)),
    ] {
        score.refused(&TOKEN, reason, sent).await;
    }
    let expiring = door.account("127.0.0.1/32").await;
    door.pass(DAY_MS);
    for interface in with_client() {
        let sent = Sent::get(good(door, interface)).bearer(&expiring.token);
        score.refused(interface, Reason::TokenExpired, sent).await;
    }
    door.pass(-DAY_MS);
}

/// Parameters that are missing or not what they should be.
pub(crate) async fn parameters(score: &mut Score<'_>) {
    let door = score.door;
    let ask = |interface: &Interface, query: &str| {
        Sent::get(format!("{}?{query}", interface.path)).bearer(&door.one.token)
    };
    let eid = door.eid(2);
    let apply = |rest: &str| ask(&WRITE_APPLY, &format!("eid={eid}&{rest}"));
    let (number, next) = (&door.inventory.numbers[20], &door.inventory.numbers[21]);
    let designated = format!("iccid={}&msisdn={}", number.iccid, number.msisdn);
    let crossed = format!("iccid={}&msisdn={}", number.iccid, next.msisdn);
    let task = door.applied(3).await;
    let mut table: Vec<(&Interface, Reason, Sent)> = vec![
        (
            &WRITE_APPLY,
            Reason::ParameterMissing,
            ask(&WRITE_APPLY, "write_type=1&province_code=37"),
        ),
        (&WRITE_APPLY, Reason::ParameterMissing, apply("province_code=37")),
        (&WRITE_APPLY, Reason::ParameterMissing, apply("write_type=1")),
        (
            &WRITE_APPLY,
            Reason::ParameterMissing,
            apply(&format!("write_type=0&iccid={}", number.iccid)),
        ),
        (
            &WRITE_APPLY,
            Reason::ParameterNotApplicable,
            apply(&format!("write_type=1&province_code=37&{designated}")),
        ),
        (
            &WRITE_APPLY,
            Reason::ParameterNotApplicable,
            apply(&format!("write_type=0&province_code=37&{designated}")),
        ),
        (
            &WRITE_APPLY,
            Reason::EidMalformed,
            ask(&WRITE_APPLY, "eid=123&write_type=1&province_code=37"),
        ),
        (
            &WRITE_APPLY,
            Reason::WriteTypeMalformed,
            apply("write_type=2&province_code=37"),
        ),
        (
            &WRITE_APPLY,
            Reason::ProvinceMalformed,
            apply("write_type=1&province_code=99"),
        ),
        (
            &WRITE_APPLY,
            Reason::IccidMalformed,
            apply(&format!("write_type=0&iccid=1&msisdn={}", number.msisdn)),
        ),
        (
            &WRITE_APPLY,
            Reason::MsisdnMalformed,
            apply(&format!("write_type=0&iccid={}&msisdn=1", number.iccid)),
        ),
        (&CHIP, Reason::ParameterMissing, ask(&CHIP, "")),
        (&CHIP, Reason::EidMalformed, ask(&CHIP, "eid=1")),
        (
            &CHIP,
            Reason::UnknownChip,
            ask(&CHIP, &format!("eid={UNKNOWN_EID}")),
        ),
        (
            &NUMBER_OPEN_TIME,
            Reason::ParameterMissing,
            ask(&NUMBER_OPEN_TIME, ""),
        ),
        (
            &NUMBER_OPEN_TIME,
            Reason::EidMalformed,
            ask(&NUMBER_OPEN_TIME, "eid=1"),
        ),
        (
            &NUMBER_OPEN_TIME,
            Reason::MsisdnMalformed,
            ask(&NUMBER_OPEN_TIME, "msisdn=1"),
        ),
        (
            &NUMBER_OPEN_TIME,
            Reason::UnknownChip,
            ask(&NUMBER_OPEN_TIME, &format!("eid={UNKNOWN_EID}")),
        ),
        (
            &NUMBER_OPEN_TIME,
            Reason::UnknownNumber,
            ask(&NUMBER_OPEN_TIME, &format!("msisdn={UNKNOWN_MSISDN}")),
        ),
        (
            &NUMBER_OPEN_TIME,
            Reason::ParameterNotApplicable,
            ask(
                &NUMBER_OPEN_TIME,
                &format!("eid={eid}&msisdn={}", door.inventory.chips[5].temp_msisdn),
            ),
        ),
    ];
    for interface in [&WRITE_STATUS, &WRITE_CANCEL] {
        table.extend([
            (interface, Reason::ParameterMissing, ask(interface, "")),
            (interface, Reason::EidMalformed, ask(interface, "eid=1")),
            (interface, Reason::ParameterMalformed, ask(interface, "task_id=1")),
            (
                interface,
                Reason::UnknownChip,
                ask(interface, &format!("eid={UNKNOWN_EID}")),
            ),
            (
                interface,
                Reason::UnknownTask,
                ask(interface, &format!("task_id={UNKNOWN_TASK}")),
            ),
            (
                interface,
                Reason::ParameterNotApplicable,
                ask(interface, &format!("eid={eid}&task_id={task}")),
            ),
        ]);
    }
    for interface in [&NUMBER, &NUMBER_USAGE, &NUMBER_CITY] {
        table.extend([
            (interface, Reason::ParameterMissing, ask(interface, "")),
            (interface, Reason::MsisdnMalformed, ask(interface, "msisdn=1")),
            (interface, Reason::IccidMalformed, ask(interface, "iccid=1")),
            (
                interface,
                Reason::UnknownNumber,
                ask(interface, &format!("msisdn={UNKNOWN_MSISDN}")),
            ),
            (
                interface,
                Reason::UnknownNumber,
                ask(interface, &format!("iccid={}", next.iccid)),
            ),
            (
                interface,
                Reason::ParameterNotApplicable,
                ask(interface, &crossed),
            ),
        ]);
    }
    for (interface, reason, sent) in table {
        score.refused(interface, reason, sent).await;
    }
}

/// Cards whose state or equipment does not permit what is asked.
pub(crate) async fn cards(score: &mut Score<'_>) {
    let door = score.door;
    let apply = |eid: &str, province: &str| {
        Sent::get(format!(
            "/v1/write/apply?eid={eid}&write_type=1&province_code={province}"
        ))
        .bearer(&door.one.token)
    };
    score
        .refused(&WRITE_APPLY, Reason::UnknownChip, apply(UNKNOWN_EID, "37"))
        .await;
    score
        .refused(
            &WRITE_APPLY,
            Reason::ProvinceWithoutNumber,
            apply(door.eid(6), "11"),
        )
        .await;
    // A refused application may be corrected.
    assert_eq!(door.send(apply(door.eid(6), "37")).await.status, 200);
    score
        .refused(&WRITE_APPLY, Reason::ApplicationPending, apply(door.eid(6), "11"))
        .await;

    door.admin_post(
        "/admin/v1/chips:fault",
        json!({"eid": door.eid(7), "faulty": true}),
    )
    .await;
    score
        .refused(&WRITE_APPLY, Reason::ChipFaulty, apply(door.eid(7), "37"))
        .await;

    // All of 5 MB is used by one session that writes and then loses its link.
    door.applied(8).await;
    let (session, _) = door.session(8).await;
    let lost = json!({"session_id": session, "seq": 1, "event": {"kind": "closed", "reason": "link"},
        "bytes_up": 5_000_000, "bytes_down": 0});
    let sent = Sent::post("/internal/gateway/report", "application/json", lost.to_string());
    door.send(sent.bearer(&door.secret("gateway_secret"))).await;
    door.session(8).await;
    score
        .refused(&WRITE_APPLY, Reason::AllowanceExhausted, apply(door.eid(8), "37"))
        .await;

    door.written(9).await;
    score
        .refused(&WRITE_APPLY, Reason::AlreadyWritten, apply(door.eid(9), "37"))
        .await;
    let cancel = |eid: &str| Sent::get(format!("/v1/write/cancel?eid={eid}")).bearer(&door.one.token);
    score
        .refused(&WRITE_CANCEL, Reason::WrongState, cancel(door.eid(9)))
        .await;
    score
        .refused(&WRITE_CANCEL, Reason::WrongState, cancel(door.eid(10)))
        .await;

    let a_year = 365 * DAY_MS;
    door.pass(a_year);
    let token = door.token(&door.one.id, &door.one.secret).await;
    let late = Sent::get(format!(
        "/v1/write/apply?eid={}&write_type=1&province_code=37",
        door.eid(11)
    ));
    score
        .refused(&WRITE_APPLY, Reason::TemporaryNumberExpired, late.bearer(&token))
        .await;
    door.pass(-a_year);
}

/// Data cards that cannot be had.
pub(crate) async fn numbers(score: &mut Score<'_>) {
    let door = score.door;
    let numbers = &door.inventory.numbers;
    let apply = |chip: usize, iccid: &str, msisdn: &str| {
        let target = format!(
            "/v1/write/apply?eid={}&write_type=0&iccid={iccid}&msisdn={msisdn}",
            door.eid(chip)
        );
        Sent::get(target).bearer(&door.one.token)
    };
    let of = |chip, number: usize| apply(chip, &numbers[number].iccid, &numbers[number].msisdn);
    score
        .refused(&WRITE_APPLY, Reason::UnknownNumber, of(12, 19))
        .await;
    // Another client's card is unknown, not forbidden.
    score
        .refused(&WRITE_APPLY, Reason::UnknownNumber, of(12, 18))
        .await;
    let crossed = apply(12, &numbers[17].iccid, &numbers[16].msisdn);
    score.refused(&WRITE_APPLY, Reason::NumberMismatch, crossed).await;
    assert_eq!(door.send(of(12, 17)).await.status, 200);
    score.refused(&WRITE_APPLY, Reason::NumberTaken, of(13, 17)).await;
    door.admin_post("/admin/v1/numbers:suspend", json!({"iccid": numbers[16].iccid}))
        .await;
    score
        .refused(&WRITE_APPLY, Reason::NumberSuspended, of(13, 16))
        .await;
    door.admin_post("/admin/v1/numbers:resume", json!({"iccid": numbers[16].iccid}))
        .await;
    assert_eq!(door.send(of(13, 16)).await.status, 200);
    assert_eq!(
        door.send(call(door, &interface::WRITE_PROVINCES)).await.status,
        200
    );
}
