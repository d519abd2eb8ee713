//! §5.3.1.2: K and OPc, which nobody needs once the number is proven to be on its card.

use super::settings::WRITTEN_KEYS;
use super::{Error, MAX_WHOLE, Run};
use store::{Database, number};

/// Destroys K and OPc of numbers that are written: sealed nothing takes their place. The number stays, and can be
/// written to no other card until a file of corrections gives it K and OPc again.
pub(super) async fn destroy<D: Database>(run: &mut Run<'_, '_, D>) -> Result<(), Error> {
    let (before, cx) = (run.before(&[WRITTEN_KEYS]), run.cx);
    run.destroy("number_keys", MAX_WHOLE, async |tx, most| {
        let mut count = 0;
        for iccid in number::with_spent_keys(tx, before, most).await? {
            let nothing = |column| cx.vault.seal(cx.random, column, iccid.as_bytes(), &[]);
            let keys = [nothing(number::K)?, nothing(number::OPC)?];
            count += usize::from(number::destroy_keys(tx, &iccid, keys, cx.now).await?);
        }
        Ok(count)
    })
    .await
}
