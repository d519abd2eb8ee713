//! The endpoints as the document has them: the operations of one path that share a name.

use std::sync::LazyLock;

use api_document::{Operation, operations, reasons};
use domain::error::Reason;
use web::Access;

/// Every operation of the document, by path and method.
static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(operations);

/// Every endpoint, by path.
static ENDPOINTS: LazyLock<Vec<Endpoint>> = LazyLock::new(|| {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for operation in every_operation() {
        match endpoints.iter_mut().find(|known| known.name == operation.name) {
            Some(known) => known.operations.push(operation),
            None => endpoints.push(Endpoint {
                name: &operation.name,
                path: &operation.path,
                access: operation.access,
                operations: vec![operation],
            }),
        }
    }
    endpoints
});

/// The operations of one name.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// Stable name, in logs and limits.
    pub(crate) name: &'static str,
    /// Path below the application's root.
    pub(crate) path: &'static str,
    /// Who may call it.
    pub(crate) access: Access,
    /// What is done by each of its methods.
    pub(crate) operations: Vec<&'static Operation>,
}

impl Endpoint {
    /// Its methods.
    pub(crate) fn methods(&self) -> Vec<&'static str> {
        self.operations.iter().map(|operation| operation.method).collect()
    }

    /// Every reason for which one of its operations may refuse a call.
    pub(crate) fn reasons(&self) -> Vec<Reason> {
        let mut all = Vec::new();
        for reason in self.operations.iter().flat_map(|operation| reasons(operation)) {
            if !all.contains(&reason) {
                all.push(reason);
            }
        }
        all
    }
}

/// Every operation.
pub(crate) fn every_operation() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter()
}

/// Every endpoint.
pub(crate) fn all() -> impl Iterator<Item = &'static Endpoint> {
    ENDPOINTS.iter()
}

/// The endpoints of clause 7.2.
pub(crate) fn business() -> impl Iterator<Item = &'static Endpoint> {
    all().filter(|endpoint| matches!(endpoint.access, Access::Anyone | Access::Client(_)))
}

/// The endpoints with which people sign in and out.
pub(crate) fn sign_in() -> impl Iterator<Item = &'static Endpoint> {
    all().filter(|endpoint| endpoint.access == Access::SignIn)
}

/// The endpoints of administrators, operators, gateways and timers.
pub(crate) fn internal() -> impl Iterator<Item = &'static Endpoint> {
    all().filter(|endpoint| matches!(endpoint.access, Access::Staff(_) | Access::Secret(_)))
}

/// The endpoint of this name.
pub(crate) fn named(name: &str) -> &'static Endpoint {
    let found = all().find(|endpoint| endpoint.name == name);
    found.unwrap_or_else(|| panic!("{name} is no endpoint"))
}

mod tests {
    use std::collections::BTreeSet;

    use domain::{Permission, Right};
    use web::{Access, Role};

    use super::{all, business, every_operation, internal, sign_in};

    #[test]
    fn names_and_routes_are_unique() {
        let count = every_operation().count();
        let ids: BTreeSet<_> = every_operation().map(|operation| &operation.id).collect();
        let routes: BTreeSet<_> = every_operation()
            .map(|operation| (&operation.path, operation.method))
            .collect();
        assert_eq!((ids.len(), routes.len()), (count, count));
        for endpoint in all() {
            let name = endpoint.name;
            for operation in &endpoint.operations {
                assert_eq!(operation.path, endpoint.path, "{name}");
                assert_eq!(operation.access, endpoint.access, "{name}");
            }
        }
    }

    #[test]
    fn only_the_token_operation_and_sign_in_are_open_and_they_ask_for_credentials() {
        let open: Vec<_> = all()
            .filter(|endpoint| endpoint.access == Access::Anyone)
            .collect();
        assert_eq!(open.len(), 1);
        let people: BTreeSet<_> = sign_in().map(|endpoint| endpoint.name).collect();
        assert_eq!(
            people,
            BTreeSet::from(["sign_in", "sign_in.end", "sign_in.enrol"])
        );
        let names: Vec<_> = open[0].operations[0]
            .parameters
            .iter()
            .map(|parameter| (parameter.name.as_str(), parameter.is_required))
            .collect();
        assert_eq!(names, [("client_id", true), ("client_secret", true)]);
    }

    #[test]
    fn who_calls_what_follows_from_the_path() {
        let callers = [
            ("/ingest/v1/", Role::Operator),
            ("/internal/gateway/", Role::Gateway),
            ("/internal/cron", Role::Timer),
            ("/internal/upkeep", Role::Timer),
        ];
        for endpoint in business() {
            assert!(endpoint.path.starts_with("/v1/"), "{}", endpoint.path);
        }
        for endpoint in internal() {
            if endpoint.path.starts_with("/admin/v1/") {
                assert!(matches!(endpoint.access, Access::Staff(_)), "{}", endpoint.path);
                continue;
            }
            let caller = callers.iter().find(|(path, _)| endpoint.path.starts_with(path));
            let (_, role) = caller.unwrap_or_else(|| panic!("{}", endpoint.path));
            assert_eq!(endpoint.access, Access::Secret(*role), "{}", endpoint.path);
        }
    }

    // §6.2.1.1: permissions are opened interface by interface.
    #[test]
    fn an_endpoint_and_its_permission_have_the_same_name_and_every_one_has_a_limit() {
        let mut found = BTreeSet::new();
        for endpoint in business() {
            if let Access::Client(permission) = endpoint.access {
                assert_eq!(endpoint.name, permission.code());
                assert!(permission.calls_per_minute() > 0, "{}", endpoint.name);
                found.insert(endpoint.name);
            }
        }
        assert_eq!(found.len(), Permission::ALL.len());
    }

    // §10.1: each operation of staff has a right of its own.
    #[test]
    fn every_right_opens_one_operation_and_one_that_changes_something_is_a_post() {
        let mut found = BTreeSet::new();
        for operation in every_operation() {
            let Access::Staff(right) = operation.access else {
                continue;
            };
            assert!(found.insert(right), "{} shares {}", operation.id, right.code());
            let subject = operation.id.strip_prefix("admin.").unwrap_or_default();
            assert!(
                right.code().starts_with(subject),
                "{} {}",
                operation.id,
                right.code()
            );
            assert_eq!(right.changes(), operation.method == "POST", "{}", operation.id);
        }
        assert_eq!(found.len(), Right::ALL.len());
    }
}
