//! Reads the tables that the measurements print, and prints the comparison.

use std::collections::BTreeMap;

/// A rate that was printed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rate {
    /// The heading above it, and the name of its line.
    pub(super) name: String,
    /// Answers a second.
    pub(super) value: f64,
}

/// The rates of all runs of one side.
#[derive(Default)]
pub(super) struct Series {
    /// Names, in the order in which they were printed first.
    names: Vec<String>,
    values: BTreeMap<String, Vec<f64>>,
}

impl Series {
    /// Adds the rates of one run.
    pub(super) fn add(&mut self, rates: Vec<Rate>) {
        for rate in rates {
            if !self.names.contains(&rate.name) {
                self.names.push(rate.name.clone());
            }
            self.values.entry(rate.name).or_default().push(rate.value);
        }
    }

    fn median(&self, name: &str) -> Option<f64> {
        let mut values = self.values.get(name)?.clone();
        values.sort_by(f64::total_cmp);
        let (below, above) = ((values.len() - 1) / 2, values.len() / 2);
        Some((values[below] + values[above]) / 2.0)
    }
}

/// The rates in what a measurement printed: lines of tables whose first figure is so many a second.
pub(super) fn read(printed: &str) -> Vec<Rate> {
    let mut heading = "";
    let mut rates = Vec::new();
    for line in printed.lines() {
        if let Some(text) = line.strip_prefix("### ") {
            heading = text.trim();
            continue;
        }
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (Some(name), Some(figure)) = (cells.next(), cells.next()) else {
            continue;
        };
        let value = figure
            .strip_suffix("/s")
            .and_then(|value| value.trim().parse().ok());
        if let Some(value) = value {
            rates.push(Rate {
                name: format!("{heading}: {name}"),
                value,
            });
        }
    }
    rates
}

/// The medians of both sides with their ratio, and what only one side printed.
pub(super) fn compared(here: &Series, there: &Series) -> String {
    let mut text =
        String::from("| rate, median | here | there | here / there |\n| --- | ---: | ---: | ---: |\n");
    for name in &here.names {
        if let (Some(own), Some(other)) = (here.median(name), there.median(name)) {
            let ratio = own / other;
            text.push_str(&format!(
                "| {name} | {own:.0} /s | {other:.0} /s | {ratio:.2} |\n"
            ));
        }
    }
    for (side, series, other) in [("here", here, there), ("there", there, here)] {
        for name in series
            .names
            .iter()
            .filter(|name| !other.values.contains_key(*name))
        {
            text.push_str(&format!("- measured only {side}: {name}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "
### Status query, 16 connection(s)

|                                    |        rate |   p50 ms |   p99 ms |   max ms |
| ---------------------------------- | ----------: | -------: | -------: | -------: |
| bare component                     |    13226 /s |     1.18 |     2.17 |     6.74 |
| platform: /v1/write/status         |     1990 /s |     5.62 |    34.02 |    63.97 |

- platform / bare component: 0.15 (≥ 0.5): NOT reached

### Status query, 1 connection(s)

| bare component                     |     4883 /s |     0.19 |     0.46 |     4.76 |
";

    fn series(runs: &[&[(&str, f64)]]) -> Series {
        let mut series = Series::default();
        for run in runs {
            let rates = run.iter().map(|(name, value)| Rate {
                name: (*name).to_owned(),
                value: *value,
            });
            series.add(rates.collect());
        }
        series
    }

    #[test]
    fn rates_are_read_with_the_heading_above_them() {
        let read: Vec<_> = read(PRINTED)
            .into_iter()
            .map(|rate| (rate.name, rate.value))
            .collect();
        let expected = [
            ("Status query, 16 connection(s): bare component", 13_226.0),
            (
                "Status query, 16 connection(s): platform: /v1/write/status",
                1_990.0,
            ),
            ("Status query, 1 connection(s): bare component", 4_883.0),
        ];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn what_the_measurements_print_is_what_is_read() {
        let mut latencies = hdrhistogram::Histogram::new(3).unwrap();
        latencies.record(1_000).unwrap();
        let round = crate::client::Round {
            rate: 326.4,
            latencies,
            statuses: Vec::new(),
            bodies: Vec::new(),
        };
        let rates = read(&crate::table::row("platform: /v1/write/apply", &round));
        assert_eq!(rates.len(), 1);
        assert!((rates[0].value - 326.0).abs() < 0.5, "{rates:?}");
    }

    #[test]
    fn medians_are_compared_and_one_sided_rates_named() {
        let here = series(&[&[("a", 30.0), ("b", 1.0)], &[("a", 10.0)], &[("a", 20.0)]]);
        let there = series(&[&[("a", 5.0)], &[("a", 15.0), ("c", 1.0)]]);
        let text = compared(&here, &there);
        let expected = "| a | 20 /s | 10 /s | 2.00 |\n- measured only here: b\n- measured only there: c\n";
        assert!(text.ends_with(expected), "{text}");
    }
}
