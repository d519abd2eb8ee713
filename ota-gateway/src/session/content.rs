//! What each file shall hold, from what was reserved and from what the file holds now.
//!
//! The present content gives the length of the file or record, and the parts of it that the issuer keeps. It must
//! never produce more bytes than one UPDATE carries.

use anyhow::Context as _;
use gateway_protocol::{CardData, FailureKind};
use uicc::ef::{
    Acc, AccessTechnology, Ad, DialNumber, EpsLoci, Fplmn, Iccid, Imsi, Keys, Loci, MncDigits, MsisdnRecord,
    Plmn, PlmnWithAct, PlmnWithActList, PsLoci, SmspRecord, UpdateStatus,
};

use super::failure::Failure;
use crate::profile::{EfKind, File, MsisdnFormat, Profile};

/// Country code put in front of a number in international format.
const COUNTRY_CODE: &str = "86";
/// Digits of a mobile country code.
const MCC_DIGITS: usize = 3;
/// Most bytes of an UPDATE; longer lists are written up to the last whole entry below it.
const MAX_UPDATE_BYTES: usize = 255;

/// What was reserved for the card, parsed.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    iccid: Iccid,
    imsi: Imsi,
    msisdn: DialNumber,
    smsc: Option<DialNumber>,
    home: Plmn,
}

impl Values {
    /// Parses what the platform reserved; the profile says how numbers are written.
    ///
    /// # Errors
    /// The identifier that is malformed, by name.
    pub(crate) fn parse(data: &CardData, profile: &Profile) -> anyhow::Result<Self> {
        let msisdn = match profile.msisdn_format {
            MsisdnFormat::International => DialNumber::new(
                DialNumber::INTERNATIONAL,
                &format!("{COUNTRY_CODE}{}", data.msisdn),
            ),
            MsisdnFormat::National => DialNumber::new(DialNumber::NATIONAL, &data.msisdn),
        };
        let network = data
            .imsi
            .get(..MCC_DIGITS + usize::from(profile.mnc_digits))
            .context("IMSI: too short")?;
        Ok(Self {
            iccid: data.iccid.parse().context("ICCID")?,
            imsi: data.imsi.parse().context("IMSI")?,
            msisdn: msisdn.context("MSISDN")?,
            smsc: data.smsc.as_deref().map(str::parse).transpose().context("SMSC")?,
            home: network.parse().context("PLMN of the IMSI")?,
        })
    }
}

/// Whether anything was reserved for `file`; only the service centre of EF_SMSP may be left out.
pub(super) fn is_reserved(file: &File, values: &Values) -> bool {
    match file.ef {
        EfKind::Smsp => values.smsc.is_some(),
        EfKind::Powerups => false,
        _ => true,
    }
}

/// What `file` shall hold, to be compared with and written over the beginning of `held`. None if the file is not to
/// be written, such as an EF_SMSP for which no service centre was reserved.
///
/// # Errors
/// [`FailureKind::WrongLength`].
pub(super) fn desired(
    profile: &Profile,
    file: &File,
    values: &Values,
    held: &[u8],
) -> Result<Option<Vec<u8>>, Failure> {
    let content = match file.ef {
        EfKind::Iccid => values.iccid.encode(),
        EfKind::Imsi => values.imsi.encode(),
        EfKind::Msisdn => fit(
            file,
            MsisdnRecord::with_number(held.len(), Some(values.msisdn.clone())),
        )?
        .encode(),
        EfKind::Smsp => {
            let Some(centre) = values.smsc.clone() else {
                return Ok(None);
            };
            fit(
                file,
                SmspRecord::with_service_centre(held.len(), centre, SmspRecord::ONE_DAY),
            )?
            .encode()
        }
        EfKind::Acc => Acc::for_imsi(&values.imsi).encode(),
        EfKind::Ad => administrative_data(profile, file, held)?,
        EfKind::Loci => Loci::reset(values.home).encode(),
        EfKind::Psloci => PsLoci::reset(values.home).encode(),
        EfKind::Epsloci => EpsLoci::reset(values.home).encode(),
        EfKind::Keys | EfKind::Keysps => Keys::reset().encode(),
        EfKind::Hplmnwact => {
            let home = PlmnWithAct {
                plmn: Some(values.home),
                technology: AccessTechnology(profile.access_technologies),
            };
            fit(
                file,
                PlmnWithActList::filling(held.len().min(MAX_UPDATE_BYTES), vec![home]),
            )?
            .encode()
        }
        EfKind::Fplmn => Fplmn::cleared(held.len().min(MAX_UPDATE_BYTES)).encode(),
        EfKind::Powerups => return Ok(None),
        EfKind::Fixed => file.content().to_vec(),
    };
    if content.len() > held.len() {
        return Err(Failure::too_short(&file.name(), held.len()));
    }
    Ok(Some(content))
}

/// EF_AD with the length of the network code: mode and features stay as the issuer set them.
fn administrative_data(profile: &Profile, file: &File, held: &[u8]) -> Result<Vec<u8>, Failure> {
    let digits = if profile.mnc_digits == 3 {
        MncDigits::Three
    } else {
        MncDigits::Two
    };
    let mut data = Ad::parse(held).unwrap_or_else(|_| Ad::normal(digits));
    if data.mnc_digits.is_none() {
        return Err(Failure::too_short(&file.name(), held.len()));
    }
    data.mnc_digits = Some(digits);
    Ok(data.encode())
}

fn fit<T>(file: &File, encoded: uicc::Result<T>) -> Result<T, Failure> {
    encoded.map_err(|error| Failure::new(FailureKind::WrongLength, format!("{}: {error}", file.name())))
}

/// Whether a location file says that the module registered with this card.
pub(super) fn is_registered(ef: EfKind, held: &[u8]) -> bool {
    let status = match ef {
        EfKind::Loci => Loci::parse(held).map(|loci| loci.status),
        EfKind::Psloci => PsLoci::parse(held).map(|loci| loci.status),
        EfKind::Epsloci => EpsLoci::parse(held).map(|loci| loci.status),
        _ => return false,
    };
    status.is_ok_and(|status| status == UpdateStatus::Updated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::SHIPPED;

    fn profile() -> Profile {
        Profile::parse(SHIPPED[1]).unwrap()
    }

    fn data() -> CardData {
        CardData {
            iccid: "89860112345678901234".into(),
            msisdn: "1440123456789".into(),
            imsi: "460001357924680".into(),
            smsc: Some("+8613800100500".into()),
            k_wrapped: None,
            opc_wrapped: None,
        }
    }

    fn content(ef: EfKind, held: &str) -> Result<Option<String>, FailureKind> {
        let profile = profile();
        let file = &profile.files[profile.position(ef).unwrap()];
        let values = Values::parse(&data(), &profile).unwrap();
        let content = desired(&profile, file, &values, &hex::decode(held).unwrap());
        content
            .map(|bytes| bytes.map(hex::encode))
            .map_err(|failure| failure.kind)
    }

    #[test]
    fn every_file_gets_what_was_reserved_in_the_length_it_has() {
        let ff = |bytes: usize| "ff".repeat(bytes);
        let cases = [
            (EfKind::Iccid, ff(10), "98681021436587092143".to_owned()),
            (EfKind::Imsi, ff(9), "084906003175296408".to_owned()),
            (
                EfKind::Msisdn,
                ff(16),
                "ffff099168410421436587f9ffffffff".to_owned(),
            ),
            (
                EfKind::Smsp,
                ff(28),
                format!("e1{}0891683108100005f0ffffff0000a7", ff(12)),
            ),
            (EfKind::Acc, "0000".into(), "0001".to_owned()),
            (EfKind::Ad, "80000103".into(), "80000102".to_owned()),
            (EfKind::Ad, "ffffffffff".into(), "00000002".to_owned()),
            (EfKind::Loci, ff(11), "ffffffff64f0000000ff01".to_owned()),
            (EfKind::Psloci, ff(14), "ffffffffffffff64f0000000ff01".to_owned()),
            (EfKind::Epsloci, ff(18), format!("{}64f000000001", ff(12))),
            (EfKind::Keys, ff(33), format!("07{}", ff(32))),
            (EfKind::Keysps, ff(33), format!("07{}", ff(32))),
            (EfKind::Hplmnwact, ff(10), "64f0004000ffffff0000".to_owned()),
            (EfKind::Fplmn, "64f010ffffff".into(), ff(6)),
        ];
        for (ef, held, expected) in cases {
            assert_eq!(content(ef, &held), Ok(Some(expected)), "{ef:?}");
        }
    }

    #[test]
    fn an_iccid_of_nineteen_digits_is_written_with_its_filler() {
        let profile = profile();
        let file = &profile.files[profile.position(EfKind::Iccid).unwrap()];
        // As the platform sends it. The bytes are a test vector of pySim, encoded by it.
        let iccid = "8988211000000430010F".into();
        let values = Values::parse(&CardData { iccid, ..data() }, &profile).unwrap();
        let content = desired(&profile, file, &values, &[0xFF; 10]).map_err(|failure| failure.kind);
        assert_eq!(
            content.map(|bytes| bytes.map(hex::encode)),
            Ok(Some("988812010000400310f0".to_owned()))
        );
    }

    #[test]
    fn a_file_that_is_too_short_is_a_wrong_length() {
        for (ef, held) in [
            (EfKind::Iccid, "00"),
            (EfKind::Imsi, "0000"),
            (EfKind::Msisdn, "00"),
            (EfKind::Smsp, "00"),
            (EfKind::Ad, "000000"),
            (EfKind::Loci, ""),
            (EfKind::Hplmnwact, "00"),
        ] {
            assert_eq!(content(ef, held), Err(FailureKind::WrongLength), "{ef:?}");
        }
    }

    #[test]
    fn without_a_service_centre_ef_smsp_is_left_alone() {
        let profile = profile();
        let values = Values::parse(&CardData { smsc: None, ..data() }, &profile).unwrap();
        let file = &profile.files[profile.position(EfKind::Smsp).unwrap()];
        assert_eq!(desired(&profile, file, &values, &[0xFF; 28]), Ok(None));
    }

    #[test]
    fn what_cannot_be_an_identifier_is_refused_by_name() {
        type Spoil = fn(&mut CardData);
        let cases: [(Spoil, &str); 4] = [
            (|data| data.imsi = "46".into(), "IMSI"),
            (|data| data.iccid = "12".into(), "ICCID"),
            (|data| data.msisdn = "x".into(), "MSISDN"),
            (|data| data.smsc = Some("?".into()), "SMSC"),
        ];
        for (spoil, expected) in cases {
            let mut data = data();
            spoil(&mut data);
            assert!(
                Values::parse(&data, &profile())
                    .unwrap_err()
                    .to_string()
                    .contains(expected)
            );
        }
    }

    #[test]
    fn only_an_updated_location_file_proves_a_registration() {
        let loci = |status: &str| hex::decode(format!("ffffffff64f0000000ff{status}")).unwrap();
        assert!(is_registered(EfKind::Loci, &loci("00")));
        for status in ["01", "02", "03", "07"] {
            assert!(!is_registered(EfKind::Loci, &loci(status)), "{status}");
        }
        assert!(!is_registered(EfKind::Loci, &[]));
        assert!(!is_registered(EfKind::Epsloci, &loci("00")));
        assert!(!is_registered(EfKind::Imsi, &loci("00")));
    }
}
