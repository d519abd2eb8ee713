//! The link breaks at every step of a writing, over real TLS: the next session makes it good, and nothing
//! is written wrong or, unless its answer was lost, twice.

use ota_gateway::Event;
use test_support::gateway::agent::{Agent, FIRST_URI};
use test_support::gateway::card::Card;
use test_support::gateway::{GatewayFixture, settings};

/// Where the link breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    /// Before the first request.
    AfterHandshake,
    /// The chip's n-th request gets lost on its way to the answer.
    AfterRequest(usize),
    /// The n-th script arrived and was not run.
    AfterScript(usize),
    /// The n-th script was run, its result not sent.
    AfterRun(usize),
    /// Half of the n-th result was sent.
    WithinResult(usize),
}

/// Runs a session up to its break; gives where the chip resumes, or nothing if the session came to its end.
async fn broken_session(
    fixture: &GatewayFixture,
    card: &mut Card,
    resume_at: Option<&str>,
    cut: Option<Break>,
) -> Option<String> {
    let mut agent = Agent::connect(fixture.gateway.addr()).await;
    let begin = resume_at.unwrap_or(FIRST_URI).to_owned();
    if cut == Some(Break::AfterHandshake) {
        return Some(begin);
    }
    let mut answer = agent.begin(&begin, resume_at.is_some()).await;
    let mut last_uri = begin;
    for script in 0.. {
        if cut == Some(Break::AfterScript(script)) {
            return Some(last_uri);
        }
        let result = card.run(&answer.body);
        let Some(next) = answer.next_uri().map(str::to_owned) else {
            break;
        };
        if cut == Some(Break::AfterRun(script)) {
            return Some(next);
        }
        if cut == Some(Break::WithinResult(script)) {
            agent
                .send(
                    format!("POST {next} HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\nhalf").as_bytes(),
                )
                .await;
            return Some(next);
        }
        agent.result(&next, &result).await;
        last_uri = next;
        if cut == Some(Break::AfterRequest(script)) {
            return Some(last_uri);
        }
        answer = agent.answer().await.expect("an answer to a result");
        if answer.status != 200 {
            break;
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_breaks_at_any_step_is_made_good_in_the_next_session() {
    let mut clean = Card::seed();
    let undisturbed = GatewayFixture::start().await;
    assert_eq!(broken_session(&undisturbed, &mut clean, None, None).await, None);
    let scripts = undisturbed
        .platform
        .reported()
        .iter()
        .filter(|kind| *kind == "progress")
        .count()
        + 1;
    assert!(scripts >= 3, "{scripts}");

    let per_script = |script| {
        [
            Break::AfterRequest(script),
            Break::AfterScript(script),
            Break::AfterRun(script),
            Break::WithinResult(script),
        ]
    };
    let breaks: Vec<Break> = std::iter::once(Break::AfterHandshake)
        .chain((0..scripts).flat_map(per_script))
        .collect();
    for cut in breaks {
        let (fixture, mut card) = (GatewayFixture::start().await, Card::seed());
        let resume_at = broken_session(&fixture, &mut card, None, Some(cut))
            .await
            .expect("the link breaks");
        card.power_cycle();
        let resume_at = (cut != Break::AfterHandshake).then_some(resume_at);
        let left = broken_session(&fixture, &mut card, resume_at.as_deref(), None).await;
        assert_eq!(left, None, "{cut:?}");
        let (platform, _) = fixture.finish().await;
        assert_eq!(card.files, clean.files, "{cut:?}");
        assert!(
            card.updates.iter().all(|update| clean.updates.contains(update)),
            "{cut:?}"
        );
        assert!(
            card.key_loads.iter().all(|load| *load == clean.key_loads[0]),
            "{cut:?}"
        );
        let lost_answer = matches!(
            cut,
            Break::AfterRun(_) | Break::WithinResult(_) | Break::AfterRequest(_)
        );
        assert!(card.key_loads.len() <= 1 + usize::from(lost_answer), "{cut:?}");
        assert!(platform.reported().contains(&"written".to_owned()), "{cut:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_knows_nothing_of_the_broken_session_reads_what_was_written() {
    let (first, mut card) = (GatewayFixture::start().await, Card::seed());
    let resume_at = broken_session(&first, &mut card, None, Some(Break::AfterRun(1))).await;
    card.power_cycle();
    first.gateway.shutdown().await;
    // The same platform, another gateway: as after a crash, or behind a balancer.
    let gateway = ota_gateway::start(settings(first.platform.addr()), None)
        .await
        .unwrap();
    let second = GatewayFixture {
        gateway,
        platform: first.platform,
        events: first.events,
    };
    assert_eq!(
        broken_session(&second, &mut card, resume_at.as_deref(), None).await,
        None
    );
    let opened = second.platform.calls("/sessions");
    assert_eq!(opened.len(), 2);
    assert_eq!(opened[1]["resumed"], true);
    assert_eq!(hex::encode(card.content(0x6F07)), "084906003175296408");
    assert!(second.platform.reported().contains(&"written".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_kept_the_broken_session_surveys_the_card_once() {
    let (fixture, mut card) = (GatewayFixture::start().await, Card::seed());
    let resume_at = broken_session(&fixture, &mut card, None, Some(Break::AfterRun(1))).await;
    fixture.events.sessions_ended(1).await;
    card.power_cycle();
    assert_eq!(
        broken_session(&fixture, &mut card, resume_at.as_deref(), None).await,
        None
    );
    let (platform, events) = fixture.finish().await;
    let surveyed = events
        .all()
        .iter()
        .filter(|event| matches!(event, Event::Apdu { description, .. } if description == "READ BINARY EF_EPSLOCI"))
        .count();
    assert_eq!(surveyed, 1, "EF_EPSLOCI is read in the survey alone");
    assert_eq!(platform.calls("/sessions")[1]["resumed"], true);
}
