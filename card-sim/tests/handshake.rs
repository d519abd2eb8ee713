//! The chip's TLS against an independent server: `openssl s_server` with a pre-shared key.
//!
//! Needs the `openssl` program, which comes with the headers this crate is built with.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use card_sim::SessionEnd;
use card_sim::personalisation::{MaxFragment, Suite, TlsChoice};
use test_support::chip::{PSK, module, seed_card};
use test_support::eid::IDENTITY;

/// A server process that is ended with the test.
struct SServer {
    child: Child,
    output: Option<BufReader<ChildStdout>>,
    address: SocketAddr,
}

impl SServer {
    fn start(psk: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new("openssl")
            .args([
                "s_server",
                "-nocert",
                "-accept",
                "127.0.0.1:0",
                "-psk",
                psk,
                "-psk_identity",
                IDENTITY,
            ])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the openssl program");
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let accept = line_with(&mut output, "ACCEPT ");
        let address = accept.trim().trim_start_matches("ACCEPT ").parse().unwrap();
        Self {
            child,
            output: Some(output),
            address,
        }
    }

    /// Waits for the chip's first POST and answers that there is nothing to do. Ends with the server.
    fn answer_one_post(&mut self) -> JoinHandle<()> {
        let (mut output, mut input) = (self.output.take().unwrap(), self.child.stdin.take().unwrap());
        std::thread::spawn(move || {
            line_with(&mut output, "X-Admin-From: ");
            let answer =
                "HTTP/1.1 204 No Content\r\nX-Admin-Protocol: globalplatform-remote-admin/1.0\r\n\r\n";
            input.write_all(answer.as_bytes()).unwrap();
            // Until the server ends: a closed input would make it hang up.
            let _ = output.read_to_end(&mut Vec::new());
        })
    }
}

impl Drop for SServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line_with(output: &mut BufReader<ChildStdout>, part: &str) -> String {
    let mut line = Vec::new();
    loop {
        line.clear();
        assert!(
            output.read_until(b'\n', &mut line).unwrap() > 0,
            "s_server ended without {part:?}"
        );
        let text = String::from_utf8_lossy(&line);
        if text.contains(part) {
            return text.into_owned();
        }
    }
}

async fn session(choice: TlsChoice, psk: &str, arguments: &[&str]) -> card_sim::PowerCycleReport {
    let mut server = SServer::start(psk, arguments);
    let (mut module, _) = module(seed_card(server.address).tls(choice));
    let answering = server.answer_one_post();
    let report = module.power_on().await;
    drop(server);
    answering.join().expect("a POST arrived");
    report
}

#[tokio::test]
async fn an_independent_server_agrees_on_every_suite() {
    let key = hex::encode(PSK);
    for (suite, arguments, expected) in [
        (
            Suite::Tls12CbcSha256,
            ["-tls1_2", "-cipher", "PSK-AES128-CBC-SHA256"].as_slice(),
            ("TLSv1.2", "TLS_PSK_WITH_AES_128_CBC_SHA256"),
        ),
        (
            Suite::Tls12GcmSha256,
            ["-tls1_2", "-cipher", "PSK-AES128-GCM-SHA256"].as_slice(),
            ("TLSv1.2", "TLS_PSK_WITH_AES_128_GCM_SHA256"),
        ),
        (
            Suite::Tls13GcmSha256,
            [
                "-tls1_3",
                "-ciphersuites",
                "TLS_AES_128_GCM_SHA256",
                "-num_tickets",
                "0",
            ]
            .as_slice(),
            ("TLSv1.3", "TLS_AES_128_GCM_SHA256"),
        ),
    ] {
        for max_fragment in [None, Some(MaxFragment::Bytes512)] {
            let report = session(TlsChoice { suite, max_fragment }, &key, arguments).await;
            assert_eq!(
                report.sessions,
                [SessionEnd::Finished],
                "{suite:?} {max_fragment:?}"
            );
            let tls = report.tls.unwrap();
            assert_eq!((tls.version, tls.suite), expected);
        }
    }
}

#[tokio::test]
async fn a_security_failure_is_not_tried_again() {
    let server = SServer::start(&"ff".repeat(16), &["-tls1_2", "-cipher", "PSK-AES128-CBC-SHA256"]);
    let (mut with_wrong_key, log) = module(seed_card(server.address));
    let report = with_wrong_key.power_on().await;
    assert!(
        matches!(report.sessions.as_slice(), [SessionEnd::Security(_)]),
        "{:?}",
        report.sessions
    );
    assert_eq!(log.count("OPEN CHANNEL"), 1);
    assert!(report.tls.is_none());

    let null = SServer::start(
        &hex::encode(PSK),
        &["-tls1_2", "-cipher", "PSK-NULL-SHA256:@SECLEVEL=0"],
    );
    let (mut module, _) = module(seed_card(null.address));
    let report = module.power_on().await;
    assert!(
        matches!(report.sessions.as_slice(), [SessionEnd::Security(_)]),
        "{:?}",
        report.sessions
    );
}

#[tokio::test]
async fn a_ticket_is_accepted_only_by_a_chip_that_can_handle_it() {
    let server = SServer::start(&hex::encode(PSK), &["-tls1_3"]);
    let choice = TlsChoice {
        suite: Suite::Tls13GcmSha256,
        max_fragment: None,
    };
    let (mut strict, _) = module(seed_card(server.address).tls(choice));
    let report = strict.power_on().await;
    assert_eq!(
        report.sessions,
        [SessionEnd::Security("unexpected NewSessionTicket".to_owned())]
    );

    let mut server = SServer::start(&hex::encode(PSK), &["-tls1_3"]);
    let (mut easy, _) = module(seed_card(server.address).tls(choice).takes_tickets(true));
    let answering = server.answer_one_post();
    assert_eq!(easy.power_on().await.sessions, [SessionEnd::Finished]);
    drop(server);
    answering.join().expect("a POST arrived");
}
