//! A table of any size, cut into parts that are imported one after the other.

use operations::{TableKind, TablePart, table_parts};
use test_support::inventory::{NUMBER_HEADER, NumberCsv, number_csv};

fn parts(numbers: &[NumberCsv]) -> Vec<TablePart> {
    let file = number_csv(numbers);
    table_parts(file.as_bytes(), TableKind::Numbers, false, |_| None).unwrap()
}

/// The lines of a part, without the quotation marks.
fn lines(part: &TablePart) -> Vec<String> {
    let lines = part.csv.lines();
    lines.map(|line| line.replace('"', "")).collect()
}

#[test]
fn rows_that_share_a_key_also_through_others_stay_together_and_keep_their_lines() {
    let [first, other, mut second, mut third] = [0, 1, 2, 3].map(NumberCsv::new);
    second.iccid.clone_from(&first.iccid);
    third.msisdn.clone_from(&second.msisdn);
    let rows = [&first, &second, &third, &other].map(NumberCsv::line);
    let parts = parts(&[first, other, second, third]);
    assert_eq!(parts.len(), 1);
    assert_eq!(lines(&parts[0])[0], NUMBER_HEADER);
    assert_eq!(lines(&parts[0])[1..], rows);
    assert_eq!(
        parts[0].lines.clone().into_iter().collect::<Vec<_>>(),
        [(2, 2), (3, 4), (4, 5), (5, 3)]
    );
}

#[test]
fn a_part_has_at_most_five_thousand_rows_and_the_header() {
    let mut numbers: Vec<NumberCsv> = (0..5_001).map(NumberCsv::new).collect();
    // The last row goes with the first.
    numbers[5_000].imsi = numbers[0].imsi.clone();
    let parts = parts(&numbers);
    assert_eq!(
        parts.iter().map(|part| part.lines.len()).collect::<Vec<_>>(),
        [5_000, 1]
    );
    assert!(parts.iter().all(|part| lines(part)[0] == NUMBER_HEADER));
    assert_eq!((parts[0].lines[&2], parts[0].lines[&3]), (2, 5_002));
    assert_eq!(lines(&parts[1])[1..], [numbers[4_999].line()]);
}
