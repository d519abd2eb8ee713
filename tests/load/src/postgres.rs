//! The platform on PostgreSQL: a server of Debian's packages that waits for the disk, and up to three hosts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use edge_host::{Host, Options};
use futures::future::try_join_all;
use store::PostgresPool;
use test_support::postgres_server::PostgresServer;
use xieka::components;
use xieka::secrets::Secrets;
use xieka::stack::TRIAL_CONFIG;

use crate::client::{Until, run};
use crate::generate;
use crate::platform::{manifest, token_without_limits};
use crate::table::{goal, head, line, median};
use crate::work::{
    APPLICATIONS, CONNECTIONS, ROUNDS, SMALL, applications, eids, in_turns, queries, same_target,
    successful_round,
};

/// Commits wait for the disk, as they do where cards are written.
pub(crate) const DURABLE: [&str; 2] = ["fsync=on", "full_page_writes=on"];
/// Hosts that share a database.
const HOSTS: usize = 3;
/// The numbers for which more chips apply.
const NUMBERS: usize = 1_000;
/// The chips that apply for them; each host gets as many.
const CHIPS: usize = 1_500;

/// Hosts on one database.
struct PostgresPlatform {
    hosts: Vec<Host>,
    token: String,
    count: u32,
    _folders: Vec<tempfile::TempDir>,
}

impl PostgresPlatform {
    /// Starts `hosts` hosts on a new database with `count` chips and numbers of one client.
    async fn with(server: &PostgresServer, database: &str, count: u32, hosts: usize) -> Result<Self> {
        server.create_database(database);
        let address = server.url(database);
        let mut secrets = generate::secrets()?;
        secrets.set("SPIN_VARIABLE_DATABASE", address.as_str());
        let allowed = format!("postgres://{}", server.address());
        secrets.set("SPIN_VARIABLE_DATABASE_HOST_1", allowed);
        let pool = PostgresPool::new(&address, 1).map_err(|problem| anyhow!("{problem}"))?;
        let db = pool.take().await.map_err(|problem| anyhow!("{problem}"))?;
        store::migrate(&db, generate::now())
            .await
            .map_err(|problem| anyhow!("{problem}"))?;
        let client = generate::fill_database(&db, &secrets, count).await?;
        drop(db);
        server.run_sql(database, "VACUUM ANALYZE");
        let (mut folders, mut started) = (Vec::new(), Vec::new());
        for _ in 0..hosts {
            let folder = tempfile::tempdir()?;
            started.push(start(&folder, &secrets).await?);
            folders.push(folder);
        }
        let first = started.first().context("a host")?;
        let token = token_without_limits(first, &secrets, &client).await?;
        Ok(Self {
            hosts: started,
            token,
            count,
            _folders: folders,
        })
    }

    fn addr(&self) -> SocketAddr {
        self.hosts[0].addr()
    }

    async fn shutdown(self) {
        for host in self.hosts {
            host.shutdown().await;
        }
    }
}

async fn start(folder: &tempfile::TempDir, secrets: &Secrets) -> Result<Host> {
    edge_host::start(Options {
        manifest: manifest()?.to_owned(),
        runtime_config: Some(components::application_root()?.join(TRIAL_CONFIG)),
        state_dir: folder.path().to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        variables: secrets.spin_variables(),
        ..Options::default()
    })
    .await
}

/// Measures everything on one server.
pub(crate) async fn postgres(large: u32) -> Result<()> {
    let server = PostgresServer::start(&DURABLE).context("PostgreSQL from the package postgresql")?;
    let small = PostgresPlatform::with(&server, "small", SMALL, 1).await?;
    status(&small).await?;
    apply(&small).await?;
    last_numbers(&server).await?;
    growth(&server, &small, large).await?;
    small.shutdown().await;
    Ok(())
}

async fn status(platform: &PostgresPlatform) -> Result<()> {
    head(&format!("PostgreSQL: status query, {CONNECTIONS} connections"));
    let floor = same_target("/floor/postgres");
    let queries = queries(platform.count, &platform.token)?;
    let sides = [(platform.addr(), &floor), (platform.addr(), &queries)];
    let [floor, components] = in_turns(CONNECTIONS, sides).await?;
    line("two queries", &floor);
    line("platform: /v1/write/status", &components);
    println!();
    goal(
        "PostgreSQL: platform / two queries",
        components.rate / floor.rate,
        0.6,
        true,
    );
    Ok(())
}

async fn apply(platform: &PostgresPlatform) -> Result<()> {
    head(&format!(
        "PostgreSQL: durable application, {CONNECTIONS} connections"
    ));
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        rounds.push(applied(platform, round).await?);
    }
    let round = median(rounds);
    line("platform: /v1/write/apply", &round);
    println!();
    goal("PostgreSQL: applications a second", round.rate, 800.0, true);
    Ok(())
}

/// Applies for the chips of a round.
async fn applied(platform: &PostgresPlatform, round: usize) -> Result<crate::client::Round> {
    let first = 1 + u32::try_from(round * APPLICATIONS)?;
    let eids = eids(first, u32::try_from(APPLICATIONS)?)?;
    let requests = applications(&platform.token, eids, false);
    successful_round(platform.addr(), CONNECTIONS, &requests, Until::Sent(APPLICATIONS)).await
}

/// 1,500 applications over 16 connections to three hosts for the last 1,000 numbers: 1,000 chips get one number each.
async fn last_numbers(server: &PostgresServer) -> Result<()> {
    const DATABASE: &str = "last_numbers";
    let platform = PostgresPlatform::with(server, DATABASE, u32::try_from(CHIPS)?, HOSTS).await?;
    let surplus = CHIPS - NUMBERS;
    server.run_sql(
        DATABASE,
        &format!(
            "UPDATE number SET status = 'retired' WHERE iccid_index IN (SELECT iccid_index FROM number LIMIT {surplus})"
        ),
    );
    let started = Instant::now();
    let part = CHIPS / HOSTS;
    let mut running = Vec::new();
    for (at, host) in platform.hosts.iter().enumerate() {
        let eids = eids(1 + u32::try_from(at * part)?, u32::try_from(part)?)?;
        let requests = applications(&platform.token, eids, true);
        let connections = CONNECTIONS / HOSTS + usize::from(at < CONNECTIONS % HOSTS);
        running.push(run(host.addr(), connections, Until::Sent(part), requests));
    }
    let rounds = try_join_all(running).await?;
    let count = |status: u16| -> usize {
        let statuses = rounds.iter().flat_map(|round| &round.statuses);
        statuses
            .filter(|(found, _)| *found == status)
            .map(|(_, count)| count)
            .sum()
    };
    ensure!(
        (count(200), count(409)) == (NUMBERS, surplus),
        "answers: {:?}",
        rounds.iter().map(|round| &round.statuses).collect::<Vec<_>>()
    );
    let bodies = rounds.iter().flat_map(|round| &round.bodies);
    let mut refusals = bodies.filter(|body| body.contains("\"code\":409"));
    ensure!(
        refusals.all(|body| body.contains("province_without_number")),
        "another refusal"
    );
    let reserved = server.run_sql(
        DATABASE,
        "SELECT count(*), count(DISTINCT eid_index) FROM number WHERE status = 'reserved'",
    );
    ensure!(
        reserved == format!("{NUMBERS}|{NUMBERS}"),
        "numbers and chips: {reserved}"
    );
    println!("\n### PostgreSQL: the last 1,000 numbers\n");
    println!(
        "{CHIPS} applications over {CONNECTIONS} connections to {HOSTS} hosts in {:.1} s: {NUMBERS} × 200, {surplus} × 409 province_without_number, {NUMBERS} numbers reserved for {NUMBERS} chips",
        started.elapsed().as_secs_f64()
    );
    platform.shutdown().await;
    Ok(())
}

/// The rates on a small and on a large database.
async fn growth(server: &PostgresServer, small: &PostgresPlatform, count: u32) -> Result<()> {
    let large = PostgresPlatform::with(server, "large", count, 1).await?;
    head(&format!(
        "PostgreSQL: {SMALL} and {count} chips and numbers, {CONNECTIONS} connections"
    ));
    let (few, many) = (
        queries(small.count, &small.token)?,
        queries(large.count, &large.token)?,
    );
    let sides: [(SocketAddr, &Arc<_>); 2] = [(small.addr(), &few), (large.addr(), &many)];
    let [few, many] = in_turns(CONNECTIONS, sides).await?;
    // A database of its own for its applications: the chips of the other one have applied.
    let again = PostgresPlatform::with(server, "small_again", SMALL, 1).await?;
    let mut rounds = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for (side, platform) in [&again, &large].into_iter().enumerate() {
            rounds[side].push(applied(platform, round).await?);
        }
    }
    let [few_applied, many_applied] = rounds.map(median);
    for (name, round) in [
        ("status, small database", &few),
        ("status, large database", &many),
        ("application, small database", &few_applied),
        ("application, large database", &many_applied),
    ] {
        line(name, round);
    }
    println!();
    for (name, small, large) in [
        ("PostgreSQL: status, small / large", few, many),
        (
            "PostgreSQL: application, small / large",
            few_applied,
            many_applied,
        ),
    ] {
        goal(name, small.rate / large.rate, 1.3, false);
    }
    again.shutdown().await;
    large.shutdown().await;
    Ok(())
}
