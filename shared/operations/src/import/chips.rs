//! Chips: `eid, chip_model, profile, network_type, temp_msisdn, temp_iccid, temp_imsi, temp_opened_on?,
//! allowance_mb, imei?, client_id?, psk_identity?, key_version, psk_wrapped?, dek_wrapped?, transport_key?`.
//!
//! A temporary number without `temp_opened_on` counts as opened on the day of the import, in the platform's zone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::columns::{ColumnError, RowReader};
use super::contradictions::Key;
use super::rules::{ColumnRule, optional, required};
use super::secrets::{hex_bytes, row_digest, unwrapped};
use super::store_chip::{Batch, SealedChip, add, store};
use super::warnings::Warnings;
use super::{ImportChoices, ImportReport, ImportedRow, MAX_ROWS_TOGETHER, Stored, checked, written};
use crate::Context;
use crate::announced::{Announced, GatewayWarning};
use domain::error::{Error, Reason};
use domain::{
    CardStatus, ClientId, Eid, Iccid, Imsi, Kind, Malformed, Msisdn, Network, TemporaryNumber, Timestamp,
    Volume, parse_chip_label, parse_date, parse_imei, warned_at,
};
use store::{
    Database, chip,
    chip_content::{ChipContent, NewChipRow},
    import::ImportKind,
};
use vault::{BlindIndex, IndexKind, Zeroizing};

const COLUMNS: &[ColumnRule] = &[
    required("eid", &["芯片EID", "EID号"]),
    required("chip_model", &["芯片型号", "型号"]),
    required("profile", &["卡片模板", "模板"]),
    required("network_type", &["网络类型", "网络制式"]),
    required("temp_msisdn", &["临时号码", "种子号码", "临时MSISDN"]),
    required("temp_iccid", &["临时ICCID", "临时号码ICCID", "种子ICCID"]),
    required("temp_imsi", &["临时IMSI", "临时号码IMSI", "种子IMSI"]),
    optional("temp_opened_on", &["开卡日期", "临时号码开卡日期"]),
    required("allowance_mb", &["测试流量", "测试流量MB"]),
    optional("imei", &[]),
    optional("client_id", &["业务需求方", "业务需求方标识"]),
    optional("psk_identity", &["PSK标识"]),
    required("key_version", &["密钥版本"]),
    optional("psk_wrapped", &["PSK密文"]),
    optional("dek_wrapped", &["DEK密文"]),
    optional("transport_key", &["传输密钥", "传输密钥名称"]),
];

/// Key versions of SCP81 keys (GlobalPlatform Amendment B §3.1).
const KEY_VERSIONS: std::ops::RangeInclusive<i64> = 0x40..=0x4f;
/// Bytes of a PSK.
const PSK_BYTES: std::ops::RangeInclusive<usize> = 16..=64;
/// Bytes of a DEK.
const DEK_BYTES: std::ops::RangeInclusive<usize> = 16..=16;
/// Longest PSK identity, in bytes.
const MAX_PSK_IDENTITY_BYTES: usize = 128;

/// Key material, wiped when dropped.
type Secret = Zeroizing<Vec<u8>>;

/// A row that passed the checks of its own values.
pub(super) struct Chip {
    eid: Eid,
    chip_model: String,
    profile: String,
    temporary: TemporaryNumber,
    /// The day of opening if the file states it, so that a repeated file has the same digest on another day.
    stated_opening: Option<Date>,
    expires_at: Timestamp,
    temp_msisdn: Msisdn,
    temp_iccid: Iccid,
    temp_imsi: Imsi,
    allowance: Volume,
    imei: Option<String>,
    client_id: ClientId,
    psk_identity: Option<Vec<u8>>,
    key_version: i64,
    psk: Option<Secret>,
    dek: Option<Secret>,
}

/// Imports chips. A row without `client_id` belongs to `default_client`. Rows are read, unwrapped and sealed before
/// the transaction begins, so that the write lock is held briefly. A new chip whose profile or key version no gateway
/// announced is refused, and so is a correction that sets one.
///
/// # Errors
/// [`Reason::BadCsv`] and [`Reason::BodyTooLarge`] for the file as a whole. A bad row is reported, and the other rows
/// are still imported.
pub async fn import_chips<D: Database>(
    cx: &Context<'_, D>,
    file: &[u8],
    default_client: Option<&ClientId>,
    choices: &ImportChoices<'_>,
) -> Result<ImportReport, Error> {
    let (good, report) = checked(cx, file, COLUMNS, choices, |row| {
        read(cx, row, default_client, choices)
    })?;
    written(cx, choices, ImportKind::Chip, async |tx, import| {
        let mut report = report.clone();
        let mut warnings = Warnings(std::mem::take(&mut report.warnings));
        let mut batch = Batch {
            import,
            choices,
            announced: Announced::read(tx).await?,
            known: BTreeMap::new(),
            added: BTreeSet::new(),
        };
        for chips in good.chunks(MAX_ROWS_TOGETHER) {
            add(cx, tx, chips, &mut batch).await?;
            for (line, chip) in chips {
                let (stored, warned) = store(cx, tx, chip, &mut batch).await?;
                if matches!(stored, Stored::New | Stored::Corrected) {
                    for GatewayWarning {
                        kind,
                        column,
                        gateways,
                    } in warned
                    {
                        warnings.add_known(kind, column.map(str::to_owned), *line, gateways);
                    }
                }
                report.count(*line, stored);
            }
        }
        report.warnings = warnings.0;
        Ok(report)
    })
    .await
}

impl ImportedRow for Chip {
    const COLUMNS: &'static [ColumnRule] = COLUMNS;

    type Sealed = SealedChip;

    fn keys(row: &RowReader<'_>, choices: &ImportChoices<'_>) -> Vec<Key> {
        let eid = |text: &str| Some(Eid::parse(text).ok()?.as_str().to_owned());
        let msisdn = |text: &str| Some(Msisdn::parse(text).ok()?.as_str().to_owned());
        let imsi = |text: &str| Some(Imsi::parse(text).ok()?.as_str().to_owned());
        let identity = |text: &str| Some(hex::encode(hex_bytes(text, MAX_PSK_IDENTITY_BYTES).ok()?));
        let keys = [
            row.key("eid", eid),
            row.key("temp_msisdn", msisdn),
            row.iccid_key("temp_iccid", choices.accept_zeros),
            row.key("temp_imsi", imsi),
            row.key("psk_identity", identity),
        ];
        keys.into_iter().flatten().collect()
    }

    fn iccid(&self) -> (&'static str, &Iccid) {
        ("temp_iccid", &self.temp_iccid)
    }

    fn digest<D>(&self, cx: &Context<'_, D>) -> BlindIndex {
        digest(cx, self)
    }

    fn seal<D>(&self, cx: &Context<'_, D>, digest: BlindIndex) -> Result<Self::Sealed, Error> {
        seal(cx, self, digest)
    }
}

fn read<D>(
    cx: &Context<'_, D>,
    mut row: RowReader<'_>,
    default_client: Option<&ClientId>,
    choices: &ImportChoices<'_>,
) -> Result<Chip, Vec<ColumnError>> {
    let eid = row.required("eid", |text| {
        let is_checked = |eid: Eid| match choices.unchecked_eids {
            true => Ok(eid),
            false => eid.check().map(|()| eid),
        };
        Eid::parse(text).and_then(is_checked)
    });
    let chip_model = row.required("chip_model", parse_chip_label);
    let profile = row.required("profile", parse_chip_label);
    let network = row.required("network_type", Network::parse);
    let temp_msisdn = row.msisdn("temp_msisdn", &choices.ranges);
    let temp_iccid = row.iccid("temp_iccid", choices.accept_zeros);
    let temp_imsi = row.required("temp_imsi", Imsi::parse);
    let stated_opening = row.optional("temp_opened_on", day);
    let opened_on = match row.text("temp_opened_on") {
        "" => Some(cx.now.date_in(cx.zone)),
        _ => stated_opening,
    };
    let temporary = network
        .zip(opened_on)
        .map(|(network, opened_on)| TemporaryNumber { network, opened_on });
    let expires_at = temporary.and_then(|temporary| {
        let at = temporary.expires_at(cx.zone);
        row.take(at.map_err(|wrong| {
            ColumnError::new("temp_opened_on", Reason::ParameterMalformed, wrong.zh, wrong.en)
        }))
    });
    let allowance = row.required("allowance_mb", Volume::parse_test_allowance);
    let imei = row.optional("imei", parse_imei);
    let client_id = match row.text("client_id") {
        "" => default_client
            .cloned()
            .or_else(|| row.required("client_id", ClientId::parse)),
        _ => row.required("client_id", ClientId::parse),
    };
    let psk_identity = psk_identity(&mut row, eid.as_ref());
    let key_version = row.required("key_version", key_version);
    let (psk, dek) = keys(cx, &mut row);
    let chip = (|| {
        Some(Chip {
            eid: eid?,
            chip_model: chip_model?,
            profile: profile?,
            temporary: temporary?,
            stated_opening,
            expires_at: expires_at?,
            temp_msisdn: temp_msisdn?,
            temp_iccid: temp_iccid?,
            temp_imsi: temp_imsi?,
            allowance: allowance?,
            imei,
            client_id: client_id?,
            psk_identity,
            key_version: key_version?,
            psk,
            dek,
        })
    })();
    row.finish(chip)
}

/// The identity that a chip shows in its handshake. One with letters in its EID has to state it: the layout of SGP.02, by
/// which the others are known, has decimal digits.
fn psk_identity(row: &mut RowReader<'_>, eid: Option<&Eid>) -> Option<Vec<u8>> {
    if eid.is_some_and(Eid::has_letters) && row.text("psk_identity").is_empty() {
        let zh = "EID 含字母的芯片须填写 psk_identity";
        let en = "a chip whose EID has letters needs a psk_identity";
        row.take::<()>(Err(ColumnError::new(
            "psk_identity",
            Reason::ParameterMissing,
            zh,
            en,
        )));
    }
    row.optional("psk_identity", |text| hex_bytes(text, MAX_PSK_IDENTITY_BYTES))
}

/// PSK and DEK: both, or neither when the gateway derives them.
fn keys<D>(cx: &Context<'_, D>, row: &mut RowReader<'_>) -> (Option<Secret>, Option<Secret>) {
    let missing = match (row.text("psk_wrapped"), row.text("dek_wrapped")) {
        ("", "") => return (None, None),
        ("", _) => Some("psk_wrapped"),
        (_, "") => Some("dek_wrapped"),
        _ => None,
    };
    if let Some(name) = missing {
        let zh = "psk_wrapped 与 dek_wrapped 须同时提供";
        let en = "psk_wrapped and dek_wrapped come together";
        row.take::<()>(Err(ColumnError::new(name, Reason::ParameterMissing, zh, en)));
        return (None, None);
    }
    (
        unwrapped(cx.vault, row, "psk_wrapped", PSK_BYTES),
        unwrapped(cx.vault, row, "dek_wrapped", DEK_BYTES),
    )
}

/// A day as people and spreadsheets write it, the year first: `2026-07-01`, `2026/7/1`, `2026-7-1`, `2026年7月1日`, also
/// with the midnight that a spreadsheet adds.
fn day(text: &str) -> Result<Date, Malformed> {
    let (date, time) = text.split_once(' ').unwrap_or((text, ""));
    let is_midnight = time.trim().chars().all(|c| matches!(c, '0' | ':'));
    let date = date.trim_end_matches('日').replace(['/', '年', '月'], "-");
    let parts: Vec<&str> = date.split('-').collect();
    match parts.as_slice() {
        [year, month, day] if is_midnight => parse_date(&format!("{year}-{month:0>2}-{day:0>2}")),
        _ => parse_date(text),
    }
}

fn key_version(text: &str) -> Result<i64, Malformed> {
    let wrong = Malformed::new(
        Kind::Value,
        "密钥版本应为 64 至 79",
        "a key version is a number from 64 to 79",
    );
    text.parse()
        .ok()
        .filter(|version| KEY_VERSIONS.contains(version))
        .ok_or(wrong)
}

fn seal<D>(cx: &Context<'_, D>, chip: &Chip, imported_digest: BlindIndex) -> Result<SealedChip, Error> {
    let index = |kind, value: &str| cx.vault.blind_index(kind, value.as_bytes());
    let eid_index = cx.eid_index(&chip.eid);
    let seal = |column, value: &[u8]| cx.vault.seal(cx.random, column, eid_index.as_bytes(), value);
    let seal_key = |column, key: &Option<Secret>| key.as_ref().map(|key| seal(column, key)).transpose();
    let (msisdn, iccid, imsi) = (&chip.temp_msisdn, &chip.temp_iccid, &chip.temp_imsi);
    let identity = |identity: &Vec<u8>| -> Result<_, Error> {
        let index = cx.vault.blind_index(IndexKind::PskIdentity, identity);
        Ok((index, seal(chip::PSK_IDENTITY, identity)?))
    };
    let content = ChipContent {
        eid_index,
        client_id: chip.client_id.clone(),
        chip_model: chip.chip_model.clone(),
        profile: chip.profile.clone(),
        network: chip.temporary.network.code().to_owned(),
        temp_msisdn_sealed: seal(chip::TEMP_MSISDN, msisdn.as_str().as_bytes())?,
        temp_iccid_sealed: seal(chip::TEMP_ICCID, iccid.as_str().as_bytes())?,
        temp_imsi_sealed: seal(chip::TEMP_IMSI, imsi.as_str().as_bytes())?,
        temp_opened_on: chip.temporary.opened_on.to_string(),
        allowance_bytes: chip.allowance.bytes(),
        imei_sealed: match &chip.imei {
            Some(imei) => Some(seal(chip::IMEI, imei.as_bytes())?),
            None => None,
        },
        psk_identity: chip.psk_identity.as_ref().map(identity).transpose()?,
        key_version: chip.key_version,
        psk_sealed: seal_key(chip::PSK, &chip.psk)?,
        dek_sealed: seal_key(chip::DEK, &chip.dek)?,
    };
    let row = NewChipRow {
        content,
        eid_sealed: seal(chip::EID, chip.eid.as_str().as_bytes())?,
        temp_msisdn_index: index(IndexKind::Msisdn, msisdn.as_str()),
        temp_iccid_index: index(IndexKind::Iccid, iccid.as_str()),
        temp_imsi_index: index(IndexKind::Imsi, imsi.as_str()),
        temp_expires_at: chip.expires_at,
        temp_next_at: warned_at(chip.expires_at, cx.zone),
        status: CardStatus::ToWrite,
        imported_digest,
    };
    Ok(SealedChip {
        row,
        is_opening_stated: chip.stated_opening.is_some(),
    })
}

fn digest<D>(cx: &Context<'_, D>, chip: &Chip) -> BlindIndex {
    let opened_on = chip.stated_opening.map(|day| day.to_string()).unwrap_or_default();
    row_digest(
        cx.vault,
        &[
            chip.eid.as_str().as_bytes(),
            chip.chip_model.as_bytes(),
            chip.profile.as_bytes(),
            chip.temporary.network.code().as_bytes(),
            chip.temp_msisdn.as_str().as_bytes(),
            chip.temp_iccid.as_str().as_bytes(),
            chip.temp_imsi.as_str().as_bytes(),
            opened_on.as_bytes(),
            &chip.allowance.bytes().to_be_bytes(),
            chip.imei.as_deref().unwrap_or_default().as_bytes(),
            chip.client_id.as_str().as_bytes(),
            chip.psk_identity.as_deref().unwrap_or_default(),
            &chip.key_version.to_be_bytes(),
            chip.psk.as_ref().map_or(&[][..], |key| key),
            chip.dek.as_ref().map_or(&[][..], |key| key),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::{day, key_version};

    #[test]
    fn a_day_is_read_in_the_forms_of_spreadsheets_and_never_guessed() {
        for text in [
            "2026-07-01",
            "2026/7/1",
            "2026-7-1",
            "2026/07/01",
            "2026年7月1日",
            "2026/7/1 0:00",
            "2026-07-01 00:00:00",
        ] {
            assert_eq!(day(text).unwrap().to_string(), "2026-07-01", "{text}");
        }
        for text in [
            "7/1/2026",
            "26/7/1",
            "2026/7",
            "2026/13/1",
            "2026/2/30",
            "2026/7/1 8:30",
            "2026/7/001",
            "2026//1",
            "46204",
        ] {
            assert!(day(text).is_err(), "{text}");
        }
    }

    #[test]
    fn key_versions_are_those_of_scp81() {
        assert_eq!(key_version("64"), Ok(64));
        for text in ["63", "80", "0x40", "", "-64"] {
            assert!(key_version(text).is_err(), "{text}");
        }
    }
}
