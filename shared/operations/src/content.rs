//! What a file says of a chip or a number beside what is stored of it, column by column.
//!
//! Of a difference, both values are shown masked, and of key material nothing.

use super::Context;
use domain::error::{Error, Reason};
use domain::{Volume, mask_identifiers};
use store::{Held, chip, chip_content::ChipContent, number, number_content::NumberContent};
use vault::{Column, Zeroizing};

/// The columns of the key material of a chip. Another value of one of them for a known EID is a second chip.
pub(super) const CHIP_KEYS: [&str; 3] = ["psk_identity", "psk_wrapped", "dek_wrapped"];

/// The columns of the key material of a number. Each has a value, until it is destroyed.
pub(super) const NUMBER_KEYS: [&str; 2] = ["k_wrapped", "opc_wrapped"];

/// The values of a row, each with the name of its column in a file.
pub(super) type Content = Vec<(&'static str, Zeroizing<Vec<u8>>)>;

/// A column of which a file and the database say different things.
#[derive(Debug)]
pub(super) struct Difference {
    /// Its name.
    pub(super) column: &'static str,
    pub(super) stored: String,
    pub(super) given: String,
    /// Whether it is stored no more: K and OPc of a number that was written.
    pub(super) is_destroyed: bool,
}

/// The values of a chip.
pub(super) fn chip<D>(cx: &Context<'_, D>, chip: &ChipContent) -> Result<Content, Error> {
    let row = chip.eid_index.as_bytes();
    let open = |column: Column, sealed: &Vec<u8>| cx.vault.open(column, row, sealed);
    let maybe = |column: Column, sealed: Option<&Vec<u8>>| {
        let opened = sealed.map(|sealed| open(column, sealed)).transpose();
        opened.map(Option::unwrap_or_default)
    };
    let identity = chip.psk_identity.as_ref().map(|(_, sealed)| sealed);
    let identity = maybe(chip::PSK_IDENTITY, identity)?;
    Ok(vec![
        ("client_id", text(chip.client_id.as_str())),
        ("chip_model", text(&chip.chip_model)),
        ("profile", text(&chip.profile)),
        ("network_type", text(&chip.network)),
        ("temp_msisdn", open(chip::TEMP_MSISDN, &chip.temp_msisdn_sealed)?),
        ("temp_iccid", open(chip::TEMP_ICCID, &chip.temp_iccid_sealed)?),
        ("temp_imsi", open(chip::TEMP_IMSI, &chip.temp_imsi_sealed)?),
        ("temp_opened_on", text(&chip.temp_opened_on)),
        (
            "allowance_mb",
            text(&Volume::from_bytes(chip.allowance_bytes).mb()),
        ),
        ("imei", maybe(chip::IMEI, chip.imei_sealed.as_ref())?),
        ("psk_identity", text(&hex::encode(&identity))),
        ("key_version", text(&chip.key_version.to_string())),
        ("psk_wrapped", maybe(chip::PSK, chip.psk_sealed.as_ref())?),
        ("dek_wrapped", maybe(chip::DEK, chip.dek_sealed.as_ref())?),
    ])
}

/// The values of a number.
pub(super) fn number<D>(cx: &Context<'_, D>, number: &NumberContent) -> Result<Content, Error> {
    let row = number.iccid_index.as_bytes();
    let open = |column: Column, sealed: &[u8]| cx.vault.open(column, row, sealed);
    Ok(vec![
        ("msisdn", open(number::MSISDN, &number.msisdn_sealed)?),
        ("imsi", open(number::IMSI, &number.imsi_sealed)?),
        ("province_code", text(&number.province)),
        ("smsc", text(number.smsc.as_deref().unwrap_or_default())),
        ("services", text(&number.services)),
        (
            "client_id",
            text(number.client_id.as_ref().map_or("", |id| id.as_str())),
        ),
        ("k_wrapped", open(number::K, &number.k_sealed)?),
        ("opc_wrapped", open(number::OPC, &number.opc_sealed)?),
    ])
}

fn text(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

/// The columns in which two rows of one kind differ.
pub(super) fn differences(stored: Content, given: Content) -> Vec<Difference> {
    let pairs = stored.into_iter().zip(given);
    let differing = pairs.filter(|((_, stored), (_, given))| stored != given);
    differing
        .map(|((column, stored), (_, given))| Difference {
            column,
            is_destroyed: stored.is_empty() && NUMBER_KEYS.contains(&column),
            stored: shown(column, &stored),
            given: shown(column, &given),
        })
        .collect()
}

/// A value as an error shows it.
fn shown(column: &str, value: &[u8]) -> String {
    if column.ends_with("_wrapped") {
        return "****".to_owned();
    }
    mask_identifiers(&String::from_utf8_lossy(value))
}

/// The error that a row says something else than what is stored; none when it does not.
pub(super) fn conflict(differences: &[Difference]) -> Option<Error> {
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    for Difference {
        column,
        stored,
        given,
        ..
    } in differences
    {
        zh.push(format!("{column} 已登记为“{stored}”，文件中为“{given}”"));
        en.push(format!(
            "{column} is stored as \"{stored}\", the file says \"{given}\""
        ));
    }
    let error = Error::new(Reason::ImportConflict).with_detail(zh.join("；"), en.join("; "));
    differences.first().map(|first| error.with_field(first.column))
}

/// The error that another chip or number has a value that can be had only once. `own` is the identifier of the row, and
/// `column` the sealed column of the other one's.
pub(super) fn held_error<D>(
    cx: &Context<'_, D>,
    (name, index, sealed): &Held,
    column: Column,
    own: &str,
) -> Result<Error, Error> {
    let other = cx.vault.open_identifier(column, index.as_bytes(), sealed)?;
    let (other, own) = (mask_identifiers(&other), mask_identifiers(own));
    let error = Error::new(Reason::ImportConflict).with_detail(
        format!("{name} 属于 {other}，不属于 {own}"),
        format!("{name} belongs to {other}, not to {own}"),
    );
    Ok(error.with_field(name))
}
