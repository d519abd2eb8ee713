//! Operator numbers: `iccid, msisdn, imsi, province_code, smsc?, services, client_id?, k_wrapped, opc_wrapped,
//! transport_key, replaces_iccid?`.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::{ColumnError, RowReader};
use super::contradictions::Key;
use super::rules::{ColumnRule, optional, required};
use super::secrets::{TRANSPORT_KEY, row_digest, unwrapped};
use super::{
    ImportChoices, ImportReport, ImportedRow, KnownClients, MAX_ROWS_TOGETHER, Stored, checked, written,
};
use crate::Context;
use crate::content::{self, held_error};
use crate::correct_number::correct;
use crate::incidents::province_filled;
use crate::transition::guarded;
use domain::error::{Error, Reason};
use domain::{ClientId, Iccid, ImportId, Imsi, Kind, Malformed, Msisdn, Province, Services, all_digits};
use store::{
    Database, Tx,
    import::ImportKind,
    number::{self, NumberRow},
    number_content::{self, NewNumberRow, NumberContent},
    pool_level,
};
use vault::{BlindIndex, IndexKind, Zeroizing};

const COLUMNS: &[ColumnRule] = &[
    required("iccid", &["卡号"]),
    required("msisdn", &["号码", "物联网号码"]),
    required("imsi", &[]),
    required("province_code", &["省份编码", "省份代码"]),
    optional("smsc", &["短信中心", "短信中心号码", "短信中心地址"]),
    required("services", &["业务", "开通业务"]),
    optional("client_id", &["业务需求方", "业务需求方标识"]),
    required("k_wrapped", &["K密文"]),
    required("opc_wrapped", &["OPc密文"]),
    required(TRANSPORT_KEY, &["传输密钥", "传输密钥名称"]),
    optional(REPLACES, &["原卡号", "被替换卡号"]),
];
/// The column of the data card whose MSISDN the row takes over.
const REPLACES: &str = "replaces_iccid";

/// Bytes of K and of OPc.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 16..=16;
/// Digits of the address of a short message service centre.
const SMSC_DIGITS: std::ops::RangeInclusive<usize> = 5..=20;
/// The country code of China.
const COUNTRY_CODE: &str = "86";
/// Fewest digits of an address that begins with the country code. Shorter ones are short numbers.
const MIN_INTERNATIONAL_DIGITS: usize = 11;

/// A row that passed the checks of its own values.
pub(super) struct Number {
    iccid: Iccid,
    msisdn: Msisdn,
    imsi: Imsi,
    province: Province,
    smsc: Option<String>,
    services: Services,
    client_id: Option<ClientId>,
    k: Zeroizing<Vec<u8>>,
    opc: Zeroizing<Vec<u8>>,
    replaces: Option<Iccid>,
}

/// Imports operator numbers. A row with `client_id` is allotted to that client for designated writing; a row without
/// it goes to its province's pool (§5.4.1). An incident about an empty pool that is filled again is settled, and the
/// pool is watched.
///
/// A row with `replaces_iccid` is the data card that takes the MSISDN over from that one, which a chip has (补换卡): see
/// [`crate::replace_chip`]. Nothing else takes it.
///
/// # Errors
/// As for [`super::import_chips`].
pub async fn import_numbers<D: Database>(
    cx: &Context<'_, D>,
    file: &[u8],
    choices: &ImportChoices<'_>,
) -> Result<ImportReport, Error> {
    let (good, report) = checked(cx, file, COLUMNS, choices, |row| read(cx, row, choices))?;
    written(cx, choices, ImportKind::Number, async |tx, import| {
        let mut report = report.clone();
        let mut known = BTreeMap::new();
        let mut filled = BTreeSet::new();
        for numbers in good.chunks(MAX_ROWS_TOGETHER) {
            let added = add(cx, tx, numbers, import, choices, &mut known).await?;
            for (line, number) in numbers {
                let stored = match added.contains(&number.content.iccid_index) {
                    true => Stored::New,
                    false => store(cx, tx, number, import, choices, &mut known).await?,
                };
                if matches!(stored, Stored::New) && number.content.client_id.is_none() {
                    filled.insert(number.content.province.as_str());
                }
                report.count(*line, stored);
            }
        }
        for province in filled {
            province_filled(cx, tx, province).await?;
            pool_level::add(tx, province, cx.now).await?;
        }
        Ok(report)
    })
    .await
}

impl ImportedRow for Number {
    const COLUMNS: &'static [ColumnRule] = COLUMNS;

    type Sealed = NewNumberRow;

    fn keys(row: &RowReader<'_>, choices: &ImportChoices<'_>) -> Vec<Key> {
        let msisdn = |text: &str| Some(Msisdn::parse(text).ok()?.as_str().to_owned());
        let imsi = |text: &str| Some(Imsi::parse(text).ok()?.as_str().to_owned());
        let keys = [
            row.iccid_key("iccid", choices.accept_zeros),
            row.key("msisdn", msisdn),
            row.key("imsi", imsi),
        ];
        keys.into_iter().flatten().collect()
    }

    fn iccid(&self) -> (&'static str, &Iccid) {
        ("iccid", &self.iccid)
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
    choices: &ImportChoices<'_>,
) -> Result<Number, Vec<ColumnError>> {
    let iccid = row.iccid("iccid", choices.accept_zeros);
    let msisdn = row.msisdn("msisdn", &choices.ranges);
    let imsi = row.required("imsi", Imsi::parse);
    let province = row.required("province_code", Province::parse);
    let smsc = row.optional("smsc", smsc);
    let services = row.required("services", Services::parse);
    let client_id = row.optional("client_id", ClientId::parse);
    row.required(TRANSPORT_KEY, |_| Ok::<_, Malformed>(()));
    let k = key(cx, &mut row, "k_wrapped");
    let opc = key(cx, &mut row, "opc_wrapped");
    let replaces = row.optional(REPLACES, Iccid::parse);
    if replaces.is_some() {
        row.required("client_id", |_| Ok::<_, Malformed>(()));
    }
    let number = (|| {
        Some(Number {
            iccid: iccid?,
            msisdn: msisdn?,
            imsi: imsi?,
            province: province?,
            smsc,
            services: services?,
            client_id,
            k: k?,
            opc: opc?,
            replaces,
        })
    })();
    row.finish(number)
}

fn key<D>(cx: &Context<'_, D>, row: &mut RowReader<'_>, name: &'static str) -> Option<Zeroizing<Vec<u8>>> {
    row.required(name, |_| Ok::<_, Malformed>(()))?;
    unwrapped(cx.vault, row, name, KEY_BYTES)
}

fn smsc(text: &str) -> Result<String, Malformed> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if SMSC_DIGITS.contains(&digits.len()) && all_digits(digits) {
        Ok(text.to_owned())
    } else {
        Err(Malformed::new(
            Kind::Value,
            "短信中心地址应为 5 至 20 位数字，可以 + 开头",
            "an address of a message centre has 5 to 20 digits, optionally after +",
        ))
    }
}

/// The address of a message centre, with `+` where it begins with the country code: a spreadsheet takes `+86…` for a
/// number and drops the sign, and a national address would lead nowhere.
fn with_sign(smsc: &str) -> String {
    if smsc.starts_with(COUNTRY_CODE) && smsc.len() >= MIN_INTERNATIONAL_DIGITS {
        format!("+{smsc}")
    } else {
        smsc.to_owned()
    }
}

/// What the row says. The address of the message centre counts as it was stated, so that a file that was imported
/// before is still the same.
fn digest<D>(cx: &Context<'_, D>, number: &Number) -> BlindIndex {
    let replaces = number.replaces.as_ref().map(|iccid| iccid.as_str().as_bytes());
    let services = number.services.code();
    let values: [&[u8]; 9] = [
        number.iccid.as_str().as_bytes(),
        number.msisdn.as_str().as_bytes(),
        number.imsi.as_str().as_bytes(),
        number.province.code().as_bytes(),
        number.smsc.as_deref().unwrap_or_default().as_bytes(),
        services.as_bytes(),
        number.client_id.as_ref().map_or("", ClientId::as_str).as_bytes(),
        &number.k,
        &number.opc,
    ];
    // Without the last column, a row is what it was before that column existed.
    let values: Vec<&[u8]> = values.into_iter().chain(replaces).collect();
    row_digest(cx.vault, &values)
}

fn seal<D>(cx: &Context<'_, D>, number: &Number, imported_digest: BlindIndex) -> Result<NewNumberRow, Error> {
    let [iccid, msisdn, imsi] = [
        number.iccid.as_str(),
        number.msisdn.as_str(),
        number.imsi.as_str(),
    ]
    .map(str::as_bytes);
    let iccid_index = cx.vault.blind_index(IndexKind::Iccid, iccid);
    let seal = |column, value: &[u8]| cx.vault.seal(cx.random, column, iccid_index.as_bytes(), value);
    let msisdn_index = cx.vault.blind_index(IndexKind::Msisdn, msisdn);
    let replaces = number.replaces.as_ref();
    let replaces = replaces.map(|iccid| cx.vault.blind_index(IndexKind::Iccid, iccid.as_str().as_bytes()));
    Ok(NewNumberRow {
        content: NumberContent {
            iccid_index,
            msisdn_sealed: seal(number::MSISDN, msisdn)?,
            imsi_sealed: seal(number::IMSI, imsi)?,
            province: number.province.code().to_owned(),
            smsc: number.smsc.as_deref().map(with_sign),
            services: number.services.code(),
            client_id: number.client_id.clone(),
            k_sealed: seal(number::K, &number.k)?,
            opc_sealed: seal(number::OPC, &number.opc)?,
        },
        iccid_sealed: seal(number::ICCID, iccid)?,
        msisdn_index,
        replaces,
        imsi_index: cx.vault.blind_index(IndexKind::Imsi, imsi),
        imported_digest,
    })
}

/// Adds the new numbers among good rows, together; returns their keys. Those of which something is there already, and
/// those that replace others, are left to [`store`].
async fn add<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    numbers: &[(u64, NewNumberRow)],
    import: ImportId,
    choices: &ImportChoices<'_>,
    known: &mut KnownClients,
) -> Result<BTreeSet<BlindIndex>, Error> {
    let mut new = Vec::with_capacity(numbers.len());
    for (_, row) in numbers {
        let is_known = match &row.content.client_id {
            Some(client) => super::refusal_for(tx, client, known).await?.is_none(),
            None => true,
        };
        if is_known && row.replaces.is_none() && choices.correct.is_none() {
            new.push(row);
        }
    }
    if new.is_empty() {
        return Ok(BTreeSet::new());
    }
    Ok(number_content::insert(tx, &new, import, cx.now).await?)
}

/// Stores a good row that [`add`] has not added.
async fn store<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    new: &NewNumberRow,
    import: ImportId,
    choices: &ImportChoices<'_>,
    known: &mut KnownClients,
) -> Result<Stored, Error> {
    let index = &new.content.iccid_index;
    if let Some(client) = &new.content.client_id
        && let Some(refusal) = super::refusal_for(tx, client, known).await?
    {
        return Ok(Stored::Refused(
            Error::from(refusal).with_field("client_id").into(),
        ));
    }
    if let Some(note) = &choices.correct {
        return Stored::corrected(correct(cx, tx, &new.content, note).await);
    }
    if let Some(error) = unfit_replacement(tx, new).await? {
        return Ok(Stored::Refused(error.with_field(REPLACES).into()));
    }
    let insert = async || -> Result<bool, Error> {
        let added = number_content::insert(tx, &[new], import, cx.now).await?;
        Ok(added.contains(index))
    };
    if new.replaces.is_some() && insert().await? {
        return Ok(Stored::New);
    }
    match number::by_iccid(tx, index).await? {
        Some(there) if there.imported_digest == new.imported_digest => Ok(Stored::Unchanged),
        Some(_) => {
            let there = number_content::find(tx, index).await?.ok_or(Reason::Conflict)?;
            let [there, given] = [&there, &new.content].map(|row| content::number(cx, row));
            let mut differences = content::differences(there?, given?);
            // Of what is destroyed nobody can say whether it was the same.
            differences.retain(|difference| !difference.is_destroyed);
            let conflict = content::conflict(&differences);
            Ok(conflict.map_or(Stored::Unchanged, |error| Stored::Refused(error.into())))
        }
        None => {
            if let Some(held) = number_content::held(tx, new).await? {
                let own = cx
                    .vault
                    .open_identifier(number::ICCID, index.as_bytes(), &new.iccid_sealed)?;
                let error = held_error(cx, &held, number::ICCID, &own)?;
                return Ok(Stored::Refused(error.into()));
            }
            // What has it is retired.
            number_content::release(tx, new).await?;
            guarded(insert().await?)?;
            Ok(Stored::New)
        }
    }
}

/// Why a new data card cannot take over the MSISDN that it is to take over: it is not that of a card that a chip has, or another
/// card takes it over already.
async fn unfit_replacement<D: Database>(tx: &Tx<'_, D>, new: &NewNumberRow) -> Result<Option<Error>, Error> {
    let Some(replaced) = &new.replaces else {
        return Ok(None);
    };
    if number::by_iccid(tx, &new.content.iccid_index).await?.is_some() {
        // Not new: it is compared with what is there.
        return Ok(None);
    }
    let fits = |there: &NumberRow| there.is_written && there.msisdn_index == new.msisdn_index;
    Ok(match number::by_iccid(tx, replaced).await? {
        None => Some(Reason::UnknownNumber.into()),
        Some(there) if !fits(&there) => Some(Reason::NumberMismatch.into()),
        Some(_) if number_content::is_replaced(tx, replaced).await? => Some(Reason::NumberTaken.into()),
        Some(_) => None,
    })
}
