//! The documentation of operations, for the OpenAPI document of the platform.

use utoipa::__dev::SchemaReferences;
use utoipa::openapi::path::{Operation as Documentation, Paths};
use utoipa::openapi::schema::{Components, Schema};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, RefOr};

use super::operation::{Access, Operation, STAFF};

/// Ends the `operationId` of an operation by POST whose name one by GET has too.
const POST_SUFFIX: &str = ".post";
/// The scheme of a token as `Authorization: Bearer`.
pub const BEARER: &str = "bearer";
/// The scheme of a token as a parameter.
pub const TOKEN: &str = "token";

/// What documents one operation.
pub(crate) struct Documented {
    name: String,
    path: String,
    methods: Vec<HttpMethod>,
    documentation: Documentation,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Documented {
    /// What `P` says of an operation, and how its caller shows that it may call.
    pub(crate) fn of<P: utoipa::Path + SchemaReferences>(called: &Operation) -> Self {
        let mut schemas = Vec::new();
        P::schemas(&mut schemas);
        let mut documentation = P::operation();
        documentation.security = security(called.access);
        Self {
            name: called.name.clone(),
            path: called.path.clone(),
            methods: P::methods(),
            documentation,
            schemas,
        }
    }
}

fn security(access: Access) -> Option<Vec<SecurityRequirement>> {
    let none: [&str; 0] = [];
    match access {
        Access::Anyone | Access::SignIn => None,
        Access::Client(permission) => Some(
            [BEARER, TOKEN]
                .map(|scheme| SecurityRequirement::new(scheme, [permission.code()]))
                .to_vec(),
        ),
        Access::Staff(right) => Some(vec![SecurityRequirement::new(STAFF, [right.code()])]),
        Access::Secret(role) => Some(vec![SecurityRequirement::new(role.code(), none)]),
    }
}

/// The document of these operations.
pub(crate) fn openapi(operations: impl Iterator<Item = Documented>) -> OpenApi {
    let operations: Vec<Documented> = operations.collect();
    let (mut paths, mut components) = (Paths::new(), Components::new());
    let by_get: Vec<String> = operations
        .iter()
        .filter(|operation| operation.methods.contains(&HttpMethod::Get))
        .map(|operation| operation.name.clone())
        .collect();
    for mut operation in operations {
        let is_second = operation.methods.contains(&HttpMethod::Post) && by_get.contains(&operation.name);
        let suffix = if is_second { POST_SUFFIX } else { "" };
        operation.documentation.operation_id = Some(format!("{}{suffix}", operation.name));
        paths.add_path_operation(&operation.path, operation.methods, operation.documentation);
        components.schemas.extend(operation.schemas);
    }
    OpenApiBuilder::new()
        .paths(paths)
        .components(Some(components))
        .build()
}
