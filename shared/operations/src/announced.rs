//! What gateways announced, compared with what is entered of a chip: no gateway could write a chip whose profile none
//! has, nor let in one whose keys none can derive.

use super::warning_kind::WarningKind;
use domain::error::{Error, Reason};
use store::chip_content::ChipContent;
use store::gateway::{self, GatewayRow, SEPARATOR};
use store::{Database, Tx};

/// What the operator is warned of about a chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayWarning {
    /// What is not as usual.
    pub kind: WarningKind,
    /// The column; none when nothing was compared.
    pub column: Option<&'static str>,
    /// The gateways that know its value.
    pub gateways: Vec<String>,
}

/// The gateways that are not forgotten.
pub(super) struct Announced(Vec<GatewayRow>);

impl Announced {
    /// Reads what gateways announced.
    pub(super) async fn read<D: Database>(tx: &Tx<'_, D>) -> Result<Self, Error> {
        Ok(Self(gateway::all(tx).await?))
    }

    /// What is not as usual about a new chip, or about what a correction changes of one that is `stored`.
    ///
    /// # Errors
    /// [`Reason::UnknownToGateways`] with the column whose value no gateway announced.
    pub(super) fn judge(
        &self,
        chip: &ChipContent,
        stored: Option<&ChipContent>,
    ) -> Result<Vec<GatewayWarning>, Error> {
        let sets_profile = stored.is_none_or(|stored| stored.profile != chip.profile);
        // A chip with keys of its own needs no master key.
        let is_derived = chip.psk_sealed.is_none();
        let sets_version =
            stored.is_none_or(|stored| stored.key_version != chip.key_version || stored.psk_sealed.is_some());
        if self.0.is_empty() && (sets_profile || is_derived && sets_version) {
            return Ok(vec![GatewayWarning {
                kind: WarningKind::NoGatewayAnnounced,
                column: None,
                gateways: Vec::new(),
            }]);
        }
        let mut warnings = Vec::new();
        if sets_profile {
            warnings.extend(self.judge_value("profile", &chip.profile, |row| &row.profiles)?);
        }
        if is_derived && sets_version {
            let version = chip.key_version.to_string();
            warnings.extend(self.judge_value("key_version", &version, |row| &row.key_versions)?);
        }
        Ok(warnings)
    }

    fn judge_value(
        &self,
        column: &'static str,
        value: &str,
        announced: fn(&GatewayRow) -> &String,
    ) -> Result<Option<GatewayWarning>, Error> {
        let knows = |row: &&GatewayRow| announced(row).split(SEPARATOR).any(|known| known == value);
        let knowing: Vec<String> = self.0.iter().filter(knows).map(|row| row.name.clone()).collect();
        if knowing.is_empty() {
            let all = self.0.iter().flat_map(|row| announced(row).split(SEPARATOR));
            let mut known: Vec<&str> = all.filter(|known| !known.is_empty()).collect();
            known.sort_unstable();
            known.dedup();
            let known = known.join(", ");
            let error = Error::new(Reason::UnknownToGateways).with_detail(
                format!("没有网关公布 {column} {value}；已公布：{known}"),
                format!("no gateway announced {column} {value}; announced: {known}"),
            );
            return Err(error.with_field(column));
        }
        let is_known_to_all = knowing.len() == self.0.len();
        Ok((!is_known_to_all).then_some(GatewayWarning {
            kind: WarningKind::KnownToSomeGateways,
            column: Some(column),
            gateways: knowing,
        }))
    }
}
