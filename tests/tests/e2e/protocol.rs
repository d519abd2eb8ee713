//! The names that gateway and platform must have in common, although they share no code.

use std::collections::BTreeSet;

use domain::FailureKind;
use ota_gateway::FAILURES;

#[test]
fn every_failure_a_gateway_reports_is_known_to_the_platform_under_the_same_name() {
    let reported: BTreeSet<&str> = FAILURES.iter().map(|row| row.name).collect();
    for name in &reported {
        assert_eq!(FailureKind::from_code(name).map(FailureKind::code), Some(*name));
    }
    assert_eq!(reported.len(), FAILURES.len(), "a name stands for two failures");
}
