//! What a request finds.

use super::*;
use crate::layers::ArrivalLayer;

#[test]
fn a_request_finds_the_time_and_the_configuration_of_its_arrival() {
    let host = TestHost::new();
    host.set_time(NOW.plus(7));
    let (app, clock) = (host.app(), host.clone());
    let response = through(ArrivalLayer(app), Sent::get("/").request(), move |request| {
        // Whatever the clock shows later.
        clock.set_time(NOW.plus(1_000));
        let arrival: &Arrival = request.extensions().get().unwrap();
        assert_eq!(arrival.time(), NOW.plus(7));
        assert!(arrival.settings().is_secret(SECRET));
        empty()
    });
    assert_eq!(reason(&response), None);
}

#[test]
fn without_its_configuration_the_platform_answers_nothing_else() {
    let host = TestHost::new();
    host.lose_settings();
    let response = stopped(ArrivalLayer(host.app()), Sent::get("/").request());
    assert_eq!(reason(&response), Some(Reason::Internal));
}

#[test]
fn a_request_takes_its_connection_late_and_once() {
    let host = TestHost::new();
    let arrival = block_on(Arrival::now(&host.app())).unwrap();
    assert_eq!(host.connections(), 0);
    let first = block_on(arrival.connect()).unwrap();
    let again = block_on(arrival.clone().connect()).unwrap();
    assert!(std::rc::Rc::ptr_eq(&first, &again));
    assert_eq!(host.connections(), 1);
}

#[test]
fn a_connection_that_cannot_be_taken_is_an_error_each_time() {
    let host = TestHost::new();
    host.lose_database();
    let arrival = block_on(Arrival::now(&host.app())).unwrap();
    for _ in 0..2 {
        let error = block_on(arrival.connect()).err().unwrap();
        assert_eq!(error.reason(), Reason::Unavailable);
    }
}
