//! Card profiles: what a kind of card needs so that its files can be written, as data.
//!
//! A profile is a TOML document (see `profiles/` of this crate). It must never have a field that is not here, and is
//! never used before [`Profile::parse`] found it consistent. Errors name the field and what is wrong.

mod catalogue;
mod path;
mod validate;

use anyhow::Context as _;
use serde::Deserialize;
use uicc::ident::Aid;

pub use catalogue::{Catalogue, SHIPPED};
use path::{Fid, HexBytes};
pub use path::{FilePath, Root};

/// Everything the gateway must know about one kind of card.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name by which the inventory refers to the profile: `a`–`z`, `0`–`9`, `-`.
    pub name: String,
    /// Chip models it is made for; for people and for reports.
    pub models: Vec<String>,
    /// The RFM application that scripts are addressed to.
    #[serde(rename = "rfm_aid", deserialize_with = "path::aid")]
    pub rfm_aid: Aid,
    /// Most bytes of one script.
    pub max_script_bytes: usize,
    /// What to do about the ICCID.
    pub iccid: IccidPolicy,
    /// Format of the number in EF_MSISDN.
    pub msisdn_format: MsisdnFormat,
    /// Digits of the mobile network code in the IMSI: 2 or 3.
    pub mnc_digits: u8,
    /// Access technologies of the home network in EF_HPLMNwAcT (TS 31.102 §4.2.5).
    pub access_technologies: u16,
    /// How files are selected.
    pub select: Select,
    /// The files, in the order in which they are written.
    #[serde(rename = "file")]
    pub files: Vec<File>,
    /// The command that loads K and OPc. None: the card keeps its own.
    pub key_material: Option<KeyMaterial>,
    /// How the switch from the old K, OPc and IMSI to the new ones is atomic.
    #[serde(default)]
    pub identity_switch: IdentitySwitch,
    /// What must read back equal before the card is restarted.
    pub read_back: ReadBack,
    /// How the card is restarted.
    pub refresh: Refresh,
    /// What proves that the operator number works.
    pub verify: Verify,
}

/// How the switch of identity is atomic: at no moment does a loss of power leave the card with the K of one number and
/// the IMSI of another, with which no network lets it in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentitySwitch {
    /// The key command carries the IMSI too, and the card takes all of it or nothing.
    OneCommand,
    /// The card keeps K, OPc and IMSI aside until the REFRESH, and forgets them at a power-up without one.
    CommitAtRefresh,
    /// A card that no network lets in goes back to the identity it was made with.
    CardFallback,
    /// It is not: the key command and the UPDATE of EF_IMSI are two commands.
    #[default]
    Separate,
}

impl IdentitySwitch {
    /// Whether the card may go back to the old identity after it acknowledged the new one.
    #[must_use]
    pub const fn may_revert(self) -> bool {
        matches!(self, Self::CommitAtRefresh | Self::CardFallback)
    }
}

/// What to do about the ICCID, which many cards do not let anybody change (TS 102 221 §13.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IccidPolicy {
    /// It must be replaced; a refusal fails the writing.
    Write,
    /// Try; a card that does not allow it keeps its own. Any other failure fails the writing.
    Optional,
    /// Never touch it.
    Keep,
}

/// Format of the number in EF_MSISDN (TS 31.102 §4.4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MsisdnFormat {
    /// `+86…`, type of number 91.
    International,
    /// As dialled at home, type of number A1.
    National,
}

/// How files are selected.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// One SELECT per level, or one by path.
    pub style: SelectStyle,
    /// AID, or its beginning, of the USIM. None: the RFM application starts in its ADF.
    #[serde(default, deserialize_with = "path::optional_aid")]
    pub usim_aid: Option<Aid>,
}

/// How a file is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SelectStyle {
    /// `00 A4 00` for each level.
    Fid,
    /// `00 A4 08` with the path from the MF.
    Path,
}

/// One file of the card.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Where it is: `3F00/2FE2`, `ADF/6F07`.
    pub path: FilePath,
    /// What it holds.
    pub ef: EfKind,
    /// Number of the record to write; record files alone.
    pub record: Option<u8>,
    /// Whether a card that lacks the file is written all the same; one that has it and refuses is not.
    #[serde(default)]
    pub optional: bool,
    /// What to write into a file of kind `fixed`, in hexadecimal.
    #[serde(default)]
    content: Option<HexBytes>,
}

impl File {
    /// Name of the file in messages: `EF_IMSI`, or `EF_6F46` for one of kind `fixed`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.ef {
            EfKind::Fixed => format!("EF_{:04X}", self.path.fid()),
            known => known.name().to_owned(),
        }
    }

    /// What a file of kind `fixed` shall hold.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        self.content.as_ref().map_or(&[], |content| &content.0)
    }
}

/// What a file holds (TS 102 221 §13, TS 31.102 §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are those of the specifications")]
pub enum EfKind {
    Iccid,
    Imsi,
    Msisdn,
    Smsp,
    Acc,
    Ad,
    Loci,
    Psloci,
    Epsloci,
    Keys,
    Keysps,
    Hplmnwact,
    Fplmn,
    /// What changes with each power-up of the card, such as a boot counter: read, and never written. It tells the
    /// platform which sessions are of one power-up.
    Powerups,
    /// The same content for every card, given in the profile.
    Fixed,
}

impl EfKind {
    /// Name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iccid => "EF_ICCID",
            Self::Imsi => "EF_IMSI",
            Self::Msisdn => "EF_MSISDN",
            Self::Smsp => "EF_SMSP",
            Self::Acc => "EF_ACC",
            Self::Ad => "EF_AD",
            Self::Loci => "EF_LOCI",
            Self::Psloci => "EF_PSLOCI",
            Self::Epsloci => "EF_EPSLOCI",
            Self::Keys => "EF_Keys",
            Self::Keysps => "EF_KeysPS",
            Self::Hplmnwact => "EF_HPLMNwAcT",
            Self::Fplmn => "EF_FPLMN",
            Self::Powerups => "the counter of power-ups",
            Self::Fixed => "EF",
        }
    }

    /// Whether the file holds where and whether the module registered.
    #[must_use]
    pub const fn is_location(self) -> bool {
        matches!(self, Self::Loci | Self::Psloci | Self::Epsloci)
    }

    /// Whether records, not bytes, are written.
    #[must_use]
    pub const fn has_records(self) -> bool {
        matches!(self, Self::Msisdn | Self::Smsp)
    }
}

/// The command that loads key material; a card vendor's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyMaterial {
    /// Class byte.
    pub cla: u8,
    /// Instruction byte.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: SecondParameter,
    /// How the values are encrypted.
    pub wrapping: Wrapping,
    /// The data field: TLV objects in this order.
    pub fields: Vec<KeyField>,
}

/// P2 of the key command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum SecondParameter {
    /// This byte.
    Byte(u8),
    /// A value that depends on the chip.
    Named(NamedParameter),
}

/// Values a parameter byte may take from the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamedParameter {
    /// The version of the chip's keys (KVN).
    KeyVersion,
}

/// How key material is encrypted within the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wrapping {
    /// AES-128-CBC under the chip's DEK, zero ICV.
    AesCbcDek,
}

/// One TLV object of the key command.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyField {
    /// One-byte tag.
    pub tag: u8,
    /// What it holds.
    pub value: KeyValue,
}

/// What one TLV object of the key command holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyValue {
    /// The subscriber key, wrapped.
    K,
    /// The operator variant, wrapped.
    Opc,
    /// Check value of the subscriber key.
    KcvK,
    /// Check value of the operator variant.
    KcvOpc,
    /// The IMSI, as EF_IMSI holds it (TS 31.102 §4.2.2).
    Imsi,
}

/// What must read back equal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadBack {
    /// Kinds of files, each of them listed.
    pub efs: Vec<EfKind>,
}

/// How the card is restarted with its new files.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// Who orders it.
    pub how: RefreshHow,
    /// Qualifier of the REFRESH command (TS 102 223 §8.6).
    pub qualifier: u8,
}

/// Who orders the REFRESH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefreshHow {
    /// The RFM application, after files changed.
    Automatic,
    /// A script whose only command is an immediate action.
    ImmediateAction,
}

/// What proves that the module registered with the operator number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// File identifiers of location files, any of which must say "updated".
    pub registered: Vec<Fid>,
}

impl Profile {
    /// Reads a profile and checks that it is consistent.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let profile: Self = toml::from_str(text).context("card profile")?;
        validate::check(&profile).with_context(|| format!("card profile {:?}", profile.name))?;
        Ok(profile)
    }

    /// Whether K and IMSI change in two commands between which a loss of power loses the card.
    #[must_use]
    pub fn switches_in_two(&self) -> bool {
        self.key_material.is_some() && self.identity_switch == IdentitySwitch::Separate
    }

    /// What whoever uses the profile must know: the two commands between which a loss of power loses the card.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let keys = self.key_material.as_ref().filter(|_| self.switches_in_two())?;
        let imsi = self.files.get(self.position(EfKind::Imsi)?)?;
        Some(format!(
            "a loss of power between the key command ({:02X} {:02X}) and the UPDATE of {} ({}) leaves a card that no \
             network lets in; if the card makes the switch atomic, say how in identity_switch",
            keys.cla,
            keys.ins,
            imsi.name(),
            imsi.path
        ))
    }

    /// Position of the file of this kind.
    #[must_use]
    pub fn position(&self, ef: EfKind) -> Option<usize> {
        self.files.iter().position(|file| file.ef == ef)
    }

    /// Whether the file at `position` is a location file that proves a registration.
    #[must_use]
    pub fn proves_registration(&self, position: usize) -> bool {
        self.files.get(position).is_some_and(|file| {
            file.ef.is_location() && self.verify.registered.iter().any(|fid| fid.0 == file.path.fid())
        })
    }

    /// Whether the file at `position` is written at all.
    #[must_use]
    pub fn is_written(&self, position: usize) -> bool {
        self.files
            .get(position)
            .is_some_and(|file| file.ef != EfKind::Iccid || self.iccid != IccidPolicy::Keep)
    }

    /// Whether a card that lacks the file at `position` is written all the same.
    #[must_use]
    pub fn is_optional(&self, position: usize) -> bool {
        self.files.get(position).is_some_and(|file| file.optional)
    }
}
