//! The end of the chain becomes a message to the operator every few minutes, so that somebody else holds it.

use std::collections::BTreeMap;

use crate::job_run::Done;
use crate::messages::{NewMessage, has_address, queue};
use crate::{Context, transaction};
use domain::Receiver;
use domain::error::Error;
use store::Database;
use store::audit::{self, AuditHead};

/// Topic of the message.
const TOPIC: &str = "audit_head";

/// Sends the end of the chain, unless it is the one that was sent last. Takes the write lock only to send.
pub(crate) async fn send<D: Database>(cx: &Context<'_, D>) -> Result<Done, Error> {
    if !is_new(&audit::last(cx.db).await?, audit::last_head(cx.db).await?) {
        return Ok(Done::default());
    }
    let count = transaction(cx, async |tx| {
        // Another node may have been first.
        let (end, before) = (audit::last(tx).await?, audit::last_head(tx).await?);
        if !is_new(&end, before) {
            return Ok(0);
        }
        let head = AuditHead { at: cx.now, ..end };
        audit::add_head(tx, &head).await?;
        let operator = Receiver::Operator;
        if !has_address(tx, &operator).await? {
            return Ok(1);
        }
        let before = before.unwrap_or(AuditHead::NONE);
        let body = BTreeMap::from([
            ("type", TOPIC.to_owned()),
            ("at", cx.now.to_rfc3339(cx.zone)),
            ("at_ms", cx.now.millis().to_string()),
            ("seq", head.seq.to_string()),
            ("hash", hex::encode(head.hash)),
            ("previous_seq", before.seq.to_string()),
            ("previous_hash", hex::encode(before.hash)),
            ("description", "审计记录的链尾，请在平台之外保存".to_owned()),
            (
                "description_en",
                "the end of the audit trail, to be kept outside the platform".to_owned(),
            ),
        ]);
        let body = serde_json::to_vec(&body).map_err(Error::internal)?;
        let message = NewMessage {
            to: &operator,
            topic: TOPIC,
            task: None,
            chip: None,
            is_addressed: true,
            body: &body,
        };
        queue(cx, tx, &message).await?;
        Ok(1)
    })
    .await?;
    Ok(Done { count, more: false })
}

fn is_new(end: &AuditHead, sent: Option<AuditHead>) -> bool {
    end.seq > sent.map_or(0, |sent| sent.seq)
}
