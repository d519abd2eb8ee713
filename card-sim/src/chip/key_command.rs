//! The command `80 D8 00 KVN`: loads K and OPc, wrapped under the chip's DEK, and EF_IMSI with them if it is given.
//!
//! No standard names a file for them; the seed-card profile uses this command in place of the proprietary commands
//! of card vendors. Data: `81` E(K), `82` E(OPc), `83` KCV(K), `84` EF_IMSI; E is AES-128-CBC with a zero ICV,
//! the KCV the first three bytes of AES-128-ECB over sixteen bytes 01. All of it is taken or nothing. It must never
//! return key bytes.

use openssl::symm::{Cipher, Crypter, Mode};
use uicc::apdu::{CommandApdu, StatusWord};
use uicc::tlv::ber;
use zeroize::Zeroizing;

use super::initial_files::IMSI_PATH;
use super::layout::{IMSI, find_path};
use super::nvm::{Nvm, SubscriptionKeys};
use crate::personalisation::{KEY_BYTES, Key, Personalisation};

/// Class of the command.
pub(super) const CLA: u8 = 0x80;
/// Instruction of the command.
pub(super) const INS: u8 = 0xD8;
const WRAPPED_K: u16 = 0x81;
const WRAPPED_OPC: u16 = 0x82;
const KCV_K: u16 = 0x83;
const EF_IMSI: u16 = 0x84;
const KCV_BYTES: usize = 3;
/// Referenced key not found.
const NO_SUCH_KEY_VERSION: StatusWord = StatusWord(0x6A88);

/// What a key command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loaded {
    /// Position of EF_IMSI in the layout, if it was written too.
    pub imsi: Option<usize>,
}

/// Unwraps, checks and stores both keys and EF_IMSI, or nothing. `refusals`: files that refuse every update.
pub(super) fn load(
    card: &Personalisation,
    nvm: &mut Nvm,
    refusals: &[(u16, StatusWord)],
    command: &CommandApdu,
) -> Result<Loaded, StatusWord> {
    if command.p1 != 0 {
        return Err(StatusWord::WRONG_P1_P2);
    }
    if command.p2 != card.key_version {
        return Err(NO_SUCH_KEY_VERSION);
    }
    let (mut k, mut opc, mut kcv, mut imsi) = (None, None, None, None);
    for field in ber::items(command.data()) {
        let field = field.map_err(|_| StatusWord::WRONG_DATA)?;
        let slot = match field.tag.get() {
            WRAPPED_K => &mut k,
            WRAPPED_OPC => &mut opc,
            KCV_K => &mut kcv,
            EF_IMSI => &mut imsi,
            _ => return Err(StatusWord::WRONG_DATA),
        };
        if slot.replace(field.value).is_some() {
            return Err(StatusWord::WRONG_DATA);
        }
    }
    let k = unwrap(&card.dek, k.ok_or(StatusWord::WRONG_DATA)?)?;
    let opc = unwrap(&card.dek, opc.ok_or(StatusWord::WRONG_DATA)?)?;
    if kcv.is_some_and(|kcv| check_value(&k).as_deref() != Some(kcv)) {
        return Err(StatusWord::WRONG_DATA);
    }
    let file = match imsi {
        Some(content) => Some((imsi_file(nvm, refusals, content)?, content)),
        None => None,
    };
    nvm.load_keys(SubscriptionKeys { k: *k, opc: *opc }, file)?;
    Ok(Loaded {
        imsi: file.map(|(at, _)| at),
    })
}

/// Position of EF_IMSI, if it takes this content.
fn imsi_file(nvm: &Nvm, refusals: &[(u16, StatusWord)], content: &[u8]) -> Result<usize, StatusWord> {
    let at = find_path(IMSI_PATH).ok_or(StatusWord::FILE_NOT_FOUND)?;
    if let Some((_, status)) = refusals.iter().find(|(fid, _)| *fid == IMSI) {
        return Err(*status);
    }
    if content.len() == nvm.file(at).len() {
        Ok(at)
    } else {
        Err(StatusWord::WRONG_DATA)
    }
}

fn unwrap(dek: &Key, wrapped: &[u8]) -> Result<Key, StatusWord> {
    if wrapped.len() != KEY_BYTES {
        return Err(StatusWord::WRONG_LENGTH);
    }
    let plain =
        crypt(Cipher::aes_128_cbc(), Mode::Decrypt, dek, wrapped).ok_or(StatusWord::TECHNICAL_PROBLEM)?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    key.copy_from_slice(&plain[..KEY_BYTES]);
    Ok(key)
}

fn check_value(key: &Key) -> Option<Vec<u8>> {
    crypt(Cipher::aes_128_ecb(), Mode::Encrypt, key, &[0x01; KEY_BYTES])
        .map(|block| block[..KCV_BYTES].to_vec())
}

/// One block through the cipher, without padding, zero ICV where there is one.
fn crypt(cipher: Cipher, mode: Mode, key: &Key, block: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let icv = [0; KEY_BYTES];
    let mut crypter = Crypter::new(cipher, mode, key.as_slice(), cipher.iv_len().map(|_| &icv[..])).ok()?;
    crypter.pad(false);
    let mut out = Zeroizing::new(vec![0; block.len() + cipher.block_size()]);
    let written = crypter.update(block, &mut out).ok()?;
    let finished = crypter.finalize(&mut out[written..]).ok()?;
    out.truncate(written + finished);
    (out.len() == block.len()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KVN: u8 = 0x40;

    fn card() -> Personalisation {
        let dek = *b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f";
        Personalisation::builder("89086030202200000022000000000090".parse().unwrap(), [7; 16], dek)
            .build()
            .unwrap()
    }

    fn command(p2: u8, data: &str) -> CommandApdu {
        CommandApdu::new(CLA, INS, 0, p2)
            .with_data(hex::decode(data).unwrap())
            .unwrap()
    }

    // Computed with Python's `cryptography`: DEK 00…0f, K 10…1f, OPc 20…2f.
    const K: &str = "811007feef74e1d5036e900eee118e949293";
    const OPC: &str = "82105be87e2e5b447c944b21c9af7756c0d8";
    const KCV: &str = "8303013808";
    const IMSI_FIELD: &str = "8409084906003175296408";

    #[test]
    fn wrapped_keys_arrive_unwrapped() {
        let mut nvm = Nvm::blank(0);
        let loaded = load(&card(), &mut nvm, &[], &command(KVN, &format!("{K}{OPC}{KCV}"))).unwrap();
        assert_eq!(loaded.imsi, None);
        let keys = nvm.keys().unwrap();
        assert_eq!(hex::encode(keys.k), "101112131415161718191a1b1c1d1e1f");
        assert_eq!(hex::encode(keys.opc), "202122232425262728292a2b2c2d2e2f");
    }

    #[test]
    fn nothing_is_loaded_from_a_command_that_is_wrong_anywhere() {
        let cases = [
            (KVN, format!("{K}{OPC}8303000000"), StatusWord::WRONG_DATA),
            (KVN, K.to_owned(), StatusWord::WRONG_DATA),
            (KVN, format!("{K}{K}{OPC}"), StatusWord::WRONG_DATA),
            (KVN, format!("{K}{OPC}850100"), StatusWord::WRONG_DATA),
            (KVN, format!("{K}{OPC}840100"), StatusWord::WRONG_DATA),
            (KVN, IMSI_FIELD.to_owned(), StatusWord::WRONG_DATA),
            (KVN, "81020102".to_owned() + OPC, StatusWord::WRONG_LENGTH),
            (KVN, "8110ff".to_owned(), StatusWord::WRONG_DATA),
            (0x41, format!("{K}{OPC}{KCV}"), NO_SUCH_KEY_VERSION),
        ];
        for (p2, data, expected) in cases {
            let mut nvm = Nvm::blank(0);
            assert_eq!(
                load(&card(), &mut nvm, &[], &command(p2, &data)),
                Err(expected),
                "{data}"
            );
            assert!(nvm.keys().is_none());
        }
    }

    #[test]
    fn the_imsi_comes_with_the_keys_or_neither_comes() {
        let at = find_path(IMSI_PATH).unwrap();
        let whole = command(KVN, &format!("{K}{OPC}{KCV}{IMSI_FIELD}"));
        let mut nvm = Nvm::blank(0);
        let refused = StatusWord::SECURITY_STATUS;
        assert_eq!(load(&card(), &mut nvm, &[(IMSI, refused)], &whole), Err(refused));
        assert!(nvm.keys().is_none() && nvm.file(at) == [0xFF; 9]);
        let loaded = load(&card(), &mut nvm, &[], &whole).unwrap();
        assert_eq!(loaded.imsi, Some(at));
        assert_eq!(hex::encode(nvm.file(at)), "084906003175296408");
        assert!(nvm.keys().is_some());
    }
}
