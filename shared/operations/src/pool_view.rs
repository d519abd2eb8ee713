//! §5.3.1.1 码号管理: the pools of operator numbers and their low-water marks, for administrators.

use super::Context;
use super::jobs::MaintenanceSettings;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{PoolState, Province, Timestamp};
use store::{Database, pool_level, quarantine};

/// Bound of the count of numbers in a pool.
pub const MAX_COUNTED: u32 = 100_000;

/// A pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolView {
    /// The province.
    pub province: Province,
    /// State when it was last counted by the job.
    pub state: PoolState,
    /// Numbers in it now, at most [`MAX_COUNTED`].
    pub level: u32,
    /// True when there are more than [`MAX_COUNTED`].
    pub is_capped: bool,
    /// Quarantined numbers that else would be in it, at most [`MAX_COUNTED`].
    pub quarantined: u32,
    /// The low-water mark that applies; 0 means none.
    pub low_water: u32,
    /// Since when it is in this state.
    pub changed_at: Timestamp,
}

/// Every watched pool, by the code of its province. A province is watched once it has had a number.
///
/// # Errors
/// [`Reason::Unavailable`] when the database is busy.
pub async fn pool_views<D: Database>(
    cx: &Context<'_, D>,
    maintenance: &MaintenanceSettings,
) -> Result<Vec<PoolView>, Error> {
    let mut views = Vec::new();
    for row in pool_level::all(cx.db).await? {
        let counted = pool_level::count(cx.db, row.province, MAX_COUNTED + 1).await?;
        views.push(PoolView {
            province: row.province,
            state: row.state,
            level: counted.min(MAX_COUNTED),
            is_capped: counted > MAX_COUNTED,
            quarantined: quarantine::count(cx.db, row.province, MAX_COUNTED).await?,
            low_water: row.low_water.unwrap_or(maintenance.pool_low_water),
            changed_at: row.changed_at,
        });
    }
    Ok(views)
}

/// Sets the low-water mark of one province; with none, the platform's mark applies again.
///
/// # Errors
/// [`Reason::ProvinceWithoutNumber`] for a province that never had a number in its pool.
pub async fn set_pool_low_water<D: Database>(
    cx: &Context<'_, D>,
    province: Province,
    low_water: Option<u32>,
) -> Result<(), Error> {
    transaction(cx, async |tx| {
        let before = pool_level::all(tx).await?;
        if pool_level::set_low_water(tx, province, low_water).await? {
            let before = before.into_iter().find(|row| row.province == province);
            cx.note_change("low_water", before.and_then(|row| row.low_water), low_water);
            Ok(())
        } else {
            Err(Reason::ProvinceWithoutNumber.into())
        }
    })
    .await
}
