//! A load generator: a number of kept-alive connections, each with one request in flight.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// The longest latency that the histogram holds, in microseconds.
pub(crate) const LONGEST_US: u64 = 60_000_000;

/// Those who send a round.
#[derive(Clone, Copy)]
pub(crate) struct Callers {
    /// The address from which they call.
    pub(crate) from: Ipv4Addr,
    /// Connections, each with one request in flight.
    pub(crate) connections: usize,
    /// The time from one request to the next, over all connections; zero: each follows the answer before it.
    pub(crate) pace: Duration,
}

impl Callers {
    /// Callers of this machine that wait for nothing but answers.
    pub(crate) fn with_connections(connections: usize) -> Self {
        Self {
            from: Ipv4Addr::LOCALHOST,
            connections,
            pace: Duration::ZERO,
        }
    }
}

/// The result of a round.
pub(crate) struct Round {
    /// Answers a second.
    pub(crate) rate: f64,
    /// Latencies in microseconds.
    pub(crate) latencies: Histogram<u64>,
    /// Answers by HTTP status.
    pub(crate) statuses: Vec<(u16, usize)>,
    /// Bodies of the answers, where they were asked for.
    pub(crate) bodies: Vec<String>,
}

impl Round {
    pub(crate) fn quantile_ms(&self, quantile: f64) -> f64 {
        self.latencies.value_at_quantile(quantile) as f64 / 1_000.0
    }

    pub(crate) fn max_ms(&self) -> f64 {
        self.latencies.max() as f64 / 1_000.0
    }

    /// Checks that every answer was a success.
    ///
    /// # Errors
    /// The other statuses, and the first body.
    pub(crate) fn all_good(&self) -> Result<()> {
        match self.statuses.as_slice() {
            [(200, _)] => Ok(()),
            other => bail!("answers other than 200: {other:?} {:?}", self.bodies.first()),
        }
    }
}

/// The end of a round.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// After this time.
    Passed(Duration),
    /// After this many requests.
    Sent(usize),
}

/// The requests of a round: the n-th target, with a bearer.
pub(crate) struct Requests {
    pub(crate) target: Box<dyn Fn(usize) -> String + Send + Sync>,
    pub(crate) bearer: String,
    /// Whether bodies are kept.
    pub(crate) keep_bodies: bool,
}

/// Sends requests over `connections` connections.
pub(crate) async fn run(
    addr: SocketAddr,
    connections: usize,
    until: Until,
    requests: Arc<Requests>,
) -> Result<Round> {
    run_as(Callers::with_connections(connections), addr, until, requests).await
}

/// Sends requests as these callers do.
pub(crate) async fn run_as(
    callers: Callers,
    addr: SocketAddr,
    until: Until,
    requests: Arc<Requests>,
) -> Result<Round> {
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let workers: Vec<_> = (0..callers.connections)
        .map(|_| {
            tokio::spawn(worker(
                callers,
                addr,
                (start, until),
                next.clone(),
                requests.clone(),
            ))
        })
        .collect();
    let mut latencies = Histogram::new_with_max(LONGEST_US, 3)?;
    let mut statuses = std::collections::BTreeMap::new();
    let mut bodies = Vec::new();
    for worker in workers {
        let (part, seen, kept) = worker.await??;
        latencies.add(part)?;
        for (status, count) in seen {
            *statuses.entry(status).or_insert(0) += count;
        }
        bodies.extend(kept);
    }
    Ok(Round {
        rate: latencies.len() as f64 / start.elapsed().as_secs_f64(),
        latencies,
        statuses: statuses.into_iter().collect(),
        bodies,
    })
}

type Part = (
    Histogram<u64>,
    std::collections::BTreeMap<u16, usize>,
    Vec<String>,
);

async fn worker(
    callers: Callers,
    addr: SocketAddr,
    (start, until): (Instant, Until),
    next: Arc<AtomicUsize>,
    requests: Arc<Requests>,
) -> Result<Part> {
    let mut socket = connect(callers.from, addr).await?;
    socket.set_nodelay(true)?;
    let mut latencies = Histogram::new_with_max(LONGEST_US, 3)?;
    let mut statuses = std::collections::BTreeMap::new();
    let mut bodies = Vec::new();
    let mut buffer = Vec::with_capacity(4_096);
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let over = match until {
            Until::Passed(time) => start.elapsed() >= time,
            Until::Sent(count) => n >= count,
        };
        if over {
            return Ok((latencies, statuses, bodies));
        }
        if !callers.pace.is_zero() {
            let due = start + callers.pace * u32::try_from(n)?;
            tokio::time::sleep_until(due.into()).await;
        }
        let target = (requests.target)(n);
        let request = format!(
            "GET {target} HTTP/1.1\r\nhost: {addr}\r\nauthorization: Bearer {}\r\n\r\n",
            requests.bearer
        );
        let sent = Instant::now();
        socket.write_all(request.as_bytes()).await?;
        let (status, body) = answer(&mut socket, &mut buffer).await?;
        latencies.record(u64::try_from(sent.elapsed().as_micros())?.clamp(1, LONGEST_US))?;
        *statuses.entry(status).or_insert(0) += 1;
        if requests.keep_bodies || status != 200 {
            bodies.push(body);
        }
    }
}

/// Connects from an address of this machine.
pub(crate) async fn connect(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    socket.connect(to).await
}

/// Reads one answer, which must have a content-length.
async fn answer(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<(u16, String)> {
    buffer.clear();
    loop {
        if socket.read_buf(buffer).await? == 0 {
            bail!("the connection ended");
        }
        let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&buffer[..end])?.to_ascii_lowercase();
        let status = head.get(9..12).context("no status")?.parse()?;
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .context("an answer without content-length")?
            .trim()
            .parse()?;
        while buffer.len() < end + 4 + length {
            if socket.read_buf(buffer).await? == 0 {
                bail!("the answer ended early");
            }
        }
        return Ok((status, String::from_utf8_lossy(&buffer[end + 4..]).into_owned()));
    }
}
