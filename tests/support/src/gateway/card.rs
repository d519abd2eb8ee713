//! A card without a module: files, a selected one, and the commands of a remote script. It keeps every write.
//!
//! As small as it can be. It must not use the simulator's chip, for the same reason as the agent.

use std::collections::{BTreeMap, HashMap};

use uicc::apdu::{CommandApdu, ResponseApdu, StatusWord, ins};
use uicc::script::{BadFormat, CommandScript, ResponseForm, ResponseScript, ScriptCommand, ScriptResult};
use uicc::tlv::ber;

const MF: u16 = 0x3F00;
const ADF: u16 = 0x7FFF;
const LOAD_KEYS: u8 = 0xD8;
/// Tag of EF_IMSI in the key command of the shipped profiles.
const IMSI_FIELD: u16 = 0x84;
const EF_IMSI: u16 = 0x6F07;

/// A card in memory.
#[derive(Debug, Clone, Default)]
pub struct Card {
    /// Content by directory and file identifier; of record files, the first record.
    pub files: BTreeMap<(u16, u16), Vec<u8>>,
    /// Files that refuse an update, and how.
    pub refuse_update: HashMap<u16, u16>,
    /// Files that refuse to be read, and how.
    pub refuse_read: HashMap<u16, u16>,
    /// How the key command is refused.
    pub refuse_keys: Option<u16>,
    /// Files that answer so many of the next updates with 9300.
    pub busy: HashMap<u16, u32>,
    /// Files that answer an update with 9000 and keep what they had.
    pub forgets: Vec<u16>,
    /// Every update, in order.
    pub updates: Vec<(u16, Vec<u8>)>,
    /// Every key command that was accepted.
    pub key_loads: Vec<Vec<u8>>,
    /// REFRESH commands ordered.
    pub refreshes: usize,
    /// Answer of the next script instead of running it.
    pub instead: Option<Vec<u8>>,
    directory: u16,
    selected: Option<u16>,
}

impl Card {
    /// A seed card with a temporary number and every file of the shipped profiles.
    #[must_use]
    pub fn seed() -> Self {
        let ff = |length: usize| vec![0xFF; length];
        let files = [
            ((MF, 0x2FE2), hex("98684006090000000021")),
            ((ADF, 0x6F07), hex("084906400000000010")),
            ((ADF, 0x6F40), ff(28)),
            ((ADF, 0x6F42), ff(40)),
            ((ADF, 0x6F78), hex("0008")),
            ((ADF, 0x6FAD), hex("00000002")),
            ((ADF, 0x6F62), ff(20)),
            ((ADF, 0x6F7B), hex("64f010ffffffffffffffffff")),
            ((ADF, 0x6F08), ff(33)),
            ((ADF, 0x6F09), ff(33)),
            ((ADF, 0x6F7E), hex("0102030464f0001234ff00")),
            ((ADF, 0x6F73), ff(14)),
            ((ADF, 0x6FE3), [ff(12), hex("64f000123400")].concat()),
        ];
        Self {
            files: files.into_iter().collect(),
            directory: MF,
            ..Self::default()
        }
    }

    /// Content of a file, by its identifier alone.
    #[must_use]
    pub fn content(&self, fid: u16) -> &[u8] {
        self.files
            .iter()
            .find(|((_, other), _)| *other == fid)
            .map_or(&[], |(_, content)| content)
    }

    /// Power is cut and comes back: nothing is selected, the writes are kept.
    pub fn power_cycle(&mut self) {
        self.directory = MF;
        self.selected = None;
    }

    /// The module registers with what the card now holds, and writes so into the card.
    pub fn register(&mut self) {
        self.power_cycle();
        for fid in [0x6F7E, 0x6FE3] {
            if let Some(status) = self
                .files
                .get_mut(&(ADF, fid))
                .and_then(|content| content.last_mut())
            {
                *status = 0;
            }
        }
    }

    /// Runs a script and gives the answer.
    pub fn run(&mut self, script: &[u8]) -> Vec<u8> {
        if let Some(answer) = self.instead.take() {
            return answer;
        }
        let mut results = Vec::new();
        match CommandScript::parse(script) {
            Err(_) => results.push(ScriptResult::BadFormat(BadFormat::UnknownTag)),
            Ok(script) => {
                for command in &script.commands {
                    match command {
                        ScriptCommand::Apdu(apdu) => {
                            let response = self.apdu(apdu);
                            let goes_on = response.status.continues_script();
                            results.push(ScriptResult::Apdu(response));
                            if !goes_on {
                                break;
                            }
                        }
                        ScriptCommand::ImmediateAction(_) => self.refreshes += 1,
                        _ => {}
                    }
                }
            }
        }
        ResponseScript {
            form: ResponseForm::Indefinite,
            results,
        }
        .encode()
    }

    fn apdu(&mut self, command: &CommandApdu) -> ResponseApdu {
        match (command.cla, command.ins) {
            (0x00, ins::SELECT) => ResponseApdu::status(self.select(command)),
            (0x00, ins::READ_BINARY | ins::READ_RECORD) => self.read(),
            (0x00, ins::UPDATE_BINARY) => ResponseApdu::status(self.update(command.data(), false)),
            (0x00, ins::UPDATE_RECORD) => ResponseApdu::status(self.update(command.data(), true)),
            (0x80, LOAD_KEYS) => ResponseApdu::status(self.load_keys(command.data())),
            _ => ResponseApdu::status(StatusWord::INS_NOT_SUPPORTED),
        }
    }

    /// Takes the keys, and the IMSI with them if it is there: all or nothing.
    fn load_keys(&mut self, data: &[u8]) -> StatusWord {
        if let Some(status) = self.refuse_keys {
            return StatusWord(status);
        }
        let imsi = ber::items(data)
            .filter_map(Result::ok)
            .find(|field| field.tag.get() == IMSI_FIELD);
        if let Some(imsi) = imsi {
            let status = self.write((ADF, EF_IMSI), imsi.value, false);
            if status != StatusWord::OK {
                return status;
            }
        }
        self.key_loads.push(data.to_vec());
        StatusWord::OK
    }

    fn select(&mut self, command: &CommandApdu) -> StatusWord {
        let fids: Vec<u16> = command
            .data()
            .chunks(2)
            .map(|fid| u16::from_be_bytes([fid[0], *fid.get(1).unwrap_or(&0)]))
            .collect();
        match command.p1 {
            0x04 => self.directory = ADF,
            0x08 => {
                self.directory = MF;
                for fid in fids {
                    if self.select_fid(fid) != StatusWord::OK {
                        return StatusWord::FILE_NOT_FOUND;
                    }
                }
                return StatusWord::OK;
            }
            _ => return self.select_fid(fids[0]),
        }
        self.selected = None;
        StatusWord::OK
    }

    fn select_fid(&mut self, fid: u16) -> StatusWord {
        if fid == MF || fid == ADF {
            self.directory = fid;
            self.selected = None;
            return StatusWord::OK;
        }
        if !self.files.contains_key(&(self.directory, fid)) {
            return StatusWord::FILE_NOT_FOUND;
        }
        self.selected = Some(fid);
        StatusWord::OK
    }

    fn read(&self) -> ResponseApdu {
        let Some(fid) = self.selected else {
            return ResponseApdu::status(StatusWord::NO_EF_SELECTED);
        };
        match self.refuse_read.get(&fid) {
            Some(status) => ResponseApdu::status(StatusWord(*status)),
            None => ResponseApdu::ok(self.files[&(self.directory, fid)].clone()),
        }
    }

    fn update(&mut self, data: &[u8], record: bool) -> StatusWord {
        match self.selected {
            Some(fid) => self.write((self.directory, fid), data, record),
            None => StatusWord::NO_EF_SELECTED,
        }
    }

    fn write(&mut self, (directory, fid): (u16, u16), data: &[u8], record: bool) -> StatusWord {
        if let Some(left) = self.busy.get_mut(&fid).filter(|left| **left > 0) {
            *left -= 1;
            return StatusWord::BUSY;
        }
        if let Some(status) = self.refuse_update.get(&fid) {
            return StatusWord(*status);
        }
        let Some(content) = self.files.get_mut(&(directory, fid)) else {
            return StatusWord::FILE_NOT_FOUND;
        };
        if data.len() > content.len() || (record && data.len() != content.len()) {
            return StatusWord::WRONG_LENGTH;
        }
        self.updates.push((fid, data.to_vec()));
        if !self.forgets.contains(&fid) {
            content[..data.len()].copy_from_slice(data);
        }
        StatusWord::OK
    }
}

/// Bytes of hexadecimal digits.
fn hex(text: &str) -> Vec<u8> {
    hex::decode(text).expect("hexadecimal digits in a test")
}
