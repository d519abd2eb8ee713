//! Sending messages again (§8.2.3).

use domain::error::Reason;
use operations::{WhichMessages, resend};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::values::{self, Parsed};
use web::{Answer, Refusal, Success, codes, present};

const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterNotApplicable,
    Reason::ParameterMalformed,
    Reason::UnknownCallback,
    Reason::UnknownReceiver,
];

/// Which messages to send again: one by its `id`; those that became dead since `failed_since`, of one receiver or of
/// all; or those of a `receiver` created in a span of time that are dead, without an address, or wait for their next
/// attempt.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resend {
    /// 该消息 / this message
    id: Option<values::MessageId>,
    /// 自该时间起放弃的消息 / messages given up from this time on
    failed_since: Option<values::Instant>,
    /// 接收方 / the receiver
    receiver: Option<values::Receiver>,
    /// 自该时间起产生的消息 / messages created from this time on
    from: Option<values::Instant>,
    /// 早于该时间产生的消息 / messages created before this time
    to: Option<values::Instant>,
    /// 是否包括已送达的消息 / whether delivered messages are sent again too
    #[serde(default)]
    delivered_too: bool,
    /// 上一次调用应答的 next / the `next` of the call before
    cursor: Option<values::MessageId>,
}

impl Resend {
    fn which(self) -> Result<WhichMessages, Refusal> {
        match (self.id, self.failed_since, self.receiver) {
            (Some(id), None, None) => Ok(WhichMessages::One(id.get())),
            (None, Some(since), receiver) => Ok(WhichMessages::Failed {
                receiver: receiver.map(Parsed::get),
                since: since.get(),
            }),
            (None, None, Some(receiver)) => Ok(WhichMessages::Span {
                receiver: receiver.get(),
                from: present("from", self.from)?.get(),
                to: self.to.map(Parsed::get),
                delivered_too: self.delivered_too,
                cursor: self.cursor.map(Parsed::get),
            }),
            (None, None, None) => Err(Refusal::of_field("receiver", Reason::ParameterMissing)),
            (Some(_), _, _) => Err(Refusal::of_field("id", Reason::ParameterNotApplicable)),
        }
    }
}

/// What is sent again.
#[derive(Serialize, ToSchema)]
pub(crate) struct Resent {
    /// 重新推送的消息数，不含正在推送的 / how many messages are sent again; those in flight are not among them
    resent: usize,
    /// 是否可能还有 / true when there may be more
    more: bool,
    /// 下一次调用的 cursor / `cursor` of the next call for a span, if there may be more
    #[schema(required, value_type = Option<values::MessageId>)]
    next: Option<String>,
}

/// Sends again at once: one message, those of a span of time, or those that became dead from a time on. Also hurries
/// messages that wait for their next attempt.
#[utoipa::path(
    post,
    path = "/admin/v1/callbacks:resend",
    summary = "重新推送消息 / Send messages again (§8.2.3)",
    request_body = Resend,
    responses((status = 200, body = Success<Resent>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn send_again(
    call: Call,
    _: Staff<rights::CallbacksResend>,
    Json(request): Json<Resend>,
) -> Answer<Resent> {
    let resent = resend(&call.context(), &request.which()?).await?;
    Ok(Success::new(Resent {
        resent: resent.count,
        more: resent.more,
        next: resent.next.map(|id| id.text()),
    }))
}

#[cfg(test)]
mod tests {
    use domain::{MessageId, Receiver, Timestamp};
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "019f1a2b-3c4d-7e5f-8a6b-7c8d9e0f1a2b";
    const MIDNIGHT: &str = "1970-01-02T00:00:00Z";
    const DAY: Timestamp = Timestamp(86_400_000);

    fn which(request: Value) -> Result<WhichMessages, Reason> {
        let request: Resend = serde_json::from_value(request).unwrap();
        request.which().map_err(|refusal| refusal.reason())
    }

    #[test]
    fn one_message_those_that_failed_or_a_span_of_time_are_sent_again() {
        let id = MessageId::parse(ID).unwrap();
        assert_eq!(which(json!({"id": ID})), Ok(WhichMessages::One(id)));
        assert_eq!(
            which(json!({"failed_since": MIDNIGHT})),
            Ok(WhichMessages::Failed {
                receiver: None,
                since: DAY
            })
        );
        assert_eq!(
            which(json!({"failed_since": MIDNIGHT, "receiver": "operator"})),
            Ok(WhichMessages::Failed {
                receiver: Some(Receiver::Operator),
                since: DAY
            })
        );
        let span = json!({"receiver": "operator", "from": MIDNIGHT, "delivered_too": true, "cursor": ID});
        assert_eq!(
            which(span),
            Ok(WhichMessages::Span {
                receiver: Receiver::Operator,
                from: DAY,
                to: None,
                delivered_too: true,
                cursor: Some(id),
            })
        );
    }

    #[test]
    fn a_request_that_names_no_messages_or_too_many_is_refused() {
        for (request, reason) in [
            (json!({}), Reason::ParameterMissing),
            (json!({"from": MIDNIGHT}), Reason::ParameterMissing),
            (json!({"receiver": "operator"}), Reason::ParameterMissing),
            (
                json!({"id": ID, "receiver": "operator"}),
                Reason::ParameterNotApplicable,
            ),
            (
                json!({"id": ID, "failed_since": MIDNIGHT}),
                Reason::ParameterNotApplicable,
            ),
        ] {
            assert_eq!(which(request.clone()), Err(reason), "{request}");
        }
    }
}
