//! Pages in English and in Chinese: each has its counterpart, and both have the same structure.
//!
//! `a.md` is the English page, `a.zh-CN.md` the Chinese one. Equal are: the levels of the headings, the tables with the
//! number of their rows, the list items, the blocks of code except comments, and the figures and the code in each row of
//! a table.

use super::Finding;
use super::markdown::{Line, Part, Placed, parts};
use crate::walk::File;

const ENGLISH: &str = ".md";
const CHINESE: &str = ".zh-CN.md";
/// The folder whose pages exist in both languages.
const FOLDER: &str = "docs/";
/// Pages elsewhere that exist in both languages.
const PAGES: [&str; 2] = ["README.md", "ota-gateway/README.md"];
/// Pages that have both languages in one.
const BOTH_IN_ONE: [&str; 2] = ["docs/errors.md", "docs/glossary.md"];
/// Lines within which a page links to its counterpart.
const LINK_LINES: usize = 5;

/// Pages without a counterpart or a link to it, and differences between the two.
pub(super) fn check(documents: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in documents {
        let Some(counterpart) = counterpart(&document.path) else {
            continue;
        };
        let Some(other) = documents.iter().find(|other| other.path == counterpart) else {
            findings.push(finding(document, 1, format!("{counterpart} is missing")));
            continue;
        };
        if !links_to(document, &counterpart) {
            let text = format!("no link to {counterpart} in the first {LINK_LINES} lines");
            findings.push(finding(document, 1, text));
        }
        if document.path.ends_with(CHINESE) {
            findings.extend(compare(document, other));
        }
    }
    findings
}

/// The path of the page in the other language; none where one page is enough.
fn counterpart(path: &str) -> Option<String> {
    if let Some(stem) = path.strip_suffix(CHINESE) {
        return Some(format!("{stem}{ENGLISH}"));
    }
    let is_in_folder = path.strip_prefix(FOLDER).is_some_and(|name| !name.contains('/'));
    let has_two = (is_in_folder || PAGES.contains(&path)) && !BOTH_IN_ONE.contains(&path);
    let stem = path.strip_suffix(ENGLISH)?;
    has_two.then(|| format!("{stem}{CHINESE}"))
}

fn links_to(page: &File, counterpart: &str) -> bool {
    let name = counterpart.rsplit('/').next().unwrap_or(counterpart);
    let link = format!("]({name})");
    page.text
        .lines()
        .take(LINK_LINES)
        .any(|line| line.contains(&link))
}

fn finding(page: &File, line: usize, text: String) -> Finding {
    Finding {
        path: page.path.clone(),
        line,
        rule: "languages",
        text,
    }
}

/// Something in which a page differs from its counterpart.
struct Difference {
    /// The line in the page, and in the counterpart.
    lines: [usize; 2],
    /// What the page has there, and what the counterpart has.
    has: [String; 2],
}

fn compare(page: &File, other: &File) -> Vec<Finding> {
    let (own, others) = (parts(&page.text), parts(&other.text));
    let differences = match heading_difference(&own, &others) {
        // Whatever follows would be compared with the wrong section.
        Some(difference) => vec![difference],
        None => sections(&own)
            .zip(sections(&others))
            .flat_map(|(own, others)| section_differences(own, others))
            .collect(),
    };
    let as_finding = |difference: Difference| {
        let ([line, other_line], [has, other_has]) = (difference.lines, difference.has);
        let text = format!("{has} where {}:{other_line} has {other_has}", other.path);
        finding(page, line, text)
    };
    differences.into_iter().map(as_finding).collect()
}

/// The parts of a page, divided before each heading.
fn sections<'p, 'a>(parts: &'p [Placed<'a>]) -> impl Iterator<Item = &'p [Placed<'a>]> {
    parts.chunk_by(|_, next| !matches!(next.part, Part::Heading(_)))
}

fn heading_difference(own: &[Placed<'_>], others: &[Placed<'_>]) -> Option<Difference> {
    let is_heading = |placed: &&Placed<'_>| matches!(placed.part, Part::Heading(_));
    let own: Vec<&Placed<'_>> = own.iter().filter(is_heading).collect();
    let others: Vec<&Placed<'_>> = others.iter().filter(is_heading).collect();
    shape_difference(&own, &others)
}

/// The differences within a section. A part that has none in its place hides those after it.
fn section_differences(own: &[Placed<'_>], others: &[Placed<'_>]) -> Vec<Difference> {
    let own_parts: Vec<&Placed<'_>> = own.iter().collect();
    let other_parts: Vec<&Placed<'_>> = others.iter().collect();
    if let Some(difference) = shape_difference(&own_parts, &other_parts) {
        return vec![difference];
    }
    let mut differences = Vec::new();
    for (own, other) in own.iter().zip(others) {
        match (&own.part, &other.part) {
            (Part::Table(own), Part::Table(other)) => differences.extend(row_differences(own, other)),
            (Part::Code(own), Part::Code(other)) => differences.extend(code_difference(own, other)),
            _ => {}
        }
    }
    differences
}

/// The first place where the two have different parts.
fn shape_difference(own: &[&Placed<'_>], others: &[&Placed<'_>]) -> Option<Difference> {
    let line = |parts: &[&Placed<'_>], index: usize| {
        let placed = parts.get(index).or(parts.last());
        placed.map_or(1, |placed| placed.line)
    };
    (0..own.len().max(others.len())).find_map(|index| {
        let has = [shape(own.get(index).copied()), shape(others.get(index).copied())];
        (has[0] != has[1]).then(|| Difference {
            lines: [line(own, index), line(others, index)],
            has,
        })
    })
}

fn shape(placed: Option<&Placed<'_>>) -> String {
    match placed.map(|placed| &placed.part) {
        None => "nothing more".to_owned(),
        Some(Part::Heading(level)) => format!("a heading of level {level}"),
        Some(Part::Table(rows)) => format!("a table of {} rows", rows.len()),
        Some(Part::Item) => "a list item".to_owned(),
        Some(Part::Code(_)) => "a block of code".to_owned(),
    }
}

/// The rows with different figures or different code.
fn row_differences(own: &[Line<'_>], others: &[Line<'_>]) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (own, other) in own.iter().zip(others) {
        let (own_facts, other_facts) = (facts(own.text), facts(other.text));
        if own_facts != other_facts {
            differences.push(Difference {
                lines: [own.number, other.number],
                has: [only(&own_facts, &other_facts), only(&other_facts, &own_facts)],
            });
        }
    }
    differences
}

/// The first line of code that differs.
fn code_difference(own: &[Line<'_>], others: &[Line<'_>]) -> Option<Difference> {
    let text = |lines: &[Line<'_>], index: usize| match lines.get(index) {
        Some(line) => format!("`{}`", line.text),
        None => "nothing more".to_owned(),
    };
    let number = |lines: &[Line<'_>], index: usize| {
        let line = lines.get(index).or(lines.last());
        line.map_or(1, |line| line.number)
    };
    (0..own.len().max(others.len())).find_map(|index| {
        let has = [text(own, index), text(others, index)];
        (has[0] != has[1]).then(|| Difference {
            lines: [number(own, index), number(others, index)],
            has,
        })
    })
}

/// What a row says in every language: its code and its figures. Their order depends on the language.
fn facts(row: &str) -> Vec<String> {
    let mut facts = Vec::new();
    for (index, piece) in row.split('`').enumerate() {
        // Every second piece stands between backticks.
        if index % 2 == 1 {
            facts.push(format!("`{piece}`"));
        } else {
            facts.extend(figures(piece));
        }
    }
    facts.sort();
    facts
}

/// The figures in a text, without the commas between their digits.
fn figures(text: &str) -> impl Iterator<Item = String> {
    text.split(|next: char| !next.is_ascii_digit() && next != '.' && next != ',')
        .map(|figure| figure.replace(',', "").trim_matches('.').to_owned())
        .filter(|figure| !figure.is_empty())
}

/// What `these` have and `those` have not.
fn only(these: &[String], those: &[String]) -> String {
    let mut left = those.to_vec();
    let mut only = Vec::new();
    for fact in these {
        match left.iter().position(|other| other == fact) {
            Some(at) => {
                left.swap_remove(at);
            }
            None => only.push(fact.as_str()),
        }
    }
    if only.is_empty() {
        "nothing".to_owned()
    } else {
        only.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLE: &str = "# A\n\n[中文](a.zh-CN.md) [English](a.md)\n\n";

    fn page(path: &str, text: &str) -> File {
        File {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// The findings about an English and a Chinese page that begin with [`TITLE`]; the text is at line 5.
    fn findings(english: &str, chinese: &str) -> Vec<String> {
        let english = page("docs/a.md", &format!("{TITLE}{english}"));
        let chinese = page("docs/a.zh-CN.md", &format!("{TITLE}{chinese}"));
        let findings = check(&[english, chinese]);
        findings.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn equal_pages_have_no_findings() {
        let english =
            "## B\n\n| c | d |\n| --- | --- |\n| 1,000 of `e` in 2 s | |\n\n- f\n\n```sh\ng 1   # h\n```\n";
        let chinese = "## 乙\n\n| 丙 | 丁 |\n| --- | --- |\n| 2 秒内 1000 个 `e` | |\n\n- 己\n\n```sh\n# 辛\ng 1\n```\n";
        assert_eq!(findings(english, chinese), [""; 0]);
    }

    #[test]
    fn the_first_heading_that_differs_is_named() {
        assert_eq!(
            findings("## B\n\n### C\n\n## D\n", "## 乙\n\n## 丁\n"),
            ["docs/a.zh-CN.md:7: languages: a heading of level 2 where docs/a.md:7 has a heading of level 3"]
        );
        assert_eq!(
            findings("## B\n", ""),
            ["docs/a.zh-CN.md:1: languages: nothing more where docs/a.md:5 has a heading of level 2"]
        );
    }

    #[test]
    fn the_first_part_that_differs_is_named_in_each_section() {
        assert_eq!(
            findings(
                "- a\n- b\n\n## B\n\n| c |\n| d |\n\n## D\n\n- e\n",
                "- 甲\n\n## 乙\n\n| 丙 |\n\n## 丁\n\n```\n戊\n```\n"
            ),
            [
                "docs/a.zh-CN.md:5: languages: nothing more where docs/a.md:6 has a list item",
                "docs/a.zh-CN.md:9: languages: a table of 1 rows where docs/a.md:10 has a table of 2 rows",
                "docs/a.zh-CN.md:13: languages: a block of code where docs/a.md:15 has a list item",
            ]
        );
    }

    #[test]
    fn figures_and_code_of_rows_agree() {
        assert_eq!(
            findings(
                "| 10 s, `a` |\n| 1.5, `b` |\n| 3 |\n",
                "| `a`，10 秒 |\n| `b`，1.6 |\n| 三 |\n"
            ),
            [
                "docs/a.zh-CN.md:6: languages: 1.6 where docs/a.md:6 has 1.5",
                "docs/a.zh-CN.md:7: languages: nothing where docs/a.md:7 has 3",
            ]
        );
    }

    #[test]
    fn code_agrees_except_for_comments() {
        assert_eq!(
            findings("```sh\na # b\nc\nd\n```\n", "```sh\na # 乙\n# 丙\nd\n```\n"),
            ["docs/a.zh-CN.md:8: languages: `d` where docs/a.md:7 has `c`"]
        );
        assert_eq!(
            findings("```sh\na\n```\n", "```sh\na\nb\n```\n"),
            ["docs/a.zh-CN.md:7: languages: `b` where docs/a.md:6 has nothing more"]
        );
    }

    #[test]
    fn a_page_without_its_counterpart_is_found() {
        let alone = [
            ("README.md", "README.zh-CN.md"),
            ("docs/a.md", "docs/a.zh-CN.md"),
            ("docs/a.zh-CN.md", "docs/a.md"),
            ("b/c.zh-CN.md", "b/c.md"),
        ];
        for (path, missing) in alone {
            let found = check(&[page(path, TITLE)]);
            let lines: Vec<String> = found.iter().map(Finding::to_string).collect();
            assert_eq!(lines, [format!("{path}:1: languages: {missing} is missing")]);
        }
        for path in ["ARCHITECTURE.md", "docs/errors.md", "docs/samples/a.md"] {
            assert!(check(&[page(path, TITLE)]).is_empty(), "{path}");
        }
    }

    #[test]
    fn pages_link_to_each_other() {
        let pages = [page("README.md", "# A\n"), page("README.zh-CN.md", "# 甲\n")];
        let found: Vec<String> = check(&pages).iter().map(Finding::to_string).collect();
        assert_eq!(
            found,
            [
                "README.md:1: languages: no link to README.zh-CN.md in the first 5 lines",
                "README.zh-CN.md:1: languages: no link to README.md in the first 5 lines",
            ]
        );
    }
}
