//! Instances of components: what one holds, when it takes another request, when it ends.
//!
//! The reuse policy is Spin's; wasmtime-wasi-http runs the instances. An instance that traps answers 500 to
//! every request it has in flight and is dropped. No other instance is affected.

use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tokio_util::task::task_tracker::TaskTrackerToken;
use wasmtime::component::{GuestTaskId, HasData, ResourceTable};
use wasmtime::{ResourceLimiter, Store, StoreContextMut};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::clock::EmbedderClock;
use crate::component::Component;
use crate::host_state::HostState;
use crate::logs::{LineStream, Output};
use crate::options::Reuse;
use crate::outbound::{OutboundHooks, ServiceChaining};
use crate::postgres::Pools;

/// The most resources that one instance has open: connections, stores, requests, bodies.
const MAX_RESOURCES: usize = 16 * 1024;

/// The host's data of one instance.
pub(crate) struct Guest {
    pub(crate) host: Arc<HostState>,
    pub(crate) component: Arc<Component>,
    /// The component's pools of PostgreSQL connections.
    pub(crate) postgres: Arc<Pools>,
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: OutboundHooks,
    _alive: TaskTrackerToken,
}

/// Gives the generated bindings access to a [`Guest`].
pub(crate) struct GuestData;

impl HasData for GuestData {
    type Data<'a> = &'a mut Guest;
}

impl Guest {
    fn new(
        host: Arc<HostState>,
        chaining: Arc<dyn ServiceChaining>,
        component: Arc<Component>,
        postgres: Arc<Pools>,
    ) -> Self {
        let output = |output| LineStream::new(component.name.clone(), output, host.log_sink.clone());
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(output(Output::Stdout)).stderr(output(Output::Stderr));
        for (name, value) in &component.environment {
            wasi.env(name, value);
        }
        if let Some(clock) = &host.clock {
            wasi.wall_clock(EmbedderClock(clock.clone()));
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        Self {
            hooks: OutboundHooks::new(host.clone(), chaining, component.clone()),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            _alive: host.instances.token(),
            table,
            host,
            component,
            postgres,
        }
    }
}

/// Notes how large the memory becomes. The engine bounds it.
impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.host.largest_memory.fetch_max(desired, Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// Creates the instances of one component.
pub(crate) struct InstanceFactory {
    pub(crate) host: Arc<HostState>,
    /// Gone when the application has been shut down.
    pub(crate) chaining: Weak<dyn ServiceChaining>,
    pub(crate) component: Arc<Component>,
    pub(crate) postgres: Arc<Pools>,
    pub(crate) service: ServicePre<Guest>,
    pub(crate) reuse: Reuse,
}

impl HandlerState for InstanceFactory {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = ReusePolicy;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Expiration, ReusePolicy>> {
        let chaining = self
            .chaining
            .upgrade()
            .ok_or_else(|| wasmtime::format_err!("the application has been shut down"))?;
        let expiration = Expiration::new(&self.host, self.reuse.idle);
        let (component, postgres) = (self.component.clone(), self.postgres.clone());
        let guest = Guest::new(self.host.clone(), chaining, component, postgres);
        let mut store = Store::new(self.service.engine(), guest);
        store.limiter(|guest| guest);
        let service = self.service.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy: Proxy::P3(service),
            view: Guest::http,
            expiration,
            state: ReusePolicy {
                component: self.component.name.clone(),
                reuse: self.reuse,
            },
        })
    }
}

/// Ends an instance that is idle for too long, idle at shutdown, or killed.
pub(crate) struct Expiration {
    idle: Duration,
    sleep: Pin<Box<Sleep>>,
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
    killed: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Expiration {
    fn new(host: &HostState, idle: Duration) -> Self {
        Self {
            idle,
            sleep: Box::pin(tokio::time::sleep(idle)),
            closing: Box::pin(host.closing.clone().cancelled_owned()),
            killed: Box::pin(host.killed.clone().cancelled_owned()),
        }
    }
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        if self.killed.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        if status != WorkerStatus::Idle {
            return Poll::Pending;
        }
        if self.closing.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let Some(deadline) = start.checked_add(self.idle).map(Into::into) else {
            return Poll::Pending;
        };
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(context)
    }
}

/// Decides whether an instance takes another request.
pub(crate) struct ReusePolicy {
    component: Arc<str>,
    reuse: Reuse,
}

impl WorkerState for ReusePolicy {
    type StoreData = Guest;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.reuse.max_requests {
            ShouldAccept::Never
        } else if concurrent >= self.reuse.max_concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    /// Never ends a request: there is no request timeout, as in Spin.
    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Guest>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        Box::pin(pending())
    }

    fn drop(&self, store: Store<Guest>, result: Result<(), wasmtime::Error>) {
        if let Err(error) = result {
            tracing::error!(component = %self.component, "instance ended: {error:?}");
        }
        drop(store);
    }
}
