//! The wasmtime engine of this process, and components compiled for it.
//!
//! One engine for all hosts of the process: the pooling allocator reserves address space by the
//! terabyte, and compiled code can be shared. Compiled components are cached by wasmtime in the user's
//! cache directory, keyed by content, compiler version and settings, so a stale one is never used.

use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context as _, anyhow, ensure};
use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::bindings::EdgeHost;
use crate::instance::{Guest, GuestData};

/// The largest memory of one instance, in bytes. Spin has no limit.
pub const MAX_GUEST_MEMORY_BYTES: usize = 512 << 20;

/// Component instances alive at once in this process, over all hosts.
const MAX_INSTANCES: u32 = 2000;
/// Core instances a component consists of, on average at most.
const CORE_PER_INSTANCE: u32 = 8;
/// Tables of a component, on average at most.
const TABLES_PER_INSTANCE: u32 = 4;
/// Stacks: one for each request in flight and each of its subtasks.
const MAX_STACKS: u32 = 8000;

static ENGINE: LazyLock<Result<Engine, String>> =
    LazyLock::new(|| new_engine().map_err(|error| format!("{error:#}")));

/// The engine of the process, created on first use.
///
/// # Errors
/// wasmtime cannot be set up.
pub(crate) fn engine() -> anyhow::Result<&'static Engine> {
    ENGINE
        .as_ref()
        .map_err(|error| anyhow!("cannot start wasmtime: {error}"))
}

fn new_engine() -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(MAX_INSTANCES)
        .total_core_instances(MAX_INSTANCES * CORE_PER_INSTANCE)
        .total_memories(MAX_INSTANCES)
        .total_tables(MAX_INSTANCES * TABLES_PER_INSTANCE)
        .total_stacks(MAX_STACKS)
        .max_memory_size(MAX_GUEST_MEMORY_BYTES);
    let mut config = Config::new();
    config
        .wasm_component_model_async(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    match Cache::new(CacheConfig::new()) {
        Ok(cache) => {
            config.cache(Some(cache));
        }
        // Without a home directory, for example: slower to start, and nothing else.
        Err(error) => tracing::debug!(%error, "compiled components are not cached"),
    }
    Engine::new(&config)
}

/// A linker with every interface that a component may import.
///
/// # Errors
/// wasmtime cannot be set up.
pub(crate) fn linker() -> anyhow::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine()?);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    EdgeHost::add_to_linker::<_, GuestData>(&mut linker, |guest| guest)?;
    Ok(linker)
}

/// Compiles a component, or takes it from the cache; blocks for as long as that takes.
///
/// # Errors
/// The file cannot be read or compiled, imports something this host does not offer, or does not
/// export `wasi:http/handler@0.3.0`.
pub(crate) fn load(linker: &Linker<Guest>, path: &Path) -> anyhow::Result<ServicePre<Guest>> {
    let load = || -> wasmtime::Result<_> {
        let component = Component::from_file(linker.engine(), path)?;
        ServicePre::new(linker.instantiate_pre(&component)?)
    };
    ensure!(
        path.is_file(),
        "{} does not exist: build the component first",
        path.display()
    );
    load()
        .map_err(anyhow::Error::from)
        .with_context(|| format!("cannot load {}", path.display()))
}
