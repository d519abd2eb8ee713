//! The layers that follow from an operation: its name, the secret and the permission.

use super::*;
use crate::layers::{CalledOperation, RequirePermission, RequireSecret, RequireStaff};
use crate::operation::Role;
use domain::{Permission, Right};

const ROLES: [Role; 3] = [Role::Operator, Role::Gateway, Role::Timer];

#[test]
fn inner_and_outer_layers_learn_which_operation_is_called() {
    let operation = operation(Access::Anyone, Content::Table);
    let expected = Arc::clone(&operation);
    let response = through(
        CalledOperation(operation),
        Sent::get("/").request(),
        move |request| {
            let Called(inside) = request.extensions().get().unwrap();
            assert_eq!(*inside, expected);
            refusal(Reason::UnknownChip)
        },
    );
    let Called(outside) = response.extensions().get().unwrap();
    assert_eq!(outside.name, "write.status");
    assert_eq!(reason(&response), Some(Reason::UnknownChip));
}

fn secret(host: &TestHost, role: Role, sent: Sent) -> Option<Reason> {
    let layer = RequireSecret(operation(Access::Secret(role), Content::Json));
    let request = arrived(&host.app(), sent);
    reason(&passed(layer, request))
}

#[test]
fn the_secret_opens_every_role() {
    let host = TestHost::new();
    for role in ROLES {
        assert_eq!(secret(&host, role, Sent::get("/").with_secret()), None);
        let wrong = Sent::get("/").header("authorization", "Bearer 0123456789abcdef");
        for sent in [Sent::get("/"), wrong, Sent::get("/").with_secret().with_secret()] {
            assert_eq!(secret(&host, role, sent), Some(Reason::CredentialWrong));
        }
    }
}

fn staff(host: &TestHost, right: Right, sent: Sent) -> Option<Reason> {
    let mut request = arrived(&host.app(), sent);
    request.extensions_mut().insert(CallerAddress(FROM));
    reason(&passed(RequireStaff(right), request))
}

#[test]
fn admin_secret_opens_every_operation_of_staff_before_the_first_administrator() {
    let host = TestHost::new();
    for right in Right::ALL {
        assert_eq!(staff(&host, *right, Sent::get("/").with_secret()), None);
        let wrong = Sent::get("/").header("authorization", "Bearer 0123456789abcdef");
        let as_parameter = Sent::get(&format!("/?key={SECRET}"));
        for sent in [Sent::get("/"), wrong, as_parameter] {
            assert_eq!(staff(&host, *right, sent), Some(Reason::CredentialWrong));
        }
    }
}

#[test]
fn only_what_can_be_a_credential_of_staff_takes_a_connection_and_only_a_few_of_an_address() {
    let host = TestHost::new();
    let bearer = |text: &str| Sent::get("/").header("authorization", &format!("Bearer {text}"));
    let unknown = format!("xkk_{}", "A".repeat(43));
    for other in ["", "x", &unknown[..46], &format!("xke_{}", "A".repeat(43))] {
        assert_eq!(
            staff(&host, Right::TasksEnd, bearer(other)),
            Some(Reason::CredentialWrong)
        );
    }
    assert_eq!(host.connections(), 0);
    for _ in 0..20 {
        assert_eq!(
            staff(&host, Right::TasksEnd, bearer(&unknown)),
            Some(Reason::CredentialWrong)
        );
    }
    assert_eq!(host.connections(), 20);
    assert_eq!(
        staff(&host, Right::TasksEnd, bearer(&unknown)),
        Some(Reason::RateLimited)
    );
    assert_eq!(host.connections(), 20);
}

#[test]
fn only_a_timer_may_send_it_as_a_parameter() {
    let host = TestHost::new();
    let key = format!("/?key={SECRET}");
    for role in ROLES {
        let expected = (role != Role::Timer).then_some(Reason::CredentialWrong);
        assert_eq!(secret(&host, role, Sent::get(&key)), expected, "{role:?}");
    }
    let two = Sent::get(&key).header("authorization", "Bearer wrong");
    assert_eq!(secret(&host, Role::Timer, two), Some(Reason::CredentialWrong));
    let other_first = Sent::get(&format!("/?key=wrong&key={SECRET}"));
    assert_eq!(
        secret(&host, Role::Timer, other_first),
        Some(Reason::CredentialWrong)
    );
    let endless = Sent::get(&format!("{key}&x={}", "x".repeat(crate::MAX_QUERY_BYTES)));
    assert_eq!(secret(&host, Role::Timer, endless), Some(Reason::CredentialWrong));
}

#[test]
fn a_component_without_a_secret_opens_to_nobody() {
    let host = TestHost::configured(&crate::Variables {
        secret: None,
        ..variables()
    });
    for target in ["/", "/?key="] {
        assert_eq!(
            secret(&host, Role::Timer, Sent::get(target)),
            Some(Reason::CredentialWrong)
        );
    }
    let empty = Sent::get("/").header("authorization", "Bearer ");
    assert_eq!(secret(&host, Role::Timer, empty), Some(Reason::CredentialWrong));
}

// §6.2.1.1
#[test]
fn a_client_passes_with_just_the_permission_of_the_operation() {
    let host = TestHost::new();
    let client = Client(Arc::new(host.add_verified(&["write.status", "chip.read"])));
    for permission in Permission::ALL {
        let mut request = Sent::get("/").request();
        request.extensions_mut().insert(client.clone());
        let response = passed(RequirePermission(permission), request);
        let may = matches!(permission, Permission::WriteStatus | Permission::ChipRead);
        let expected = (!may).then_some(Reason::PermissionMissing);
        assert_eq!(reason(&response), expected, "{permission:?}");
        if let Some(Refused(refusal)) = response.extensions().get() {
            let detail = refusal.first().error.detail().unwrap();
            assert_eq!(detail.en, permission.code(), "the permission is named");
        }
    }
}
