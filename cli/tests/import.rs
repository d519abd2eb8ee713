//! `xieka import`, against the import interfaces over HTTP.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use native_host::{NativeHost, serve};
use store::{Sqlite, migrate};
use tempfile::TempDir;
use test_support::inventory::{NUMBER_HEADER, NumberCsv};
use test_support::random::SeededRandom;
use test_support::settings::{NOW, SECRET, variables};
use web::{App, Settings, service};

/// Rows of one part.
const PART_ROWS: u32 = 5_000;

/// The answer of a platform that takes nothing more.
const REFUSED: &str = r#"{"code":409,"reason":"busy","message":"busy"}"#;

/// A platform with the import interfaces.
struct Platform {
    folder: TempDir,
    address: SocketAddr,
    /// How many imports were sent to it.
    sent: Arc<AtomicUsize>,
    /// How many imports it takes.
    taken: Arc<AtomicUsize>,
}

impl Platform {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("platform.db");
        migrate(&Sqlite::open(&file).unwrap(), NOW).await.unwrap();
        let env = format!("SPIN_VARIABLE_ADMIN_SECRET={SECRET}\n");
        std::fs::write(folder.path().join(".env"), env).unwrap();
        let (sent, taken) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicUsize::new(usize::MAX)),
        );
        let counts = (Arc::clone(&sent), Arc::clone(&taken));
        // Each thread of the server has a generator of its own, which must not repeat the identifiers of another one.
        let seeds = Arc::new(AtomicU64::new(1));
        let address = serve(move || {
            let settings = Settings::from_variables(&variables()).unwrap();
            let host = NativeHost::new(
                file.clone(),
                settings,
                || NOW,
                SeededRandom::new(seeds.fetch_add(1, Ordering::SeqCst)),
            );
            let (sent, taken) = counts.clone();
            service(imports_router::router(), App::new(host)).layer(from_fn(
                move |request: Request, next: Next| {
                    let sent = Arc::clone(&sent);
                    let is_taken = sent.fetch_add(1, Ordering::SeqCst) < taken.load(Ordering::SeqCst);
                    async move {
                        if is_taken {
                            let answer = next.run(request).await;
                            if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
                                // A busy machine: the part is sent again.
                                sent.fetch_sub(1, Ordering::SeqCst);
                            }
                            answer
                        } else {
                            (StatusCode::CONFLICT, REFUSED).into_response()
                        }
                    }
                },
            ))
        })
        .unwrap();
        Self {
            folder,
            address,
            sent,
            taken,
        }
    }

    /// A table, which belongs to this platform's folder.
    fn table(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn import(&self, table: &Path, options: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_xieka"))
            .current_dir(&self.folder)
            .env("LC_ALL", "en")
            .args(["import", "numbers"])
            .arg(table)
            .args(["--env", ".env", "--platform", &format!("http://{}", self.address)])
            .args(options)
            .output()
            .unwrap()
    }

    fn sent(&self) -> usize {
        self.sent.swap(0, Ordering::SeqCst)
    }
}

/// The last line that was printed: the counts.
fn counts(output: &Output) -> String {
    let printed = String::from_utf8_lossy(&output.stdout);
    let problem = String::from_utf8_lossy(&output.stderr);
    let last = printed.lines().last();
    last.unwrap_or_else(|| panic!("{problem}")).to_owned()
}

fn lines(numbers: impl Iterator<Item = NumberCsv>) -> String {
    let lines: Vec<String> = numbers.map(|number| number.line()).collect();
    format!("{NUMBER_HEADER}\n{}\n", lines.join("\n"))
}

#[tokio::test]
async fn a_table_of_any_size_is_imported_in_parts_and_an_interrupted_import_goes_on() {
    let platform = Platform::start().await;
    let table = platform.table("numbers.csv", lines((0..=PART_ROWS).map(NumberCsv::new)));
    let journal = platform.folder.path().join("numbers.csv.xieka-import");

    platform.taken.store(1, Ordering::SeqCst);
    let stopped = platform.import(&table, &[]);
    assert!(!stopped.status.success());
    assert!(
        String::from_utf8_lossy(&stopped.stderr).contains("busy"),
        "{stopped:?}"
    );
    assert_eq!(platform.sent(), 2);
    let kept = std::fs::read_to_string(&journal).unwrap();
    assert!(!kept.contains(&NumberCsv::new(0).iccid));

    platform.taken.store(usize::MAX, Ordering::SeqCst);
    let resumed = platform.import(&table, &[]);
    assert!(resumed.status.success(), "{resumed:?}");
    assert_eq!(
        counts(&resumed),
        "5001 rows: 5001 imported, 0 unchanged, 0 not imported"
    );
    assert_eq!(platform.sent(), 1);
    assert!(!journal.exists());

    let again = platform.import(&table, &[]);
    assert_eq!(
        counts(&again),
        "5001 rows: 0 imported, 5001 unchanged, 0 not imported"
    );
    assert_eq!(platform.sent(), 2);
}

#[tokio::test]
async fn rows_of_different_parts_that_contradict_one_another_are_both_refused() {
    let platform = Platform::start().await;
    let other = std::iter::once(NumberCsv::of_province(0, "11"));
    let table = platform.table(
        "numbers.csv",
        lines((0..=PART_ROWS).map(NumberCsv::new).chain(other)),
    );
    for (options, note) in [(&["--preview"][..], " (preview, nothing was changed)"), (&[], "")] {
        let output = platform.import(&table, options);
        assert!(!output.status.success());
        let printed = String::from_utf8_lossy(&output.stdout);
        for line in [2, PART_ROWS + 3] {
            assert!(
                printed.contains(&format!("line {line}: iccid import_conflict")),
                "{printed}"
            );
        }
        assert_eq!(
            counts(&output),
            format!("5002 rows: 5000 imported, 0 unchanged, 2 not imported{note}")
        );
    }
}

#[tokio::test]
async fn tables_that_libreoffice_saved_are_imported_as_they_are() {
    let all = "3 rows: 3 imported, 0 unchanged, 0 not imported";
    for name in [
        "numbers.xlsx",
        "numbers-gbk.csv",
        "numbers-utf16.csv",
        "numbers-tab.csv",
        "numbers-semicolon.csv",
    ] {
        let platform = Platform::start().await;
        let saved = Path::new("../functions/imports/tests/tables/libreoffice").join(name);
        let table = platform.table(name, std::fs::read(saved).unwrap());
        assert_eq!(counts(&platform.import(&table, &[])), all, "{name}");
    }
}

#[tokio::test]
async fn what_a_workbook_lost_is_refused_by_name_with_its_line() {
    let platform = Platform::start().await;
    let saved = Path::new("../functions/imports/tests/tables/libreoffice/numbers-rounded.xlsx");
    let table = platform.table("rounded.xlsx", std::fs::read(saved).unwrap());
    let output = platform.import(&table, &[]);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("line 2: iccid number_rounded"), "{printed}");
    assert_eq!(counts(&output), "3 rows: 0 imported, 0 unchanged, 3 not imported");
    let sheet = platform.import(&table, &["--sheet", "Other"]);
    let problem = String::from_utf8_lossy(&sheet.stderr);
    assert!(problem.contains("there is no sheet Other"), "{problem}");
}
