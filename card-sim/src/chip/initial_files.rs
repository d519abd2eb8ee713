//! File contents of a chip as it is delivered: the temporary identity and the defaults of TS 31.102 annex E.
//!
//! It must never write key material into a file.

use uicc::ef::{
    Acc, AccessTechnology, Ad, DialNumber, EpsLoci, Fplmn, Iccid, Imsi, Keys, Loci, MncDigits, MsisdnRecord,
    Plmn, PlmnWithAct, PlmnWithActList, PsLoci, SmspRecord, Spn,
};
use uicc::tlv::ber;

use super::layout::{FILES, USIM_AID, find_path};
use super::nvm::{Identity, Nvm};
use crate::personalisation::Personalisation;

/// Path of EF_IMSI.
pub(super) const IMSI_PATH: &str = "ADF/6F07";
/// Digits of the network code in all IMSIs of country code 460.
const MNC_DIGITS: usize = 2;
/// Display name of the service provider.
const SERVICE_PROVIDER: &str = "xieka";

/// Encodes EF_IMSI for an IMSI; every byte is `FF` if the digits are not an IMSI.
#[must_use]
pub(super) fn imsi(digits: &str) -> Vec<u8> {
    digits
        .parse::<Imsi>()
        .map_or_else(|_| vec![0xFF; Imsi::BYTES], |imsi| imsi.encode())
}

/// Builds the memory with every file as delivered.
#[must_use]
pub(super) fn memory(card: &Personalisation) -> Nvm {
    let mut nvm = Nvm::blank(card.allowance);
    let mut put = |path: &str, content: &[u8]| {
        if let Some(at) = find_path(path) {
            // What does not fit stays blank: the personalisation was checked before.
            let _ = nvm.write(at, 0, content);
        }
    };
    put("3F00/2F00", &directory_record());
    if let Ok(iccid) = card.iccid.parse::<Iccid>() {
        put("3F00/2FE2", &iccid.encode());
    }
    put("ADF/6F38", &services());
    put("ADF/6F31", &[0x05]);
    put("ADF/6FAD", &Ad::normal(MncDigits::Two).encode());
    put("ADF/6FB7", &[0x11, 0xF2, 0xFF, 0x00, 0x11, 0xF0, 0xFF, 0x00]);
    put("ADF/6F5B", &[0xF0, 0x00, 0x00, 0xF0, 0x00, 0x00]);
    put("ADF/6FD9", &[0xFF; 12]);
    if let Ok(name) = Spn::new(0x00, SERVICE_PROVIDER) {
        put("ADF/6F46", &name.encode());
    }
    for (path, content) in identity(card) {
        put(path, &content);
    }
    nvm
}

/// Contents of every file that depends on the temporary identity.
fn identity(card: &Personalisation) -> Vec<(&'static str, Vec<u8>)> {
    let mut files = vec![
        (IMSI_PATH, imsi(&card.imsi)),
        ("ADF/6F08", Keys::reset().encode()),
        ("ADF/6F09", Keys::reset().encode()),
        ("ADF/6F7B", Fplmn::cleared(12).encode()),
    ];
    if let Ok(parsed) = card.imsi.parse::<Imsi>() {
        files.push(("ADF/6F78", Acc::for_imsi(&parsed).encode()));
    }
    if let Some(home) = home(&card.imsi) {
        let entry = PlmnWithAct {
            plmn: Some(home),
            technology: AccessTechnology::E_UTRAN,
        };
        if let Ok(list) = PlmnWithActList::filling(10, vec![entry]) {
            files.push(("ADF/6F62", list.encode()));
        }
        files.push(("ADF/6F7E", Loci::reset(home).encode()));
        files.push(("ADF/6F73", PsLoci::reset(home).encode()));
        files.push(("ADF/6FE3", EpsLoci::reset(home).encode()));
    }
    files.extend(numbers(card));
    files
}

fn numbers(card: &Personalisation) -> Vec<(&'static str, Vec<u8>)> {
    let size = |path| find_path(path).map_or(0, |at| FILES[at].structure.size());
    let mut files = Vec::new();
    let number = DialNumber::new(DialNumber::INTERNATIONAL, &card.msisdn).ok();
    if let Ok(record) = MsisdnRecord::with_number(size("ADF/6F40"), number) {
        files.push(("ADF/6F40", record.encode()));
    }
    let centre = card
        .smsc
        .as_deref()
        .and_then(|smsc| DialNumber::new(DialNumber::INTERNATIONAL, smsc).ok());
    if let Some(centre) = centre
        && let Ok(record) = SmspRecord::with_service_centre(size("ADF/6F42"), centre, SmspRecord::ONE_DAY)
    {
        files.push(("ADF/6F42", record.encode()));
    }
    files
}

/// Writes the temporary identity back, so that the chip can be reached again. K and OPc of the temporary
/// number never left the chip; those of the operator number are forgotten.
pub(super) fn restore_identity(card: &Personalisation, nvm: &mut Nvm) {
    for (path, content) in identity(card) {
        if let Some(at) = find_path(path) {
            // Each file is as long as its content; see the layout.
            let _ = nvm.write(at, 0, &content);
        }
    }
    nvm.forget_keys();
    nvm.identity = Identity::Temporary;
    nvm.failed_attempts = 0;
}

/// The home network of an IMSI.
fn home(imsi: &str) -> Option<Plmn> {
    Plmn::new(imsi.get(..3)?, imsi.get(3..3 + MNC_DIGITS)?).ok()
}

/// EF_DIR's record: the USIM (TS 102 221 §13.1).
fn directory_record() -> Vec<u8> {
    const APPLICATION_TEMPLATE: u16 = 0x61;
    const AID: u16 = 0x4F;
    const LABEL: u16 = 0x50;
    let mut inner = Vec::new();
    ber::put(&mut inner, AID, &USIM_AID);
    ber::put(&mut inner, LABEL, b"USIM");
    let mut record = Vec::new();
    ber::put(&mut record, APPLICATION_TEMPLATE, &inner);
    record
}

/// EF_UST (TS 31.102 §4.2.8): the services whose files this chip has.
fn services() -> [u8; 14] {
    // 12 SMSP, 19 SPN, 20 PLMNwAcT, 21 MSISDN, 42 OPLMNwAcT, 43 HPLMNwAcT, 71 EHPLMN, 85 EPS.
    const SERVICES: [u8; 8] = [12, 19, 20, 21, 42, 43, 71, 85];
    let mut table = [0; 14];
    for service in SERVICES {
        let bit = usize::from(service) - 1;
        table[bit / 8] |= 1 << (bit % 8);
    }
    table
}
