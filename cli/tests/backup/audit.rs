//! `xieka audit verify` and `xieka audit export`: what was done to the trail is named, and the script of the documents finds
//! the same in an export.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use domain::{DAY_MS, Right};
use operations::{Act, Job, MaintenanceSettings, Restored, record_restore, revoke_tokens, run_job};
use serde_json::json;
use store::audit::{self, AuditHead};
use test_support::operations::{MAINTENANCE, World, run};

use super::{Platform, printed, problem};

/// A platform whose trail has five rows.
fn with_trail() -> Platform {
    let platform = Platform::new();
    let client = platform.world.client().client_id;
    for _ in 0..5 {
        platform.world.pass(1_000);
        end_tokens(&platform.world, &client);
    }
    platform
}

/// Ends the tokens of a client, as an act of staff.
fn end_tokens(world: &World, client: &domain::ClientId) {
    let act = Act::new(
        "admin_secret".to_owned(),
        Right::ClientsRevokeTokens,
        "203.0.113.9".to_owned(),
        "request-1".to_owned(),
    );
    run(revoke_tokens(&world.cx().acting(Some(&act)), client)).unwrap();
}

fn end(platform: &Platform) -> AuditHead {
    run(audit::last(&platform.world.db)).unwrap()
}

/// A head as a receiver has it: the body of its message.
fn message(head: &AuditHead) -> String {
    let (seq, at_ms) = (head.seq.to_string(), head.at.millis().to_string());
    json!({"topic": "audit_head", "seq": seq, "hash": hex::encode(head.hash), "at_ms": at_ms}).to_string()
}

/// Verifies the trail against these lines.
fn verify(platform: &Platform, lines: &str, others: &[&str]) -> Output {
    fs::write(platform.path("heads.ndjson"), lines).unwrap();
    let mut words = vec!["audit", "verify", "--data", "@data", "--heads", "@heads.ndjson"];
    words.extend(others);
    platform.xieka(&words)
}

#[test]
fn a_whole_trail_is_said_to_be_whole_and_with_how_many_heads_it_was_compared() {
    let platform = with_trail();
    let head = end(&platform);
    let text = printed(&verify(&platform, &format!("\n{}\n\n", message(&head)), &[]));
    let hash = hex::encode(head.hash);
    assert_eq!(
        text,
        format!("the audit trail is whole: 5 rows, the last is 5 with hash {hash}; compared with 1 heads\n")
    );
}

#[test]
fn what_was_done_to_the_trail_is_named() {
    for (sql, named) in [
        (
            "UPDATE audit SET who = 'another' WHERE seq = 3",
            "row 3 is not what its hash says",
        ),
        ("DELETE FROM audit WHERE seq IN (2, 3)", "rows 2 to 3 are missing"),
        (
            "DELETE FROM audit WHERE seq > 3",
            "the trail ends with row 3, but head 5 was sent",
        ),
        (
            "INSERT INTO audit_cut (id, seq, at, hash) SELECT 1, seq, at, hash FROM audit WHERE seq = 2; \
             DELETE FROM audit WHERE seq <= 2",
            "the rows up to 2 are gone",
        ),
    ] {
        let platform = with_trail();
        let head = message(&end(&platform));
        platform.world.execute(sql);
        let (code, text) = problem(&verify(&platform, &head, &[]));
        assert_eq!(code, 19, "{sql}: {text}");
        assert!(text.contains(named), "{sql}: {text}");
    }
}

#[test]
fn a_head_of_the_branch_that_a_restore_ended_is_excused_by_the_name_of_its_backup() {
    let platform = with_trail();
    let lost = AuditHead {
        seq: 7,
        hash: [9; 32],
        ..end(&platform)
    };
    platform.world.pass(1_000);
    let restored = Restored {
        backup_id: "0123456789abcdef",
        backup_at: platform.world.time(),
        no_writes_since: None,
    };
    run(record_restore(
        &platform.world.db,
        &restored,
        platform.world.time(),
    ))
    .unwrap();
    let (code, text) = problem(&verify(&platform, &message(&lost), &[]));
    assert_eq!(code, 19, "{text}");
    let named = ["--restored", "0123456789abcdef"];
    let text = printed(&verify(&platform, &message(&lost), &named));
    assert!(
        text.contains("1 of them are of the branch before the restore"),
        "{text}"
    );
}

#[test]
fn a_line_that_is_no_head_and_a_file_that_is_not_there_are_named() {
    let platform = with_trail();
    let head = message(&end(&platform));
    for line in [
        "{}".to_owned(),
        "seq 5".to_owned(),
        head.replace("\"5\"", "5"),
        head.replace("\"5\"", "\"-5\""),
        head.replacen("hash\":\"", "hash\":\"0", 1),
    ] {
        let (_, text) = problem(&verify(&platform, &format!("{head}\n{line}"), &[]));
        assert!(
            text.contains("no message of the topic audit_head"),
            "{line}: {text}"
        );
    }
    let absent = ["audit", "verify", "--data", "@data", "--heads", "@absent"];
    let (_, text) = problem(&platform.xieka(&absent));
    assert!(text.contains("cannot read"), "{text}");
}

/// Exports the trail.
fn export(platform: &Platform) -> Output {
    platform.xieka(&["audit", "export", "@trail.ndjson", "--data", "@data"])
}

#[test]
fn an_export_never_takes_the_place_of_a_file() {
    let platform = with_trail();
    fs::write(platform.path("trail.ndjson"), "kept").unwrap();
    let (_, text) = problem(&export(&platform));
    assert!(text.contains("cannot write"), "{text}");
    assert_eq!(fs::read_to_string(platform.path("trail.ndjson")).unwrap(), "kept");
}

/// The script of a page: the first block of Python in it.
fn script(page: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let text = fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once("```python\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// What the script says of an export of the trail, and whether it is content.
fn scripted(platform: &Platform, head: &AuditHead) -> (bool, String) {
    printed(&export(platform));
    let program = platform.path("verify.py");
    fs::write(&program, script("audit.md")).unwrap();
    let output = Command::new("python3")
        .arg(program)
        .arg(platform.path("trail.ndjson"))
        .arg(format!("{}:{}", head.seq, hex::encode(head.hash)))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.stderr.is_empty(), "{output:?}");
    (output.status.success(), text)
}

#[test]
fn the_script_of_the_page_finds_the_same_in_an_export() {
    assert_eq!(script("audit.md"), script("audit.zh-CN.md"));
    assert!(script("audit.md").lines().count() <= 20);
    let (is_whole, text) = {
        let platform = with_trail();
        scripted(&platform, &end(&platform))
    };
    assert!(is_whole, "{text}");
    for (sql, expected) in [
        ("UPDATE audit SET who = 'another' WHERE seq = 3", "row 3"),
        ("DELETE FROM audit WHERE seq = 3", "row 3"),
        ("DELETE FROM audit WHERE seq <= 2", "row 1"),
        ("DELETE FROM audit WHERE seq > 3", "head 5"),
    ] {
        let platform = with_trail();
        let head = end(&platform);
        platform.world.execute(sql);
        let (is_whole, text) = scripted(&platform, &head);
        assert!(!is_whole && text.contains(expected), "{sql}: {text}");
    }
}

#[test]
fn a_trail_whose_first_days_were_destroyed_is_whole_for_the_command_and_for_the_script() {
    let platform = with_trail();
    let first = end(&platform);
    platform.world.pass(200 * DAY_MS);
    let client = platform.world.client().client_id;
    end_tokens(&platform.world, &client);
    let settings = MaintenanceSettings {
        retention: MAINTENANCE.retention.with("audit_days", 185).unwrap(),
        ..MAINTENANCE
    };
    run(run_job(&platform.world.cx(), Job::Retention, &settings)).unwrap();
    assert_eq!(
        platform
            .world
            .column("SELECT CAST(seq AS TEXT) FROM audit ORDER BY seq"),
        ["6", "7"]
    );
    let text = printed(&verify(&platform, &message(&first), &[]));
    assert!(text.contains("2 rows, the last is 7"), "{text}");
    for head in [first, end(&platform)] {
        fs::remove_file(platform.path("trail.ndjson")).ok();
        let (is_whole, text) = scripted(&platform, &head);
        assert!(is_whole, "{text}");
    }
}
