//! A request to each interface of clause 7.2 that succeeds.

use test_support::http::TestRequest;
use test_support::platform::TestPlatform;

use crate::endpoints::Endpoint;

/// The target of a request to the interface that succeeds.
pub(crate) fn valid_target(platform: &TestPlatform, endpoint: &Endpoint) -> String {
    let (chip, number) = (platform.eid(0), &platform.inventory.numbers[0]);
    let query = match endpoint.name {
        "token" => format!(
            "client_id={}&client_secret={}",
            platform.owner.id, platform.owner.secret
        ),
        "write.provinces" | "write.tasks" => String::new(),
        "write.apply" => format!("eid={}&write_type=1&province_code=37", platform.eid(1)),
        "write.status" | "chip.read" | "number.open_time" => format!("eid={chip}"),
        "chip.fault" => format!("eid={chip}&fault=no_network"),
        "write.cancel" => format!("eid={}", platform.eid(1)),
        _ => format!("iccid={}", number.iccid),
    };
    format!("{}?{query}", endpoint.path)
}

/// A request to the interface that succeeds.
pub(crate) fn valid_request(platform: &TestPlatform, endpoint: &Endpoint) -> TestRequest {
    let request = TestRequest::get(valid_target(platform, endpoint));
    if endpoint.name == "token" {
        request
    } else {
        request.bearer(&platform.owner.token)
    }
}
