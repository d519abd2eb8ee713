//! Prints the results as tables.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::client::Round;

/// Prints the line of figures.
pub(crate) fn line(name: &str, round: &Round) {
    println!("{}", row(name, round));
}

/// A line of figures, as a row of a table.
pub(crate) fn row(name: &str, round: &Round) -> String {
    format!(
        "| {name:<34} | {:>8.0} /s | {:>8.2} | {:>8.2} | {:>8.2} |",
        round.rate,
        round.quantile_ms(0.5),
        round.quantile_ms(0.99),
        round.max_ms()
    )
}

/// Prints a title and the head of a table.
pub(crate) fn head(title: &str) {
    println!("\n### {title}\n");
    println!(
        "| {:<34} | {:>11} | {:>8} | {:>8} | {:>8} |",
        "", "rate", "p50 ms", "p99 ms", "max ms"
    );
    println!(
        "| {:-<34} | {:->10}: | {:->7}: | {:->7}: | {:->7}: |",
        "", "", "", "", ""
    );
}

/// Prints a figure and whether it reached its goal.
pub(crate) fn goal(what: &str, value: f64, wanted: f64, at_least: bool) {
    let reached = if at_least {
        value >= wanted
    } else {
        value <= wanted
    };
    let sign = if at_least { "≥" } else { "≤" };
    let word = if reached { "reached" } else { "NOT reached" };
    println!("- {what}: {value:.2} ({sign} {wanted}): {word}");
}

/// The median round, by rate.
pub(crate) fn median(mut rounds: Vec<Round>) -> Round {
    rounds.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    let middle = rounds.len() / 2;
    rounds.swap_remove(middle)
}

/// Rounds as one: every latency, and the mean of the rates.
pub(crate) fn together(rounds: Vec<Round>) -> Result<Round> {
    let count = rounds.len() as f64;
    let mut rounds = rounds.into_iter();
    let mut all = rounds.next().context("a round")?;
    let mut statuses: BTreeMap<u16, usize> = all.statuses.drain(..).collect();
    for round in rounds {
        all.rate += round.rate;
        all.latencies.add(round.latencies)?;
        for (status, count) in round.statuses {
            *statuses.entry(status).or_insert(0) += count;
        }
    }
    all.rate /= count;
    all.statuses = statuses.into_iter().collect();
    Ok(all)
}
