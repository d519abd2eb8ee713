//! §5.3.1.1 码号管理, §8.2.1 Table 3: watches the pools of operator numbers. The operator is told once when a pool runs
//! low and once when several are empty; a pool that is empty is an incident until there are numbers again.

use super::{Done, Upkeep};
use crate::domain::{AlertKind, IncidentKind, PoolState, Province, enough};
use crate::error::Error;
use crate::operations::Context;
use crate::operations::alerts::{NewAlert, raise};
use crate::operations::transition::{close_incident, guarded, open_incident};
use crate::store::{
    Database, Subject,
    pool_level::{self, PoolRow},
    transaction, views,
};

/// Low-water mark of a pool unless the operator says otherwise.
pub const POOL_LOW_WATER: u32 = 100;
/// Highest low-water mark.
pub const MAX_POOL_LOW_WATER: u32 = 1_000_000;
/// So many empty pools at once are told as such.
const SEVERAL: usize = 2;

/// How the pools are now, beside what was noted last.
struct Survey {
    /// Provinces that have numbers and are not watched yet.
    unknown: Vec<Province>,
    pools: Vec<Seen>,
    are_several_told: bool,
}

/// One pool.
struct Seen {
    noted: PoolRow,
    low_water: u32,
    level: u32,
    state: PoolState,
}

impl Seen {
    fn is_noted(&self) -> bool {
        (self.state, self.level) == (self.noted.state, self.noted.level)
    }

    fn is_empty(&self) -> bool {
        self.state == PoolState::Empty
    }
}

impl Survey {
    fn empty(&self) -> impl Iterator<Item = Province> {
        self.pools
            .iter()
            .filter(|pool| pool.is_empty())
            .map(|pool| pool.noted.province)
    }

    fn are_several_empty(&self) -> bool {
        self.empty().count() >= SEVERAL
    }

    fn is_nothing_new(&self) -> bool {
        let is_known = |pool: &Seen| pool.is_noted() && pool.is_empty() == pool.noted.is_incident_open;
        self.unknown.is_empty()
            && self.pools.iter().all(is_known)
            && self.are_several_empty() == self.are_several_told
    }
}

/// Looks at every pool. Takes the write lock only when there is something to note.
pub(super) async fn watch<D: Database>(cx: &Context<'_, D>, upkeep: &Upkeep) -> Result<Done, Error> {
    if survey(cx, upkeep).await?.is_nothing_new() {
        return Ok(Done::default());
    }
    let count = transaction(cx.db, async |db| {
        // Again, because another node may have been faster.
        let mut seen = survey(cx, upkeep).await?;
        if !seen.unknown.is_empty() {
            for province in &seen.unknown {
                pool_level::add(db, province.code(), cx.now).await?;
            }
            seen = survey(cx, upkeep).await?;
        }
        let mut count = 0;
        for pool in &seen.pools {
            count += usize::from(follow(cx, pool).await?);
        }
        follow_several(cx, &seen).await?;
        Ok::<_, Error>(count)
    })
    .await?;
    Ok(Done { count, more: false })
}

async fn survey<D: Database>(cx: &Context<'_, D>, upkeep: &Upkeep) -> Result<Survey, Error> {
    let mut pools = Vec::new();
    for noted in pool_level::all(cx.db).await? {
        let low_water = noted.low_water.unwrap_or(upkeep.pool_low_water);
        let level = pool_level::count(cx.db, noted.province, enough(low_water)).await?;
        pools.push(Seen {
            state: noted.state.next(level, low_water),
            noted,
            low_water,
            level,
        });
    }
    let mut unknown = views::provinces_with_numbers(cx.db).await?;
    unknown.retain(|province| pools.iter().all(|pool| pool.noted.province != *province));
    Ok(Survey {
        unknown,
        pools,
        are_several_told: pool_level::are_several_told(cx.db).await?,
    })
}

/// Notes what a pool has become, and tells it; whether its state changed.
async fn follow<D: Database>(cx: &Context<'_, D>, pool: &Seen) -> Result<bool, Error> {
    let province = pool.noted.province;
    let subject = Subject::province(province.code());
    if pool.is_empty() && !pool.noted.is_incident_open {
        open_incident(cx, IncidentKind::ProvinceWithoutNumber, &subject).await?;
    } else if !pool.is_empty() && pool.noted.is_incident_open {
        close_incident(cx, IncidentKind::ProvinceWithoutNumber, &subject).await?;
    }
    if pool.is_noted() {
        return Ok(false);
    }
    guarded(pool_level::note(cx.db, &pool.noted, pool.state, pool.level, cx.now).await?)?;
    // From low it is no news that it is empty, nor from empty that it is low.
    if pool.noted.state == PoolState::Ok && pool.state != PoolState::Ok && pool.low_water > 0 {
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
        raise(cx, alert).await?;
    }
    Ok(pool.state != pool.noted.state)
}

/// Tells that several pools are empty, or settles that.
async fn follow_several<D: Database>(cx: &Context<'_, D>, survey: &Survey) -> Result<(), Error> {
    let (kind, subject) = (IncidentKind::ProvincesWithoutNumber, Subject::platform());
    match (survey.are_several_empty(), survey.are_several_told) {
        (true, false) => {
            open_incident(cx, kind, &subject).await?;
            let joined = |text: fn(Province) -> &'static str| {
                let texts: Vec<&str> = survey.empty().map(text).collect();
                texts.join(",")
            };
            let alert = NewAlert {
                kind: AlertKind::PoolsEmpty,
                subject: &subject,
                fields: vec![
                    ("province_codes", joined(Province::code)),
                    ("provinces", joined(Province::zh)),
                ],
            };
            raise(cx, alert).await
        }
        (false, true) => close_incident(cx, kind, &subject).await,
        _ => Ok(()),
    }
}
