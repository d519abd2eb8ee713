//! §5.3.1.2: what is in the database file, and what is not.

use domain::FailureKind;
use operations::{
    AttemptResult, Caller, CreatedClient, DueRequest, Topic, due_messages, issue_token, record_attempt,
    status,
};
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv, eid, key_of, wrapped};
use test_support::operations::{World, automatic, ip, run};
use test_support::settings::{sealing_key, vault};

use super::operator_reports::{ingest_lines, line, usage};

/// `text` as bytes in every form in which an identifier could lie in a file: as text, packed two digits
/// to a byte, and packed with the digits of each byte swapped; odd lengths padded with F at either end.
pub(crate) fn forms(text: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![text.as_bytes().to_vec(), text.to_lowercase().into_bytes()];
    let padded = if text.len().is_multiple_of(2) {
        vec![text.to_owned()]
    } else {
        vec![format!("{text}F"), format!("F{text}"), format!("0{text}")]
    };
    for digits in padded {
        if let Ok(packed) = hex::decode(&digits) {
            forms.push(packed.iter().map(|byte| byte.rotate_left(4)).collect());
            forms.push(packed);
        }
    }
    forms
}

pub(crate) fn found(file: &[u8], needle: &[u8]) -> bool {
    file.windows(needle.len()).any(|window| window == needle)
}

/// Every identifier, key and secret of the test, in every form.
fn needles(chips: &[ChipCsv], client: &CreatedClient) -> Vec<Vec<u8>> {
    let mut needles: Vec<Vec<u8>> = Vec::new();
    for chip in chips {
        for text in [&chip.eid, &chip.temp_msisdn, &chip.temp_iccid, &chip.temp_imsi] {
            needles.extend(forms(text));
        }
    }
    for n in 0..3 {
        let number = NumberCsv::new(n);
        for text in [
            &number.iccid,
            &number.msisdn,
            &number.imsi,
            &number.k_wrapped,
            &number.opc_wrapped,
        ] {
            needles.extend(forms(text));
        }
        for key in [key_of(n, 0x4b), key_of(n, 0x0c)] {
            needles.extend([key.to_vec(), hex::encode(key).into_bytes()]);
        }
    }
    needles.extend(forms("350000000000001"));
    needles.extend(forms("13800138000"));
    needles.extend(forms(&wrapped([0x5a; 16])));
    needles.extend([vec![0x5a; 16], vec![0xa5; 16], b"identity-1".to_vec()]);
    for secret in [&client.client_secret, &client.callback_secret] {
        needles.push(secret.as_bytes()[6..].to_vec());
    }
    needles
}

#[test]
fn no_identifier_and_no_key_lies_in_the_database_file() {
    test_support::of_sqlite!();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let client = world.client();
    let caller = Caller {
        id: client.client_id.clone(),
    };
    let chips = [
        ChipCsv::new(0),
        ChipCsv {
            psk: Some([0x5a; 16]),
            psk_identity: hex::encode("identity-1"),
            ..ChipCsv::new(1)
        },
    ];
    world.chips(&caller.id, &chips);
    world.numbers(&[
        NumberCsv::new(0),
        NumberCsv::new(1),
        NumberCsv::of_province(2, "11"),
    ]);
    run(issue_token(
        &world.cx(),
        caller.id.as_str(),
        &client.client_secret,
        ip("198.51.100.1"),
    ))
    .unwrap();
    world.apply(&caller, &automatic(&eid_text(0), "65")).unwrap_err();
    world.write_chip(&caller, 0);
    world.fail_chip(&caller, 1, FailureKind::CardError);
    for message in run(due_messages(&world.cx(), DueRequest::ALL)).unwrap() {
        let refused = AttemptResult::Refused {
            status: Some(500),
            error: "HTTP 500".to_owned(),
            retry_after_secs: None,
        };
        run(record_attempt(&world.cx(), message.id, message.attempt, &refused)).unwrap();
    }
    for (topic, reported) in [
        (Topic::Usage, usage(0, "1.5", "08:00:00")),
        (
            Topic::Location,
            line(0, r#""city":"qibiao-city","as_of":"2026-07-01T08:00:00+08:00""#),
        ),
    ] {
        assert_eq!(ingest_lines(&world, topic, &[reported]).accepted, 1);
    }

    let needles = needles(&chips, &client);
    let mut bytes = 0;
    for name in ["xieka.db", "xieka.db-wal"] {
        let file = std::fs::read(folder.path().join(name)).unwrap();
        bytes += file.len();
        for needle in &needles {
            assert!(
                !found(&file, needle),
                "{name} holds {}",
                String::from_utf8_lossy(needle)
            );
        }
        // What is not secret is there, so the search does find what it looks for.
        assert!(name == "xieka.db" || found(&file, b"qibiao-seed"));
    }
    assert!(bytes > 0);
}

#[test]
fn the_search_finds_every_form_it_looks_for() {
    assert!(forms("460071000000001").contains(&hex::decode("64001700000000f1").unwrap()));
    assert!(forms(&eid_text(0)).contains(&hex::decode(eid_text(0)).unwrap()));
    assert!(found(b"abc", b"bc") && !found(b"abc", b"cb"));
}

#[test]
fn rows_sealed_under_an_old_key_still_open_and_new_ones_use_the_new_key() {
    let mut world = World::new();
    let caller = world.stocked(1, 1);
    world.vault = vault(&format!("{},{}", sealing_key(2), sealing_key(1)));
    let what = operations::TaskRef::Eid(eid(0));
    assert_eq!(run(status(&world.cx(), &caller, &what)).unwrap().eid, eid(0));
    world.chips(&caller.id, &[ChipCsv::new(1)]);
    assert_eq!(
        world.column("SELECT hex(substr(eid_sealed, 2, 1)) FROM chip ORDER BY rowid"),
        ["01", "02"]
    );
    world.vault = vault(&sealing_key(2));
    assert!(run(status(&world.cx(), &caller, &what)).is_err());
}

#[test]
fn values_moved_to_another_row_do_not_open() {
    let world = World::new();
    let caller = world.stocked(2, 0);
    world.execute("UPDATE chip SET eid_sealed = (SELECT eid_sealed FROM chip ORDER BY rowid LIMIT 1)");
    let look = |n| run(status(&world.cx(), &caller, &operations::TaskRef::Eid(eid(n))));
    assert!(look(0).is_ok());
    assert!(look(1).is_err());
}
