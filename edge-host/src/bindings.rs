//! The interfaces of `wit/`, as Rust traits; see `wit/host.wit`.
//!
//! Holds generated code only; `sqlite_host`, `postgres_host`, `key_value_host` and `variables_host` implement it.

mod generated {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "xieka:edge-host/edge-host",
        imports: {
            "spin:sqlite/sqlite.[method]connection.changes": async | trappable,
            "spin:sqlite/sqlite.[method]connection.last-insert-rowid": async | trappable,
            "spin:sqlite/sqlite.[method]connection.changes-async": trappable,
            "spin:sqlite/sqlite.[method]connection.last-insert-rowid-async": trappable,
            "spin:key-value/key-value.[method]store.get-keys": trappable,
            "spin:postgres/postgres.[constructor]connection-builder": async | trappable,
            default: async,
        },
        with: {
            "spin:sqlite/sqlite.connection": crate::sqlite::Connection,
            "spin:postgres/postgres.connection": crate::postgres::Connection,
            "spin:postgres/postgres.connection-builder": crate::postgres::ConnectionBuilder,
            "spin:key-value/key-value.store": crate::key_value::Store,
            "wasi:keyvalue/store.bucket": crate::key_value::Store,
            "wasi:keyvalue/atomics.cas": crate::key_value::CompareAndSwap,
        },
    });
}

pub(crate) use generated::EdgeHost;
pub(crate) use generated::spin;
pub(crate) use generated::wasi;
