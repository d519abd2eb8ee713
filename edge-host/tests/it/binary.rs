//! The program `edge-host`, started as a process of its own, calling an HTTPS server.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{Ssl, SslAcceptor, SslMethod};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use serde_json::{Value, json};
use test_support::http::HttpClient;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::test_host::{options, post};

/// The running program; killed when the test ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A self-signed certificate for `localhost`, with its key.
fn self_signed() -> (X509, PKey<Private>) {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "localhost").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder
        .set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap())
        .unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(2).unwrap())
        .unwrap();
    let names = SubjectAlternativeName::new()
        .dns("localhost")
        .build(&builder.x509v3_context(None, None))
        .unwrap();
    builder.append_extension(names).unwrap();
    builder
        .append_extension(BasicConstraints::new().build().unwrap())
        .unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (builder.build(), key)
}

/// An HTTPS server on `localhost` that answers "pong" to everything; its certificate as PEM.
async fn https_upstream() -> (u16, Vec<u8>) {
    let (certificate, key) = self_signed();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_certificate(&certificate).unwrap();
    acceptor.set_private_key(&key).unwrap();
    let acceptor = acceptor.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let ssl = Ssl::new(acceptor.context()).unwrap();
            let mut stream = tokio_openssl::SslStream::new(ssl, stream).unwrap();
            if Pin::new(&mut stream).accept().await.is_ok() {
                let mut head = [0; 1024];
                let _ = stream.read(&mut head).await;
                let response = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\npong";
                let _ = stream.write_all(response).await;
            }
        }
    });
    (port, certificate.to_pem().unwrap())
}

/// Starts the program on the standard application and reads the address it prints.
async fn start(folder: &Path, upstream: &str, certificates: Option<&Path>) -> (Program, SocketAddr) {
    let options = options(folder);
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge-host"));
    command
        .arg("--from")
        .arg(&options.manifest)
        .arg("--runtime-config-file")
        .arg(options.runtime_config.as_ref().unwrap())
        .arg("--state-dir")
        .arg(&options.state_dir)
        .args([
            "--listen",
            "127.0.0.1:0",
            "--variable",
            &format!("upstream={upstream}"),
        ])
        .env("SPIN_VARIABLE_SECRET", "from the environment")
        .stdout(Stdio::piped());
    if let Some(path) = certificates {
        command.env("SSL_CERT_FILE", path);
    }
    let started = tokio::task::spawn_blocking(move || {
        let mut program = Program(command.spawn().unwrap());
        let mut line = String::new();
        BufReader::new(program.0.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        (program, line)
    });
    let (program, line) = started.await.unwrap();
    let address = line
        .trim_end()
        .strip_prefix("Serving http://")
        .unwrap()
        .parse()
        .unwrap();
    (program, address)
}

/// Calls the program and returns its answer.
async fn call(address: SocketAddr, path: &'static str, arguments: Value) -> Value {
    post(HttpClient::default(), address, path, arguments)
        .await
        .unwrap()
        .body
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_serves_calls_https_and_stops_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let (port, pem) = https_upstream().await;
    let certificates = folder.path().join("roots.pem");
    std::fs::write(&certificates, pem).unwrap();
    let upstream = format!("https://localhost:{port}");
    let (mut program, address) = start(folder.path(), &upstream, Some(&certificates)).await;

    let value = call(address, "/open/variable", json!({ "name": "both" })).await;
    assert_eq!(value, "by default and from the environment");
    let reply = call(address, "/open/fetch", json!({ "url": upstream })).await;
    assert_eq!(reply, json!({ "status": 200, "body": "pong" }));

    let id = program.0.id().to_string();
    let status = tokio::task::spawn_blocking(move || {
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        program.0.wait().unwrap()
    });
    let status = status.await.unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_unknown_issuer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (port, _) = https_upstream().await;
    let upstream = format!("https://localhost:{port}");
    let (_program, address) = start(folder.path(), &upstream, None).await;
    let reply = call(address, "/open/fetch", json!({ "url": upstream })).await;
    assert!(
        reply["error"].as_str().unwrap().contains("TlsCertificateError"),
        "{reply}"
    );
}
