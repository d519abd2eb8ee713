//! What a batch would do: rows that would be refused, and what is asked of each pool. Reads only.
//!
//! It says what holds now, row by row: a row that depends on one before it, or on what happens meanwhile, may end otherwise.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::create::NewBatch;
use super::file::{FileRow, RowContent, read_file};
use crate::apply::{designated, examine};
use crate::clients::receives;
use crate::pool::{NumberAct, allots, is_refused, list};
use crate::pool_view::MAX_COUNTED;
use crate::provinces::served_provinces;
use crate::{Context, StaffMember};
use domain::error::{Error, Reason};
use domain::{BatchKind, CardStatus, ClientId, Eid, Province, Provinces};
use store::chip::{self, ChipRow};
use store::number::{self, NumberRow};
use store::{Database, pool_level};
use vault::{BlindIndex, IndexKind};

/// Rows that are looked at together.
const MAX_ROWS_TOGETHER: usize = 500;
/// Most rows that would be refused and are named.
const MAX_NAMED: usize = 1_000;

/// What a batch would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchPreview {
    /// Rows of the file.
    pub rows: usize,
    /// Rows that would be refused.
    pub refused: usize,
    /// The first 1,000 of those.
    pub errors: Vec<RefusedRow>,
    /// What is asked of each pool, by province.
    pub provinces: Vec<ProvinceDemand>,
}

/// A row that would be refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// Its line in the file.
    pub line: u64,
    /// The wrong column, if it is one.
    pub column: Option<&'static str>,
    /// Why.
    pub reason: Reason,
}

/// What is asked of the pool of a province.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvinceDemand {
    /// The province.
    pub province: Province,
    /// How many numbers the rows need.
    pub demand: u32,
    /// How many are there, at most [`MAX_COUNTED`].
    pub available: u32,
}

/// Looks at what a batch would do, as things are now.
///
/// # Errors
/// Those of [`super::create_batch`], but for its key.
pub async fn preview_batch<D: Database>(
    cx: &Context<'_, D>,
    member: &StaffMember,
    new: &NewBatch<'_>,
    file: &[u8],
) -> Result<BatchPreview, Error> {
    new.check(member)?;
    let rows = read_file(new.kind, file)?;
    if let Some(client) = new.client {
        receives(cx.db, client).await?;
    }
    let mut seen = Seen {
        served: served_provinces(cx, cx.db).await?,
        chips: BTreeSet::new(),
        demand: BTreeMap::new(),
    };
    let mut preview = BatchPreview {
        rows: rows.len(),
        ..BatchPreview::default()
    };
    for rows in rows.chunks(MAX_ROWS_TOGETHER) {
        let stock = Stock::read(cx, rows).await?;
        for row in rows {
            let (column, judged) = match &row.content {
                Err(error) => (error.column, Err(error.reason)),
                Ok(content) => (None, judge(cx, new, &stock, content, &mut seen)),
            };
            if let Err(reason) = judged {
                preview.refuse(row.line, column, reason);
            }
        }
    }
    for (code, demand) in seen.demand {
        let Ok(province) = Province::parse(code) else {
            continue;
        };
        let available = pool_level::count(cx.db, province, MAX_COUNTED).await?;
        preview.provinces.push(ProvinceDemand {
            province,
            demand,
            available,
        });
    }
    Ok(preview)
}

impl BatchPreview {
    fn refuse(&mut self, line: u64, column: Option<&'static str>, reason: Reason) {
        self.refused += 1;
        if self.errors.len() < MAX_NAMED {
            self.errors.push(RefusedRow { line, column, reason });
        }
    }
}

/// What rows before have asked for.
struct Seen {
    served: Provinces,
    chips: BTreeSet<BlindIndex>,
    demand: BTreeMap<&'static str, u32>,
}

/// The chips and numbers that some rows name.
struct Stock {
    chips: HashMap<BlindIndex, ChipRow>,
    numbers: HashMap<BlindIndex, NumberRow>,
}

impl Stock {
    async fn read<D: Database>(cx: &Context<'_, D>, rows: &[FileRow]) -> Result<Self, Error> {
        let contents = || rows.iter().filter_map(|row| row.content.as_ref().ok());
        let eids: Vec<_> = contents()
            .filter_map(|row| row.eid.as_ref())
            .map(|eid| eid_index(cx, eid))
            .collect();
        let iccids: Vec<_> = contents()
            .filter_map(|row| row.iccid.as_ref())
            .map(|iccid| index(cx, IndexKind::Iccid, iccid.as_str()))
            .collect();
        let mut stock = Self {
            chips: HashMap::new(),
            numbers: HashMap::new(),
        };
        if !eids.is_empty() {
            let chips = chip::by_eids(cx.db, list(&eids)?).await?;
            stock
                .chips
                .extend(chips.into_iter().map(|chip| (chip.eid_index, chip)));
        }
        if !iccids.is_empty() {
            let numbers = number::by_iccids(cx.db, list(&iccids)?).await?;
            let numbers = numbers.into_iter().map(|number| (number.iccid_index, number));
            stock.numbers.extend(numbers);
        }
        Ok(stock)
    }
}

fn index<D>(cx: &Context<'_, D>, kind: IndexKind, text: &str) -> BlindIndex {
    cx.vault.blind_index(kind, text.as_bytes())
}

fn eid_index<D>(cx: &Context<'_, D>, eid: &Eid) -> BlindIndex {
    index(cx, IndexKind::Eid, eid.as_str())
}

/// Whether a row would be carried out.
fn judge<D>(
    cx: &Context<'_, D>,
    new: &NewBatch<'_>,
    stock: &Stock,
    content: &RowContent,
    seen: &mut Seen,
) -> Result<(), Reason> {
    let chip = || {
        let chip = content.eid.as_ref().map(|eid| eid_index(cx, eid));
        let chip = chip.and_then(|index| stock.chips.get(&index));
        chip.ok_or(Reason::UnknownChip)
    };
    let number = || {
        let number = content
            .iccid
            .as_ref()
            .map(|iccid| index(cx, IndexKind::Iccid, iccid.as_str()));
        number.and_then(|index| stock.numbers.get(&index))
    };
    let known = || number().ok_or(Reason::UnknownNumber);
    let permitted = |is_permitted, reason| if is_permitted { Ok(()) } else { Err(reason) };
    match new.kind {
        BatchKind::Apply => {
            let chip = of_client(chip()?, new.client)?;
            applicable(cx, chip)?;
            match content.province {
                Some(province) => asked(province, chip, seen),
                None => {
                    let msisdn = content.msisdn.as_ref().map_or("", |msisdn| msisdn.as_str());
                    let msisdn = index(cx, IndexKind::Msisdn, msisdn);
                    designated(number(), chip, &msisdn).map(drop)
                }
            }
        }
        BatchKind::Cancel => {
            let chip = of_client(chip()?, new.client)?;
            permitted(chip.status == CardStatus::WaitingPowerOn, Reason::WrongState)
        }
        BatchKind::End => permitted(is_open(chip()?), Reason::WrongState),
        BatchKind::Allot => {
            let number = known()?;
            let may = new.client.and_then(|client| allots(number, client)).is_some();
            permitted(may, Reason::NumberInUse)
        }
        BatchKind::Suspend => permitted(!is_refused(NumberAct::Suspend, known()?), Reason::NumberInUse),
        BatchKind::Retire => permitted(!is_refused(NumberAct::Retire, known()?), Reason::NumberInUse),
    }
}

/// Another client's chip is as unknown as one that is not there.
fn of_client<'a>(chip: &'a ChipRow, client: Option<&ClientId>) -> Result<&'a ChipRow, Reason> {
    match client == Some(&chip.client_id) {
        true => Ok(chip),
        false => Err(Reason::UnknownChip),
    }
}

/// Whether a chip has an open task.
fn is_open(chip: &ChipRow) -> bool {
    matches!(chip.status, CardStatus::WaitingPowerOn | CardStatus::Writing)
}

/// Whether an application for a chip would be accepted. One that is open may be the same.
fn applicable<D>(cx: &Context<'_, D>, chip: &ChipRow) -> Result<(), Reason> {
    if is_open(chip) {
        return Err(Reason::ApplicationPending);
    }
    examine(cx, chip).map_err(|refusal| refusal.reason())
}

/// Counts a number of a province, once for each chip.
fn asked(province: Province, chip: &ChipRow, seen: &mut Seen) -> Result<(), Reason> {
    if !seen.served.contains(province) {
        return Err(Reason::ProvinceNotServed);
    }
    if seen.chips.insert(chip.eid_index) {
        *seen.demand.entry(province.code()).or_default() += 1;
    }
    Ok(())
}
