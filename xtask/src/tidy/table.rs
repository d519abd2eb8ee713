//! The words, and the exceptions.

/// How a word is looked for.
pub(super) enum Pattern {
    /// The words of an identifier in a row, however it is written: in code, comments, literals and documents.
    Anywhere(&'static str),
    /// The words of an identifier in a row, in code alone: English has them too. The long names of tests, which are
    /// English, may have them.
    Identifier(&'static str),
    /// A method, a function or a public field of this name, or a literal that is nothing else. A local variable may
    /// have the name.
    Member(&'static str),
    /// An identifier of exactly this spelling, in code alone.
    Name(&'static str),
    /// Words in a row in comments, literals and documents.
    Phrase(&'static str),
    /// A line of a comment that says nothing else.
    Comment(&'static str),
    /// The name of a file or a folder, with as many folders above it as given.
    File(&'static str),
}

/// A word, and what stands in its place.
pub(super) struct Entry {
    pub(super) pattern: Pattern,
    /// The folders in which it must not stand; `""` is everywhere.
    pub(super) within: &'static [&'static str],
    pub(super) instead: &'static str,
}

/// A file or folder in which a word may stand.
pub(super) struct Exception {
    pub(super) within: &'static str,
    /// The word as in its entry; none for all of them.
    pub(super) word: Option<&'static str>,
    pub(super) reason: &'static str,
}

impl Exception {
    pub(super) fn covers(&self, entry: &Entry) -> bool {
        self.word.is_none_or(|word| word == entry.pattern.text())
    }
}

/// Where a word may stand after all.
pub(super) const EXCEPTIONS: &[Exception] = &[
    Exception {
        within: "CHANGELOG.md",
        word: None,
        reason: "says what had the word and what it is called now",
    },
    Exception {
        within: "xtask/src/tidy",
        word: None,
        reason: "holds the list itself, and tests that plant its words",
    },
    Exception {
        within: OLD_SCHEMAS,
        word: Some("stranger"),
        reason: "fills databases of released schemas, whose table and job had the name",
    },
    Exception {
        within: OLD_SCHEMAS,
        word: Some("lane"),
        reason: "looks for the name of an index of schema 5 in the schema of today",
    },
];

/// The tests that bring databases of older programs up to date.
const OLD_SCHEMAS: &str = "shared/operations/tests/operations/migrations.rs";

/// Routes that keep a word. Timers and hosts of operators call them, so a route outlives the name of its component.
pub(super) const ROUTES: &[&str] = &["/internal/upkeep"];

const EVERYWHERE: &[&str] = &[""];
const GATEWAY: &[&str] = &["ota-gateway"];
const PLATFORM: &[&str] = &["shared", "functions"];
const SHARED: &[&str] = &["shared"];
const SIMULATOR: &[&str] = &["card-sim"];
const TESTS: &[&str] = &["tests", OPERATIONS_TESTS];
/// The tests of the operations, on a database of their own.
const OPERATIONS_TESTS: &str = "shared/operations/tests";

const fn anywhere(text: &'static str, instead: &'static str) -> Entry {
    Entry {
        pattern: Pattern::Anywhere(text),
        within: EVERYWHERE,
        instead,
    }
}

const fn code(text: &'static str, within: &'static [&'static str], instead: &'static str) -> Entry {
    Entry {
        pattern: Pattern::Identifier(text),
        within,
        instead,
    }
}

const fn name(text: &'static str, within: &'static [&'static str], instead: &'static str) -> Entry {
    Entry {
        pattern: Pattern::Name(text),
        within,
        instead,
    }
}

const fn member(text: &'static str, instead: &'static str) -> Entry {
    Entry {
        pattern: Pattern::Member(text),
        within: PLATFORM,
        instead,
    }
}

const fn phrase(text: &'static str, instead: &'static str) -> Entry {
    Entry {
        pattern: Pattern::Phrase(text),
        within: EVERYWHERE,
        instead,
    }
}

const fn comment(text: &'static str) -> Entry {
    Entry {
        pattern: Pattern::Comment(text),
        within: EVERYWHERE,
        instead: "no documentation: complete it, or delete it",
    }
}

const fn file(text: &'static str, within: &'static [&'static str], instead: &'static str) -> Entry {
    Entry {
        pattern: Pattern::File(text),
        within,
        instead,
    }
}

/// The words.
pub(super) const WORDS: &[Entry] = &[
    // Request handling.
    code("sentence", EVERYWHERE, "`handler`"),
    phrase("own sentence", "the handler"),
    anywhere("manners", "connection pragmas, or connection setup"),
    anywhere("heed_blame", "`failed_auth`, or `throttle`"),
    code("blame", EVERYWHERE, "`failed_auth`"),
    anywhere("stranger", "an unauthenticated caller: `ip_throttle`"),
    anywhere("misdeed", "`failed_auth`"),
    anywhere("take_a_call", "`charge_rate_limit`"),
    member("needs", "`required_variables`"),
    name("Needs", PLATFORM, "`RequiredVariables`"),
    member("texts", "`text_fields`"),
    name("Texts", PLATFORM, "`TextFields`"),
    member("wanted", "a request type by name"),
    name("Wanted", PLATFORM, "a request type by name"),
    member("conclude", "`finish`"),
    // Operators.
    anywhere("told_at", "`reported_at`"),
    code("told", EVERYWHERE, "`reported`"),
    code("tell", EVERYWHERE, "`report`"),
    phrase("tell about their numbers", "report on their numbers"),
    file("store/told.rs", SHARED, "`operator_report.rs`"),
    // Periodic jobs.
    anywhere("diary", "`job_log`"),
    anywhere("note_job", "`record_run`"),
    anywhere("conclude_job", "`finish_job`"),
    member("well", "`healthy`"),
    anywhere("upkeep", "`maintenance`"),
    file("functions/upkeep", EVERYWHERE, "`functions/maintenance`"),
    file("functions/cron", EVERYWHERE, "`functions/dispatcher`"),
    // Incidents.
    code("strike", EVERYWHERE, "`advance`, or `escalate`"),
    anywhere("catch_up", "`advance`"),
    anywhere("next_look", "`next_deadline`"),
    code("standing", SHARED, "`state`"),
    code("breach", EVERYWHERE, "an overdue notice"),
    anywhere("follow_several", "`update_multi_province_incident`"),
    file("incidents/sheet.rs", SHARED, "`review_csv.rs`"),
    file("incidents/people.rs", SHARED, "`manual.rs`"),
    file("incidents/platform.rs", SHARED, "`automatic.rs`"),
    // Messages.
    anywhere("lane", "`receiver_queue`"),
    phrase("outbox row", "a message"),
    code("bury", EVERYWHERE, "`expire_unreported`"),
    anywhere("give_up", "`dead_letter`"),
    anywhere("judge_address", "`record_failure`"),
    anywhere("credit_address", "`record_success`"),
    anywhere("on_their_way", "`in_flight`"),
    phrase("on their way", "in flight"),
    // The gateway.
    name("Machine", GATEWAY, "`SessionMachine`"),
    name("Job", GATEWAY, "`CardJob`"),
    name("Place", GATEWAY, "`Checkpoint`"),
    name("Parked", GATEWAY, "`SuspendedSession`"),
    name("Then", GATEWAY, "`AfterReport`"),
    name("Moment", GATEWAY, "`SessionEvent`"),
    name("Account", GATEWAY, "`PlatformSession`"),
    name("Wire", GATEWAY, "`AgentStream`"),
    name("Counted", GATEWAY, "`CountingStream`"),
    name("Expiring", GATEWAY, "`TtlMap`"),
    name("Stop", GATEWAY, "`Shutdown`"),
    file("src/expiring.rs", GATEWAY, "`ttl_map.rs`"),
    file("src/stop.rs", GATEWAY, "`shutdown.rs`"),
    file("tls/counted.rs", GATEWAY, "`counting_stream.rs`"),
    file("connection/wire.rs", GATEWAY, "`agent_stream.rs`"),
    // The simulator and the command.
    name("answered", SIMULATOR, "`terminal_response`"),
    name("polled", SIMULATOR, "`status`"),
    file("meaning.rs", EVERYWHERE, "`describe.rs`"),
    file("web/link.rs", SHARED, "the protocol crate"),
    file("story.rs", EVERYWHERE, "`single_card.rs`"),
    name("ground", EVERYWHERE, "`demo_env`"),
    name("Ground", EVERYWHERE, "`DemoEnv`"),
    // Hosts.
    name("patient", EVERYWHERE, "`with_idle_timeout`"),
    name("Rules", &["edge-host"], "`ReusePolicy`"),
    anywhere("hand_over", "`into_component_streams`"),
    // Tests.
    code("door", TESTS, "`TestPlatform`"),
    code("rig", TESTS, "`CallbackFixture`"),
    code("dice", EVERYWHERE, "`SeededRandom`"),
    name("Score", TESTS, "`RefusalCoverage`"),
    anywhere("own_cases", "`refusals_by_endpoint`"),
    code("probe", &[OPERATIONS_TESTS], "`FaultInjectingDb`"),
    file("door.rs", TESTS, "`platform.rs`"),
    file("rig.rs", TESTS, "`callback_fixture.rs`"),
    file("own_cases.rs", TESTS, "`refusals_by_endpoint.rs`"),
    // Documentation that says nothing.
    phrase(
        "Those of the database",
        "no documentation: complete it, or delete it",
    ),
    comment("The machine."),
    comment("The place."),
    comment("The job."),
];
