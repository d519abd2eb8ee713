//! The proactive commands of a whole session, byte for byte. An independent decoder (pySim's `cat.py`) read
//! each of them as what it says here.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::{Arc, Mutex};

use card_sim::personalisation::RefreshPolicy;
use card_sim::{ChipId, Event, Observer};
use test_support::admin_server::{Server, no_content, script};
use test_support::chip::{WRITE_IMSI, module, seed_card};

/// Keeps proactive commands as hexadecimal digits: the command number blanked, SEND DATA without its data,
/// repetitions once — how often depends on how TCP cuts the stream.
#[derive(Default)]
struct Commands(Mutex<Vec<String>>);

impl Observer for Commands {
    fn event(&self, _chip: &ChipId, event: &Event) {
        if let Event::Proactive { bytes, .. } = event {
            let mut text = hex::encode_upper(bytes);
            let at = text.find("8103").unwrap() + 4;
            text.replace_range(at..at + 2, "NN");
            if text.contains("430182028121B6") {
                text = "SEND DATA".to_owned();
            }
            let mut kept = self.0.lock().unwrap();
            if kept.last() != Some(&text) {
                kept.push(text);
            }
        }
    }
}

#[tokio::test]
async fn a_session_is_made_of_these_commands() {
    let server = Server::start(vec![script("/x?n=1", WRITE_IMSI), no_content(None)]);
    let card = seed_card(server.address).refresh(RefreshPolicy::Automatic(1));
    let (mut module, _) = module(card);
    let commands = Arc::new(Commands::default());
    module.observe(commands.clone());
    module.power_on().await;
    server.posts();
    let port = format!("{:04X}", module.chip().personalisation().gateway.port());
    let expected = [
        "D00E8103NN050082028182990303090A",
        &format!("D0268103NN4001820281820500350103390205DC470605636D696F743C0302{port}3E05217F000001"),
        "D0118103NN270082028182A40101A503001000",
        "SEND DATA",
        "D00C8103NN420082028121B701ED",
        "SEND DATA",
        "D00C8103NN420082028121B701ED",
        "SEND DATA",
        "D00C8103NN420082028121B701ED",
        "SEND DATA",
        "D00C8103NN420082028121B701ED",
        "SEND DATA",
        "D00C8103NN270182028182A40101",
        "D0098103NN410082028121",
        // As an independent chip was seen to ask for it: file change notification of EF_IMSI.
        "D0128103NN0101820281829207013F007FF06F07",
    ];
    assert_eq!(commands.0.lock().unwrap()[..expected.len()], expected);
}
