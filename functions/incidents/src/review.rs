//! The review of a month (§8.3.2) and the register of faulty chips (§8.2.2).

use domain::Month;
use operations::{
    FaultyChip, FaultyCursor, MAX_FAULTY_PER_PAGE, faulty_chips, review_csv, review_fields, review_incidents,
};
use serde_json::{Value, json};
use spin_host::Connection;
use web::{Call, Param, Refusal, Reply};

/// The review of a month, as a document or as CSV; without a month, that of the present month so far.
pub(crate) async fn show(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let month = call.params.optional(Param::Month, Month::parse)?;
    let format = call.params.one_of(Param::Format, &["json", "csv"])?;
    let review = review_incidents(call.cx, month).await?;
    if format == Some("csv") {
        let name = format!("incidents-{}.csv", review.month);
        return Ok(Reply::csv(name, review_csv(&review, call.lang)));
    }
    let fields = review_fields(&review, call.lang, call.cx.zone);
    Ok(fields
        .into_iter()
        .fold(Reply::ok(), |reply, (name, value)| reply.with(name, value)))
}

/// The register of faulty chips, the latest entry first.
pub(crate) async fn faulty(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let cursor = call.params.optional(Param::Cursor, FaultyCursor::parse)?;
    let limit = call.params.limit(MAX_FAULTY_PER_PAGE)?;
    let page = faulty_chips(call.cx, cursor, limit).await?;
    let chips: Vec<Value> = page.chips.iter().map(|chip| document(call, chip)).collect();
    Ok(Reply::ok()
        .with("chips", chips)
        .with("next", page.next.map(|cursor| cursor.text())))
}

fn document(call: &Call<'_, Connection>, chip: &FaultyChip) -> Value {
    json!({
        "eid": chip.eid,
        "chip_model": chip.chip_model,
        "client_id": chip.client_id,
        "since": call.text_of(chip.since),
    })
}
