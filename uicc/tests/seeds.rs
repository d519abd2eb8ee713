//! The fuzz targets' seeds are messages, not noise: every one is accepted by the decoder it is meant for.

use std::path::Path;

use uicc::scp80::{CommandHeader, Dialect};
use uicc::tlv::{ber, comprehension};
use uicc::{apdu, cat, ef, ident, scp80, scp81, script};

/// Whether the decoder of a fuzz target accepts a seed; `None` for a target that is not known here.
fn accepts(target: &str, seed: &[u8]) -> Option<bool> {
    Some(match target {
        "apdu_command" => apdu::CommandApdu::parse(seed).is_ok(),
        "apdu_response" => apdu::ResponseApdu::parse(seed).is_ok(),
        "cat_apn" => cat::Apn::parse(seed).is_ok(),
        "cat_envelope" => cat::Envelope::parse(seed).is_ok(),
        "cat_proactive_command" => cat::ProactiveCommand::parse(seed).is_ok(),
        "cat_terminal_profile" => cat::TerminalProfile::parse(seed).is_ok(),
        "cat_terminal_response" => cat::TerminalResponse::parse(seed).is_ok(),
        "cat_timer_value" => cat::TimerValue::parse(seed).is_ok(),
        "ef_acc" => ef::Acc::parse(seed).is_ok(),
        "ef_ad" => ef::Ad::parse(seed).is_ok(),
        "ef_epsloci" => ef::EpsLoci::parse(seed).is_ok(),
        "ef_fplmn" => ef::Fplmn::parse(seed).is_ok(),
        "ef_iccid" => ef::Iccid::parse(seed).is_ok(),
        "ef_imsi" => ef::Imsi::parse(seed).is_ok(),
        "ef_keys" => ef::Keys::parse(seed).is_ok(),
        "ef_loci" => ef::Loci::parse(seed).is_ok(),
        "ef_msisdn" => ef::MsisdnRecord::parse(seed).is_ok(),
        "ef_path" => ef::FilePath::parse(seed).is_ok(),
        "ef_plmn_list" => ef::PlmnWithActList::parse(seed).is_ok(),
        "ef_psloci" => ef::PsLoci::parse(seed).is_ok(),
        "ef_smsp" => ef::SmspRecord::parse(seed).is_ok(),
        "ef_spn" => ef::Spn::parse(seed).is_ok(),
        "ident_aid" => ident::Aid::parse(seed).is_ok(),
        "ident_eid" => ident::Eid::from_bcd(seed).is_ok(),
        // Its keys are the target's; the header can be read without.
        "scp80_command" => [Dialect::SmsPp, Dialect::TcpIp]
            .iter()
            .any(|&way| CommandHeader::parse(seed, way).is_ok()),
        "scp80_compact" => scp80::CompactResponse::parse(seed).is_ok(),
        "scp80_identification" => scp80::IdentificationPacket::parse(seed).is_ok(),
        // Two bytes of SPI, then the header of a response packet in a short message.
        "scp80_response" => seed.get(2..5) == Some(&[0x02, 0x71, 0x00]),
        "scp81_agent_id" => scp81::AgentId::parse(seed).is_ok(),
        "scp81_content_type" => scp81::ContentType::parse(seed).is_ok(),
        "scp81_psk_identity" => scp81::PskIdentity::parse(seed).is_ok(),
        "scp81_request_head" | "scp81_response_head" => seed
            .windows(scp81::PROTOCOL.len())
            .any(|part| part == scp81::PROTOCOL.as_bytes()),
        "scp81_script_status" => scp81::ScriptStatus::parse(seed).is_ok(),
        "scp81_target" => scp81::TargetedApplication::parse(seed).is_ok(),
        "scp81_trigger" => scp81::Trigger::parse(seed).is_ok(),
        "script_command" => script::CommandScript::parse(seed).is_ok(),
        "script_response" => script::ResponseScript::parse(seed).is_ok(),
        "tlv_ber" => ber::items(seed).all(|item| item.is_ok()),
        "tlv_comprehension" => comprehension::objects(seed).is_ok(),
        _ => return None,
    })
}

#[test]
fn every_fuzz_target_has_seeds_that_its_decoder_accepts() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let targets = std::fs::read_dir(fuzz.join("fuzz_targets")).unwrap();
    for target in targets.map(|entry| entry.unwrap().path()) {
        let target = target.file_stem().unwrap().to_str().unwrap().to_owned();
        let seeds = std::fs::read_dir(fuzz.join("seeds").join(&target)).unwrap();
        let seeds: Vec<_> = seeds.map(|entry| entry.unwrap().path()).collect();
        assert!(!seeds.is_empty(), "{target}");
        for seed in seeds {
            let accepted = accepts(&target, &std::fs::read(&seed).unwrap());
            assert_eq!(accepted, Some(true), "{}", seed.display());
        }
    }
}
