//! MILENAGE: the functions by which a USIM and its home network know each other (TS 35.206 §4.1).
//!
//! The network must never learn K from the card, nor the card from the network: both hold it already.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use zeroize::Zeroizing;

/// Bytes of K, OPc and of one block.
const BLOCK: usize = 16;
/// Authentication management field of an EPS or GPRS authentication (TS 33.102 annex H: separation bit).
const AMF: [u8; 2] = [0x80, 0x00];

type Block = [u8; BLOCK];

/// K and OPc of one subscription; wiped when dropped.
#[derive(Clone)]
pub(crate) struct Milenage {
    k: Zeroizing<Block>,
    opc: Zeroizing<Block>,
}

impl std::fmt::Debug for Milenage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Milenage")
    }
}

/// What a network asks a USIM, and the answer it expects (TS 33.102 §6.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// Random challenge.
    pub(crate) rand: Block,
    /// Authentication token: SQN ⊕ AK, AMF, MAC.
    pub(crate) autn: Block,
    /// Expected response.
    pub(crate) expected: [u8; 8],
}

/// Response of a USIM to a challenge: RES, CK and IK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) res: [u8; 8],
    pub(crate) ck: Block,
    pub(crate) ik: Block,
}

impl Milenage {
    /// The functions under this K and OPc.
    pub(crate) fn new(k: Block, opc: Block) -> Self {
        Self {
            k: Zeroizing::new(k),
            opc: Zeroizing::new(opc),
        }
    }

    /// The network's side: a challenge with this random value and sequence number.
    pub(crate) fn challenge(&self, rand: Block, sqn: [u8; 6]) -> Challenge {
        let ((expected, ak), mac) = (self.f2_f5(&rand), self.f1(&rand, sqn, AMF));
        let mut autn = [0; BLOCK];
        for (at, byte) in sqn.iter().enumerate() {
            autn[at] = byte ^ ak[at];
        }
        autn[6..8].copy_from_slice(&AMF);
        autn[8..].copy_from_slice(&mac);
        Challenge { rand, autn, expected }
    }

    /// The USIM's side: the response, if the token was made under the same K and OPc. The sequence number may be any.
    pub(crate) fn respond(&self, rand: &Block, autn: &Block) -> Option<Response> {
        let (res, ak) = self.f2_f5(rand);
        let sqn = std::array::from_fn(|at| autn[at] ^ ak[at]);
        let mac = self.f1(rand, sqn, [autn[6], autn[7]]);
        (mac == autn[8..]).then(|| Response {
            res,
            ck: self.out(rand, 4, 2),
            ik: self.out(rand, 8, 4),
        })
    }

    fn f1(&self, rand: &Block, sqn: [u8; 6], amf: [u8; 2]) -> [u8; 8] {
        let half = [&sqn[..], &amf[..]].concat();
        let input = std::array::from_fn(|at| half[at % half.len()]);
        // Rotation by 64 bits, constant 0.
        let rotated = rotate(&xor(&input, &self.opc), 8);
        let out = xor(&self.encrypt(xor(&self.temp(rand), &rotated)), &self.opc);
        std::array::from_fn(|at| out[at])
    }

    fn f2_f5(&self, rand: &Block) -> ([u8; 8], [u8; 6]) {
        let out = self.out(rand, 0, 1);
        (
            std::array::from_fn(|at| out[8 + at]),
            std::array::from_fn(|at| out[at]),
        )
    }

    /// OUT2 to OUT4: rotation in bytes, and the constant's last byte.
    fn out(&self, rand: &Block, rotation: usize, constant: u8) -> Block {
        let mut input = rotate(&xor(&self.temp(rand), &self.opc), rotation);
        input[BLOCK - 1] ^= constant;
        xor(&self.encrypt(input), &self.opc)
    }

    fn temp(&self, rand: &Block) -> Block {
        self.encrypt(xor(rand, &self.opc))
    }

    fn encrypt(&self, block: Block) -> Block {
        let mut block = block.into();
        Aes128::new(&(*self.k).into()).encrypt_block(&mut block);
        block.into()
    }
}

fn xor(one: &Block, other: &Block) -> Block {
    std::array::from_fn(|at| one[at] ^ other[at])
}

/// Moves the bytes to the left, the first ones to the end.
fn rotate(block: &Block, bytes: usize) -> Block {
    std::array::from_fn(|at| block[(at + bytes) % BLOCK])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(digits: &str) -> [u8; N] {
        hex::decode(digits).unwrap().try_into().unwrap()
    }

    // TS 35.207 §4.3, test set 1
    #[test]
    fn the_functions_agree_with_the_published_test_set() {
        let functions = Milenage::new(
            hex("465b5ce8b199b49faa5f0a2ee238a6bc"),
            hex("cd63cb71954a9f4e48a5994e37a02baf"),
        );
        let rand = hex("23553cbe9637a89d218ae64dae47bf35");
        let mac = functions.f1(&rand, hex("ff9bb4d0b607"), hex("b9b9"));
        assert_eq!(mac, hex("4a9ffac354dfafb3"));
        let expected = (hex("a54211d5e3ba50bf"), hex("aa689c648370"));
        assert_eq!(functions.f2_f5(&rand), expected);
        assert_eq!(
            functions.out(&rand, 4, 2),
            hex("b40ba9a3c58b2a05bbf0d987b21bf8cb")
        );
        assert_eq!(
            functions.out(&rand, 8, 4),
            hex("f769bcd751044604127672711c6d3441")
        );
    }

    #[test]
    fn a_card_answers_its_own_network_alone() {
        let (one, other) = (Milenage::new([1; 16], [2; 16]), Milenage::new([3; 16], [2; 16]));
        let challenge = one.challenge([9; 16], [0, 0, 0, 0, 0, 7]);
        let response = one.respond(&challenge.rand, &challenge.autn).unwrap();
        assert_eq!(response.res, challenge.expected);
        assert_eq!(other.respond(&challenge.rand, &challenge.autn), None);
    }
}
