//! Whether a profile agrees with itself; serde has already checked names and types.
//!
//! It must never repair: a profile that contradicts itself is refused, and the message names both statements.

use anyhow::{bail, ensure};

use super::{EfKind, IccidPolicy, IdentitySwitch, KeyMaterial, KeyValue, Profile, RefreshHow};

/// Most bytes of one script, so that it fits into one TLS record with its HTTP header.
const MAX_SCRIPT_BYTES: usize = 15 * 1024;
/// Fewest: the key command with its SELECTs must fit.
const MIN_SCRIPT_BYTES: usize = 128;
const MAX_FILES: usize = 64;
const MAX_KEY_FIELDS: usize = 8;
/// Longest name: the inventory keeps no longer one.
const MAX_NAME_BYTES: usize = 64;
/// Most bytes of a file of kind `fixed`: what one UPDATE carries.
const MAX_CONTENT_BYTES: usize = 255;
/// REFRESH modes that need no list of files and reach the IMSI (TS 102 223 §8.6); 1 and 2 need one.
const REFRESH_QUALIFIERS: [u8; 5] = [0, 3, 4, 5, 6];

/// Checks that the profile agrees with itself.
///
/// # Errors
/// The field and what is wrong with it.
pub(super) fn check(profile: &Profile) -> anyhow::Result<()> {
    ensure!(
        (1..=MAX_NAME_BYTES).contains(&profile.name.len())
            && profile
                .name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
        "name: expected up to {MAX_NAME_BYTES} of a to z, 0 to 9 and -"
    );
    ensure!(!profile.models.is_empty(), "models: name at least one");
    ensure!(
        (MIN_SCRIPT_BYTES..=MAX_SCRIPT_BYTES).contains(&profile.max_script_bytes),
        "max_script_bytes: expected {MIN_SCRIPT_BYTES} to {MAX_SCRIPT_BYTES}"
    );
    ensure!(matches!(profile.mnc_digits, 2 | 3), "mnc_digits: expected 2 or 3");
    check_files(profile)?;
    check_lists(profile)?;
    if let Some(key_material) = &profile.key_material {
        check_key_material(key_material)?;
    }
    check_identity_switch(profile)?;
    ensure!(
        profile.refresh.how == RefreshHow::Automatic
            || REFRESH_QUALIFIERS.contains(&profile.refresh.qualifier),
        "refresh.qualifier: expected one of {REFRESH_QUALIFIERS:?}"
    );
    Ok(())
}

fn check_files(profile: &Profile) -> anyhow::Result<()> {
    let files = &profile.files;
    ensure!(
        (1..=MAX_FILES).contains(&files.len()),
        "file: expected 1 to {MAX_FILES} files"
    );
    for (at, file) in files.iter().enumerate() {
        let (path, name) = (&file.path, file.name());
        let before = &files[..at];
        ensure!(
            !before
                .iter()
                .any(|other| other.path == file.path && other.record == file.record),
            "file {path}: listed twice"
        );
        ensure!(
            file.ef == EfKind::Fixed || !before.iter().any(|other| other.ef == file.ef),
            "file {path}: another file is {name} already"
        );
        match (file.ef, file.record) {
            (_, Some(0 | 0xFF)) => bail!("file {path}: record: expected 1 to 254"),
            (ef, None) if ef.has_records() => bail!("file {path}: record is missing, {name} has records"),
            (ef, Some(_)) if !ef.has_records() && ef != EfKind::Fixed => {
                bail!("file {path}: record is given, {name} has none")
            }
            _ => {}
        }
        let given = file.content().len();
        ensure!(
            (file.ef == EfKind::Fixed) == (given > 0),
            "file {path}: content belongs to files of kind fixed, and to each of them"
        );
        ensure!(
            given <= MAX_CONTENT_BYTES,
            "file {path}: content: more than {MAX_CONTENT_BYTES} bytes"
        );
    }
    match profile.position(EfKind::Imsi) {
        Some(imsi) => ensure!(
            !files[imsi].optional,
            "file {}: EF_IMSI cannot be optional",
            files[imsi].path
        ),
        None => bail!("file: EF_IMSI is missing"),
    }
    ensure!(
        profile.iccid == IccidPolicy::Keep || profile.position(EfKind::Iccid).is_some(),
        "iccid: not \"keep\", but no file is EF_ICCID"
    );
    Ok(())
}

fn check_lists(profile: &Profile) -> anyhow::Result<()> {
    let efs = &profile.read_back.efs;
    for (at, ef) in efs.iter().enumerate() {
        let name = ef.name();
        ensure!(
            profile.position(*ef).is_some(),
            "read_back.efs: {name} is no file of this profile"
        );
        ensure!(
            !ef.is_location() && *ef != EfKind::Powerups,
            "read_back.efs: the module itself changes {name}"
        );
        ensure!(!efs[..at].contains(ef), "read_back.efs: {name} is named twice");
    }
    ensure!(efs.contains(&EfKind::Imsi), "read_back.efs: EF_IMSI is missing");
    ensure!(
        profile.iccid == IccidPolicy::Write || !efs.contains(&EfKind::Iccid),
        "read_back.efs: EF_ICCID is named, but iccid is not \"write\": the card may keep its own"
    );
    ensure!(
        !profile.verify.registered.is_empty(),
        "verify.registered: name at least one file"
    );
    for fid in &profile.verify.registered {
        ensure!(
            profile
                .files
                .iter()
                .any(|file| file.path.fid() == fid.0 && file.ef.is_location()),
            "verify.registered: {:04X} is no loci, psloci or epsloci file of this profile",
            fid.0
        );
    }
    Ok(())
}

fn check_key_material(key_material: &KeyMaterial) -> anyhow::Result<()> {
    let fields = &key_material.fields;
    ensure!(
        (1..=MAX_KEY_FIELDS).contains(&fields.len()),
        "key_material.fields: expected 1 to {MAX_KEY_FIELDS}"
    );
    for (at, field) in fields.iter().enumerate() {
        ensure!(
            field.tag & 0x1F != 0x1F && field.tag != 0,
            "key_material.fields: {:02X} is no tag of one byte",
            field.tag
        );
        ensure!(
            !fields[..at].iter().any(|other| other.tag == field.tag),
            "key_material.fields: tag {:02X} is given twice",
            field.tag
        );
    }
    ensure!(
        fields.iter().any(|field| field.value == KeyValue::K),
        "key_material.fields: none of them holds k"
    );
    Ok(())
}

fn check_identity_switch(profile: &Profile) -> anyhow::Result<()> {
    let carries_imsi = profile
        .key_material
        .as_ref()
        .is_some_and(|keys| keys.fields.iter().any(|field| field.value == KeyValue::Imsi));
    let in_one = profile.identity_switch == IdentitySwitch::OneCommand;
    ensure!(
        carries_imsi || !in_one,
        "identity_switch: \"one-command\", but no field of key_material holds imsi"
    );
    ensure!(
        in_one || !carries_imsi,
        "key_material.fields: imsi is given, but identity_switch is not \"one-command\""
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::SHIPPED;
    use super::*;

    /// The error of the shipped profile for seed cards after one edit.
    fn error_after(from: &str, to: &str) -> String {
        let text = SHIPPED[1];
        assert!(text.contains(from), "the profile lacks {from:?}");
        match Profile::parse(&text.replacen(from, to, 1)) {
            Ok(_) => panic!("{to:?} was accepted"),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn the_shipped_profiles_are_consistent() {
        for text in SHIPPED {
            Profile::parse(text).unwrap();
        }
    }

    /// The text to replace, its replacement, and a part of the expected message.
    const FAULTS: &[(&str, &str, &str)] = &[
        (
            "name = \"qibiao-seed\"",
            "name = \"Qibiao Seed\"",
            "name: expected",
        ),
        ("name = \"qibiao-seed\"", "", "missing field `name`"),
        (
            "models = [\"QB-SEED-4G\", \"QB-SEED-NB\"]",
            "models = []",
            "models: name at least one",
        ),
        ("mnc_digits = 2", "mnc_digits = 4", "mnc_digits"),
        (
            "mnc_digits = 2",
            "mnc_digits = 2\nsurprise = 1",
            "unknown field `surprise`",
        ),
        (
            "max_script_bytes = 1024",
            "max_script_bytes = 16000",
            "max_script_bytes",
        ),
        (
            "max_script_bytes = 1024",
            "max_script_bytes = 64",
            "max_script_bytes",
        ),
        ("rfm_aid = \"A00000055910100001\"", "rfm_aid = \"A000\"", "AID"),
        ("rfm_aid = \"A00000055910100001\"", "rfm_aid = \"zz\"", "AID"),
        ("usim_aid = \"A0000000871002\"", "usim_aid = \"A0\"", "AID"),
        ("style = \"fid\"", "style = \"sfi\"", "unknown variant `sfi`"),
        (
            "iccid = \"write\"",
            "iccid = \"never\"",
            "unknown variant `never`",
        ),
        ("path = \"ADF/6F40\"", "path = \"6F40\"", "expected 3F00/"),
        (
            "path = \"ADF/6F40\"",
            "path = \"7F10/6F40\"",
            "expected 3F00 or ADF",
        ),
        (
            "path = \"ADF/6F40\"",
            "path = \"ADF/6F4\"",
            "four hexadecimal digits",
        ),
        (
            "path = \"ADF/6F40\"",
            "path = \"ADF/+6F4\"",
            "four hexadecimal digits",
        ),
        (
            "path = \"ADF/6F40\"",
            "path = \"ADF/1111/2222/3333/4444/6F40\"",
            "more than 4 levels",
        ),
        ("path = \"ADF/6F78\"", "path = \"ADF/6F07\"", "listed twice"),
        ("ef = \"acc\"", "ef = \"ad\"", "EF_AD already"),
        ("ef = \"acc\"", "ef = \"puk\"", "unknown variant `puk`"),
        ("ef = \"acc\"", "ef = \"acc\"\nrecord = 1", "EF_ACC has none"),
        ("ef = \"acc\"", "ef = \"acc\"\ncontent = \"00\"", "kind fixed"),
        ("ef = \"acc\"", "ef = \"fixed\"", "kind fixed"),
        (
            "ef = \"acc\"",
            "ef = \"fixed\"\ncontent = \"0\"",
            "not hexadecimal",
        ),
        (
            "ef = \"msisdn\"\nrecord = 1",
            "ef = \"msisdn\"",
            "record is missing",
        ),
        (
            "ef = \"msisdn\"\nrecord = 1",
            "ef = \"msisdn\"\nrecord = 0",
            "expected 1 to 254",
        ),
        (
            "ef = \"imsi\"",
            "ef = \"imsi\"\noptional = true",
            "EF_IMSI cannot be optional",
        ),
        (
            "ef = \"imsi\"",
            "ef = \"fixed\"\ncontent = \"00\"",
            "EF_IMSI is missing",
        ),
        (
            "ef = \"iccid\"",
            "ef = \"fixed\"\ncontent = \"00\"",
            "no file is EF_ICCID",
        ),
        (
            "iccid = \"write\"",
            "iccid = \"optional\"",
            "EF_ICCID is named, but iccid is not \"write\"",
        ),
        (
            "iccid = \"write\"",
            "iccid = \"keep\"",
            "EF_ICCID is named, but iccid is not \"write\"",
        ),
        (
            "\"ad\", \"imsi\"]",
            "\"ad\"]",
            "read_back.efs: EF_IMSI is missing",
        ),
        (
            "\"ad\", \"imsi\"]",
            "\"loci\", \"imsi\"]",
            "the module itself changes EF_LOCI",
        ),
        ("\"ad\", \"imsi\"]", "\"imsi\", \"imsi\"]", "named twice"),
        (
            "\"ad\", \"imsi\"]",
            "\"fixed\", \"imsi\"]",
            "is no file of this profile",
        ),
        (
            "registered = [\"6F7E\", \"6FE3\"]",
            "registered = []",
            "verify.registered",
        ),
        (
            "registered = [\"6F7E\", \"6FE3\"]",
            "registered = [\"6F07\"]",
            "6F07 is no loci",
        ),
        ("qualifier = 4", "qualifier = 1", "refresh.qualifier"),
        (
            "how = \"immediate-action\"",
            "how = \"later\"",
            "unknown variant `later`",
        ),
        (
            "{ tag = 0x82, value = \"opc\" }",
            "{ tag = 0x81, value = \"opc\" }",
            "tag 81 is given twice",
        ),
        (
            "{ tag = 0x82, value = \"opc\" }",
            "{ tag = 0x9F, value = \"opc\" }",
            "no tag of one byte",
        ),
        (
            "{ tag = 0x81, value = \"k\" }",
            "{ tag = 0x81, value = \"kcv-opc\" }",
            "none of them holds k",
        ),
        (
            "wrapping = \"aes-cbc-dek\"",
            "wrapping = \"none\"",
            "unknown variant `none`",
        ),
        ("p2 = \"key-version\"", "p2 = \"kid\"", "did not match"),
        (
            "identity_switch = \"one-command\"",
            "identity_switch = \"never\"",
            "unknown variant `never`",
        ),
        (
            "identity_switch = \"one-command\"",
            "identity_switch = \"card-fallback\"",
            "imsi is given, but identity_switch is not",
        ),
        (
            "    { tag = 0x84, value = \"imsi\" },\n",
            "",
            "no field of key_material holds imsi",
        ),
    ];

    #[test]
    fn every_fault_of_a_profile_is_named() {
        for (from, to, expected) in FAULTS {
            let error = error_after(from, to);
            assert!(error.contains(expected), "{to:?}: {error:?} lacks {expected:?}");
        }
    }

    #[test]
    fn a_profile_whose_switch_is_not_atomic_names_the_two_commands() {
        let two = SHIPPED[1].replace("    { tag = 0x84, value = \"imsi\" },\n", "");
        let with = |switch: &str| two.replace("identity_switch = \"one-command\"\n", switch);
        let warning = |text: &str| Profile::parse(text).unwrap().warning();
        for text in [with(""), with("identity_switch = \"separate\"\n")] {
            let warning = warning(&text).unwrap();
            assert!(
                warning.contains("(80 D8)") && warning.contains("EF_IMSI (ADF/6F07)"),
                "{warning}"
            );
        }
        for text in [
            SHIPPED[0].to_owned(),
            SHIPPED[1].to_owned(),
            with("identity_switch = \"commit-at-refresh\"\n"),
            with("identity_switch = \"card-fallback\"\n"),
        ] {
            assert_eq!(warning(&text), None);
        }
    }
}
