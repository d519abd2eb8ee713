//! AUTHENTICATE: the USIM proves that it holds K and OPc (TS 31.102 §7.1.2).
//!
//! It must never return K or OPc, nor answer a token that was made under other keys.

use uicc::apdu::{CommandApdu, StatusWord};

use super::core::Core;

/// P2: 3G or EPS security context.
const EPS_CONTEXT: u8 = 0x81;
/// Tag of the data of a successful authentication.
const SUCCESS: u8 = 0xDB;
/// Authentication error, incorrect MAC.
const INCORRECT_MAC: StatusWord = StatusWord(0x9862);

/// Answers the network's challenge with RES, CK and IK under the keys that are in force.
pub(super) fn authenticate(core: &Core, command: &CommandApdu) -> Result<Vec<u8>, StatusWord> {
    if (command.p1, command.p2) != (0x00, EPS_CONTEXT) {
        return Err(StatusWord::WRONG_P1_P2);
    }
    let [16, fields @ ..] = command.data() else {
        return Err(StatusWord::WRONG_LENGTH);
    };
    let Some((rand, [16, autn @ ..])) = fields.split_first_chunk::<16>() else {
        return Err(StatusWord::WRONG_LENGTH);
    };
    let autn: &[u8; 16] = autn.try_into().map_err(|_| StatusWord::WRONG_LENGTH)?;
    let response = core.milenage().respond(rand, autn).ok_or(INCORRECT_MAC)?;
    let mut data = vec![SUCCESS];
    for part in [&response.res[..], &response.ck, &response.ik] {
        data.push(part.len() as u8);
        data.extend_from_slice(part);
    }
    Ok(data)
}
