//! Workbooks made here; `functions/imports/tests` reads those of programs.

use domain::error::Reason;
use miniz_oxide::deflate::compress_to_vec;
use proptest::prelude::*;

use super::archive::MAX_UNPACKED_BYTES;
use super::text;

const WORKBOOK: &str =
    r#"<workbook><sheets><sheet name="a" r:id="r1"/><sheet name="b" r:id="r2"/></sheets></workbook>"#;
const RELATIONS: &str = r#"<Relationships>
    <Relationship Id="r1" Type="http://x/worksheet" Target="worksheets/a.xml"/>
    <Relationship Id="r2" Type="http://x/worksheet" Target="/xl/worksheets/b.xml"/></Relationships>"#;
const STRINGS: &str =
    "<sst><si><t>icc</t><r><t>id</t></r><rPh><t>x</t></rPh></si><si><t>a&amp;\"b\"\nc</t></si></sst>";
const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/>
    <numFmt numFmtId="165" formatCode="0&quot;d&quot;[Red]"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
    <cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="14"/></cellXfs></styleSheet>"#;
const EMPTY: &str = "<worksheet><sheetData/></worksheet>";

/// A ZIP archive of packed files.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    let short = |value: usize| u16::try_from(value).unwrap().to_le_bytes();
    let long = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
    for (name, content) in files {
        let packed = compress_to_vec(content, 6);
        let place = out.len();
        let fields = [
            &[0; 4],
            &short(8)[..],
            &[0; 8],
            &long(packed.len()),
            &long(content.len()),
        ]
        .concat();
        let named = [short(name.len()), short(0)].concat();
        out.extend([b"PK\x03\x04", &fields[..], &named, name.as_bytes(), &packed].concat());
        let rest = [&short(0)[..], &[0; 8], &long(place)].concat();
        directory.extend([b"PK\x01\x02\0\0", &fields[..], &named, &rest, name.as_bytes()].concat());
    }
    let (count, place) = (short(files.len()), out.len());
    let end = [
        &[0; 4][..],
        &count,
        &count,
        &long(directory.len()),
        &long(place),
        &short(0),
    ]
    .concat();
    [out, directory, b"PK\x05\x06".to_vec(), end].concat()
}

/// A workbook with two sheets.
fn book(sheets: [&str; 2]) -> Vec<u8> {
    archive(&[
        ("xl/workbook.xml", WORKBOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
        ("xl/sharedStrings.xml", STRINGS.as_bytes()),
        ("xl/styles.xml", STYLES.as_bytes()),
        ("xl/worksheets/a.xml", sheets[0].as_bytes()),
        ("xl/worksheets/b.xml", sheets[1].as_bytes()),
    ])
}

fn sheet(rows: &str) -> String {
    format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")
}

fn reason(file: &[u8]) -> Reason {
    text(file).unwrap_err().reason()
}

#[test]
fn cells_stand_on_their_lines_and_in_their_columns_as_people_see_them() {
    let rows = r#"<row r="2"><c r="B2" t="s"><v>0</v></c><c r="D2" t="inlineStr"><is><t>卡</t></is></c></row>
        <row r="4"><c t="s"><v>1</v></c><c><v>1440190000001</v></c><c s="1"><v>46204</v></c><c s="2"><v>46204</v></c>
        <c s="3"><v>46204.5</v></c><c t="str"><f>1</f><v>=</v></c><c><v>8.9860415269E+19</v></c><c/></row>"#;
    let read = text(&book([EMPTY, &sheet(rows)])).unwrap().unwrap();
    let lines: Vec<&str> = read.split('\n').collect();
    assert_eq!(
        lines,
        [
            "",
            r#","iccid",,"卡""#,
            "",
            r#""a&""b"" c","1440190000001","2026-07-01","46204","46204.5","=","8.9860415269E+19""#
        ]
    );
}

#[test]
fn a_workbook_needs_one_sheet_with_rows() {
    let one = sheet("<row><c><v>1</v></c></row>");
    assert_eq!(text(&book([&one, EMPTY])).unwrap().as_deref(), Some("\"1\""));
    assert_eq!(reason(&book([&one, &one])), Reason::BadCsv);
    assert_eq!(reason(&book([EMPTY, EMPTY])), Reason::BadCsv);
    assert!(text(&archive(&[("mimetype", b"x")])).unwrap().is_none());
    assert!(text(b"PK\x03\x04").unwrap().is_none());
}

#[test]
fn what_unpacks_or_becomes_too_large_is_refused() {
    let spaces = " ".repeat(MAX_UNPACKED_BYTES);
    let bomb = book([&sheet(&spaces), EMPTY]);
    assert!(bomb.len() < 64 * 1024);
    assert_eq!(reason(&bomb), Reason::BodyTooLarge);
    let repeated = sheet(&"<row><c t=\"s\"><v>1</v></c></row>".repeat(400_000));
    assert_eq!(reason(&book([&repeated, EMPTY])), Reason::BodyTooLarge);
    for place in ["A1048576000", "XFD1"] {
        let far = format!(
            "<row r=\"{}\"><c r=\"{place}\"><v>1</v></c></row>",
            place.trim_start_matches(['A', 'X', 'F', 'D'])
        );
        assert_eq!(
            reason(&book([&sheet(&far), EMPTY])),
            Reason::BodyTooLarge,
            "{place}"
        );
    }
}

proptest! {
    #[test]
    fn no_damage_makes_it_panic(at in 0usize..2_000, byte: u8, length in 0usize..2_000) {
        let mut file = book([EMPTY, &sheet("<row><c t=\"s\"><v>0</v></c><c s=\"1\"><v>1</v></c></row>")]);
        let at = at % file.len();
        file[at] = byte;
        let _ = text(&file);
        file.truncate(length);
        let _ = text(&file);
    }

    #[test]
    fn no_document_makes_it_panic(rows in "[<>/cvrowt=\"'&;#x0-9E+.A-Z -]{0,80}") {
        let _ = text(&book([EMPTY, &rows]));
    }
}
