//! §5.3.1.1 码号管理, §8.2.1 Table 3: watches the pools of operator numbers. A pool that runs low raises one alert; an
//! empty pool is an incident until it has numbers again, or its province is not served any more.

use super::MaintenanceSettings;
use crate::Context;
use crate::alerts::{NewAlert, raise};
use crate::incidents::{province_empty, province_filled, provinces_with_incident, settle_province};
use crate::job_run::Done;
use crate::provinces::served_provinces;
use crate::transaction;
use crate::transition::guarded;
use domain::error::Error;
use domain::{AlertKind, PoolState, Province, enough};
use store::{
    Database, Subject, Tx,
    incident::By,
    pool_level::{self, PoolRow},
    views,
};

/// Default low-water mark of a pool.
pub const POOL_LOW_WATER: u32 = 100;
/// Highest low-water mark.
pub const MAX_POOL_LOW_WATER: u32 = 1_000_000;
/// The counted pools and what was recorded of them.
struct Survey {
    /// Provinces that have numbers and are not watched yet.
    unknown: Vec<Province>,
    pools: Vec<Seen>,
    /// Provinces that are not served and have an incident that the platform opened.
    unserved: Vec<Province>,
}

/// A pool as it was recorded last, and as it is now.
struct Seen {
    noted: PoolRow,
    low_water: u32,
    level: u32,
    state: PoolState,
    is_served: bool,
}

impl Seen {
    fn is_noted(&self) -> bool {
        (self.state, self.level) == (self.noted.state, self.noted.level)
    }

    /// True when the pool has become empty. A pool that stays empty does not reopen an incident that was settled.
    fn is_newly_empty(&self) -> bool {
        self.is_served && self.state == PoolState::Empty && self.noted.state != PoolState::Empty
    }

    /// True when an open incident says that the pool is empty and it is not.
    fn is_settled(&self) -> bool {
        self.state != PoolState::Empty && self.noted.is_incident_open
    }
}

impl Survey {
    fn is_nothing_new(&self) -> bool {
        let is_known = |pool: &Seen| pool.is_noted() && !pool.is_settled();
        self.unknown.is_empty() && self.unserved.is_empty() && self.pools.iter().all(is_known)
    }
}

/// Counts every pool. Takes the write lock only when something has to be recorded.
pub(super) async fn watch<D: Database>(
    cx: &Context<'_, D>,
    maintenance: &MaintenanceSettings,
) -> Result<Done, Error> {
    if survey(cx, cx.db, maintenance).await?.is_nothing_new() {
        return Ok(Done::default());
    }
    let count = transaction(cx, async |tx| {
        // Counts again, because another node may have recorded it first.
        let mut seen = survey(cx, tx, maintenance).await?;
        if !seen.unknown.is_empty() {
            for province in &seen.unknown {
                pool_level::add(tx, province.code(), cx.now).await?;
            }
            seen = survey(cx, tx, maintenance).await?;
        }
        let mut count = 0;
        for pool in &seen.pools {
            count += usize::from(follow(cx, tx, pool).await?);
        }
        for province in &seen.unserved {
            settle_province(cx, tx, province.code()).await?;
        }
        Ok::<_, Error>(count)
    })
    .await?;
    Ok(Done { count, more: false })
}

async fn survey<D: Database, R: Database>(
    cx: &Context<'_, D>,
    db: &R,
    maintenance: &MaintenanceSettings,
) -> Result<Survey, Error> {
    let served = served_provinces(cx, db).await?;
    let mut pools = Vec::new();
    for noted in pool_level::all(db).await? {
        let low_water = noted.low_water.unwrap_or(maintenance.pool_low_water);
        let level = pool_level::count(db, noted.province, enough(low_water)).await?;
        pools.push(Seen {
            state: noted.state.next(level, low_water),
            is_served: served.contains(noted.province),
            noted,
            low_water,
            level,
        });
    }
    let mut unknown = views::provinces_with_numbers(db).await?;
    unknown.retain(|province| pools.iter().all(|pool| pool.noted.province != *province));
    let mut unserved = Vec::new();
    for (province, by) in provinces_with_incident(db).await? {
        if by == By::Platform && !served.contains(province) && !unknown.contains(&province) {
            unserved.push(province);
        }
    }
    Ok(Survey {
        unknown,
        pools,
        unserved,
    })
}

/// Records the new state of a pool and raises its incident or alert; true when its state changed.
async fn follow<D: Database>(cx: &Context<'_, D>, tx: &Tx<'_, D>, pool: &Seen) -> Result<bool, Error> {
    let province = pool.noted.province;
    let subject = Subject::province(province.code());
    if !pool.is_noted() {
        guarded(pool_level::note(tx, &pool.noted, pool.state, pool.level, cx.now).await?)?;
    }
    if pool.is_newly_empty() {
        province_empty(cx, tx, province).await?;
    } else if pool.is_settled() {
        province_filled(cx, tx, province.code()).await?;
    }
    // Only a pool that was `Ok` raises the alert; a change between low and empty raises none.
    if pool.is_served
        && pool.noted.state == PoolState::Ok
        && pool.state != PoolState::Ok
        && pool.low_water > 0
    {
        let alert = NewAlert {
            kind: AlertKind::PoolLow,
            subject: &subject,
            fields: vec![
                ("province_code", province.code().to_owned()),
                ("province", province.zh().to_owned()),
                ("level", pool.level.to_string()),
                ("low_water", pool.low_water.to_string()),
            ],
        };
        raise(cx, tx, alert).await?;
    }
    Ok(pool.state != pool.noted.state)
}
