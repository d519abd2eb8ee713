//! Operator numbers: `iccid, msisdn, imsi, province_code, smsc?, services, client_id?, k_wrapped, opc_wrapped,
//! transport_key`.

use std::collections::{BTreeMap, BTreeSet};

use super::ImportReport;
use super::columns::{ColumnError, ColumnRule, RowReader, Table, optional, required};
use super::secrets::{TRANSPORT_KEY, row_digest, unwrapped};
use crate::Context;
use crate::incidents::province_filled;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{ClientId, Iccid, Imsi, Kind, Malformed, Msisdn, Province, Services, all_digits};
use store::{
    Database, Tx,
    number::{self, NewNumberRow},
    pool_level,
};
use vault::{IndexKind, Zeroizing};

const COLUMNS: &[ColumnRule] = &[
    required("iccid"),
    required("msisdn"),
    required("imsi"),
    required("province_code"),
    optional("smsc"),
    required("services"),
    optional("client_id"),
    required("k_wrapped"),
    required("opc_wrapped"),
    required(TRANSPORT_KEY),
];

/// Bytes of K and of OPc.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 16..=16;
/// Digits of the address of a short message service centre.
const SMSC_DIGITS: std::ops::RangeInclusive<usize> = 5..=20;

/// A row that passed the checks of its own values.
struct Number {
    iccid: Iccid,
    msisdn: Msisdn,
    imsi: Imsi,
    province: Province,
    smsc: Option<String>,
    services: Services,
    client_id: Option<ClientId>,
    k: Zeroizing<Vec<u8>>,
    opc: Zeroizing<Vec<u8>>,
}

/// Imports operator numbers. A row with `client_id` is allotted to that client for designated writing; a row without
/// it goes to its province's pool (§5.4.1). An incident about an empty pool that is filled again is settled, and the
/// pool is watched.
///
/// # Errors
/// As for [`super::import_chips`].
pub async fn import_numbers<D: Database>(cx: &Context<'_, D>, csv: &[u8]) -> Result<ImportReport, Error> {
    let table = Table::read(csv, COLUMNS)?;
    let mut report = ImportReport {
        rows: table.rows.len(),
        ..ImportReport::default()
    };
    let mut good = Vec::new();
    for line in &table.rows {
        match read(cx, table.row(line)) {
            Ok(number) => good.push((line.number, seal(cx, &number)?)),
            Err(errors) => report.reject(line.number, errors),
        }
    }
    let report = transaction(cx, async |tx| {
        let mut report = report.clone();
        let mut known = BTreeMap::new();
        let mut filled = BTreeSet::new();
        for (line, number) in &good {
            if let Some(client) = &number.client_id
                && !super::client_exists(tx, client, &mut known).await?
            {
                report.reject(
                    *line,
                    vec![ColumnError::plain(Some("client_id"), Reason::UnknownClient)],
                );
            } else if number::insert(tx, number, cx.now).await? {
                report.imported += 1;
                if number.client_id.is_none() {
                    filled.insert(number.province.code());
                }
            } else {
                match conflict(tx, number).await? {
                    None => report.unchanged += 1,
                    Some(error) => report.reject(*line, vec![error]),
                }
            }
        }
        for province in filled {
            province_filled(cx, tx, province).await?;
            pool_level::add(tx, province, cx.now).await?;
        }
        Ok(report)
    })
    .await?;
    Ok(report.in_order_of_lines())
}

fn read<D>(cx: &Context<'_, D>, mut row: RowReader<'_>) -> Result<Number, Vec<ColumnError>> {
    let iccid = row.required("iccid", Iccid::parse);
    let msisdn = row.required("msisdn", Msisdn::parse);
    let imsi = row.required("imsi", Imsi::parse);
    let province = row.required("province_code", Province::parse);
    let smsc = row.optional("smsc", smsc);
    let services = row.required("services", Services::parse);
    let client_id = row.optional("client_id", ClientId::parse);
    row.required(TRANSPORT_KEY, |_| Ok::<_, Malformed>(()));
    let k = key(cx, &mut row, "k_wrapped");
    let opc = key(cx, &mut row, "opc_wrapped");
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

fn seal<D>(cx: &Context<'_, D>, number: &Number) -> Result<NewNumberRow, Error> {
    let [iccid, msisdn, imsi] = [
        number.iccid.as_str(),
        number.msisdn.as_str(),
        number.imsi.as_str(),
    ]
    .map(str::as_bytes);
    let iccid_index = cx.vault.blind_index(IndexKind::Iccid, iccid);
    let seal = |column, value: &[u8]| cx.vault.seal(cx.random, column, iccid_index.as_bytes(), value);
    let services = number.services.code();
    let imported_digest = row_digest(
        cx.vault,
        &[
            iccid,
            msisdn,
            imsi,
            number.province.code().as_bytes(),
            number.smsc.as_deref().unwrap_or_default().as_bytes(),
            services.as_bytes(),
            number.client_id.as_ref().map_or("", ClientId::as_str).as_bytes(),
            &number.k,
            &number.opc,
        ],
    );
    Ok(NewNumberRow {
        iccid: (iccid_index, seal(number::ICCID, iccid)?),
        msisdn: (
            cx.vault.blind_index(IndexKind::Msisdn, msisdn),
            seal(number::MSISDN, msisdn)?,
        ),
        imsi: (
            cx.vault.blind_index(IndexKind::Imsi, imsi),
            seal(number::IMSI, imsi)?,
        ),
        province: number.province,
        smsc: number.smsc.clone(),
        services,
        client_id: number.client_id.clone(),
        k_sealed: seal(number::K, &number.k)?,
        opc_sealed: seal(number::OPC, &number.opc)?,
        imported_digest,
    })
}

/// Why a row that could not be added differs from the stored one; `None` when it does not.
async fn conflict<D: Database>(tx: &Tx<'_, D>, new: &NewNumberRow) -> Result<Option<ColumnError>, Error> {
    let column = match number::by_iccid(tx, &new.iccid.0).await? {
        Some(there) if there.imported_digest == new.imported_digest => return Ok(None),
        Some(_) => Some("iccid"),
        None => number::collision(tx, new).await?,
    };
    Ok(Some(ColumnError::plain(column, Reason::ImportConflict)))
}
