//! What gateways announced, compared with a chip that is imported: no gateway could write a chip whose profile none has,
//! nor let in one whose keys none can derive.

use super::columns::ColumnError;
use super::warnings::WarningKind;
use domain::error::{Error, Reason};
use store::chip_content::ChipContent;
use store::gateway::{self, GatewayRow, SEPARATOR};
use store::{Database, Tx};

/// What a chip is warned of: the kind, the column, and the gateways that know its value.
pub(super) type Warned = (WarningKind, Option<&'static str>, Vec<String>);

/// The gateways that are not forgotten.
pub(super) struct Announced(Vec<GatewayRow>);

impl Announced {
    /// Reads what gateways announced.
    pub(super) async fn read<D: Database>(tx: &Tx<'_, D>) -> Result<Self, Error> {
        Ok(Self(gateway::all(tx).await?))
    }

    /// What is not as usual about a chip.
    ///
    /// # Errors
    /// [`Reason::UnknownToGateways`] with the column whose value no gateway announced.
    pub(super) fn judge(&self, chip: &ChipContent) -> Result<Vec<Warned>, ColumnError> {
        if self.0.is_empty() {
            return Ok(vec![(WarningKind::NoGatewayAnnounced, None, Vec::new())]);
        }
        let mut warned = Vec::new();
        warned.extend(self.judge_value("profile", &chip.profile, |row| &row.profiles)?);
        // A chip with keys of its own needs no master key.
        if chip.psk_sealed.is_none() {
            let version = chip.key_version.to_string();
            warned.extend(self.judge_value("key_version", &version, |row| &row.key_versions)?);
        }
        Ok(warned)
    }

    fn judge_value(
        &self,
        column: &'static str,
        value: &str,
        announced: fn(&GatewayRow) -> &String,
    ) -> Result<Option<Warned>, ColumnError> {
        let knows = |row: &&GatewayRow| announced(row).split(SEPARATOR).any(|known| known == value);
        let knowing: Vec<String> = self.0.iter().filter(knows).map(|row| row.name.clone()).collect();
        if knowing.is_empty() {
            let all = self.0.iter().flat_map(|row| announced(row).split(SEPARATOR));
            let mut known: Vec<&str> = all.filter(|known| !known.is_empty()).collect();
            known.sort_unstable();
            known.dedup();
            let known = known.join(", ");
            return Err(ColumnError::new(
                column,
                Reason::UnknownToGateways,
                format!("没有网关公布 {column} {value}；已公布：{known}"),
                format!("no gateway announced {column} {value}; announced: {known}"),
            ));
        }
        let is_known_to_all = knowing.len() == self.0.len();
        Ok((!is_known_to_all).then_some((WarningKind::KnownToSomeGateways, Some(column), knowing)))
    }
}
