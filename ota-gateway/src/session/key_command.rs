//! The command that loads K and OPc, and the IMSI with them where the card takes it, by the layout of the card profile.
//!
//! Keys come in wrapped under the link key and leave wrapped under the chip's DEK; between the two they are held in
//! memory that is wiped. It must never log, show or keep them.

use anyhow::Context as _;
use gateway_protocol::CardData;
use uicc::apdu::CommandApdu;
use uicc::ef::Imsi;
use uicc::tlv::ber;

use crate::keys::{Key, LinkKey, kcv, wrap_with_dek};
use crate::platform::ChipKeys;
use crate::profile::{KeyMaterial, KeyValue, NamedParameter, SecondParameter, Wrapping};

/// The key command for this chip and these keys.
///
/// # Errors
/// A key that is missing, does not unwrap, or has a wrong length.
pub(crate) fn build(
    layout: &KeyMaterial,
    data: &CardData,
    link_key: &LinkKey,
    chip: &ChipKeys,
) -> anyhow::Result<CommandApdu> {
    let unwrap = |wrapped: &Option<String>, name: &'static str| -> anyhow::Result<Key> {
        let wrapped = wrapped
            .as_ref()
            .with_context(|| format!("the platform sent no {name}"))?;
        link_key.unwrap_hex(wrapped).context(name)
    };
    let mut content = Vec::new();
    for field in &layout.fields {
        let value = match field.value {
            KeyValue::K => wrap(layout.wrapping, chip, &unwrap(&data.k_wrapped, "K")?)?,
            KeyValue::Opc => wrap(layout.wrapping, chip, &unwrap(&data.opc_wrapped, "OPc")?)?,
            KeyValue::KcvK => kcv(unwrap(&data.k_wrapped, "K")?.expose())?.to_vec(),
            KeyValue::KcvOpc => kcv(unwrap(&data.opc_wrapped, "OPc")?.expose())?.to_vec(),
            KeyValue::Imsi => data.imsi.parse::<Imsi>().context("IMSI")?.encode(),
        };
        ber::put(&mut content, u16::from(field.tag), &value);
    }
    let p2 = match layout.p2 {
        SecondParameter::Byte(byte) => byte,
        SecondParameter::Named(NamedParameter::KeyVersion) => chip.key_version,
    };
    Ok(CommandApdu::new(layout.cla, layout.ins, layout.p1, p2).with_data(content)?)
}

fn wrap(wrapping: Wrapping, chip: &ChipKeys, key: &Key) -> anyhow::Result<Vec<u8>> {
    match wrapping {
        Wrapping::AesCbcDek => wrap_with_dek(&chip.dek, key.expose()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Profile, SHIPPED};

    #[test]
    fn the_seed_card_gets_both_keys_wrapped_a_check_value_and_the_imsi() {
        let link_key = LinkKey::parse(&"11".repeat(32)).unwrap();
        let chip = ChipKeys {
            eid: "89086030202200000022000000000090".parse().unwrap(),
            home: None,
            key_version: 0x40,
            psk: vec![1; 16].into(),
            // FIPS 197 appendix C.1: this key turns 001122…ff into 69c4e0…c55a.
            dek: hex::decode("000102030405060708090a0b0c0d0e0f").unwrap().into(),
        };
        let k = hex::decode("00112233445566778899aabbccddeeff").unwrap();
        let data = CardData {
            iccid: String::new(),
            msisdn: String::new(),
            imsi: "460001357924680".into(),
            smsc: None,
            k_wrapped: Some(link_key.wrap_hex(&k).unwrap()),
            opc_wrapped: Some(link_key.wrap_hex(&k).unwrap()),
        };
        let profile = Profile::parse(SHIPPED[1]).unwrap();
        let layout = profile.key_material.as_ref().unwrap();
        let command = build(layout, &data, &link_key, &chip).unwrap();
        let check = hex::encode(kcv(&k).unwrap());
        let wrapped = "69c4e0d86a7b0430d8cdb78070b4c55a";
        assert_eq!(
            hex::encode(command.encode()),
            format!("80d8004034 8110{wrapped} 8210{wrapped} 8303{check} 8409084906003175296408")
                .replace(' ', "")
        );
        let without = CardData {
            opc_wrapped: None,
            ..data
        };
        assert!(format!("{:#}", build(layout, &without, &link_key, &chip).unwrap_err()).contains("no OPc"));
    }
}
