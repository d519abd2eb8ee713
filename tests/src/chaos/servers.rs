//! PostgreSQL and Redis beside the platform, and what is killed.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use test_support::part::CONFIG_FILE;
use test_support::platform_database::PlatformDatabase;
use test_support::postgres_server::PostgresServer;
use test_support::process::Part;
use test_support::redis_server::RedisServer;
use xieka::secrets::Secrets;
use xieka::stack::TRIAL_CONFIG;

/// The store of the counters in the runtime configuration of trials.
const STORE: &str = "[key_value_store.limits]\ntype = \"spin\"\n";

/// What can be killed.
#[derive(Clone, Copy)]
pub(super) enum Victim {
    Part(Part),
    Server(fn(&Servers)),
}

/// Without servers; the platform has more to lose.
pub(super) const PROCESSES: &[(&str, Victim)] = &[
    ("platform", Victim::Part(Part::Host)),
    ("gateway", Victim::Part(Part::Gateway)),
    ("platform", Victim::Part(Part::Host)),
];

/// With servers.
pub(super) const ALL_VICTIMS: &[(&str, Victim)] = &[
    ("platform", Victim::Part(Part::Host)),
    ("PostgreSQL", Victim::Server(|servers| servers.postgres.crash())),
    ("gateway", Victim::Part(Part::Gateway)),
    ("platform", Victim::Part(Part::Host)),
    ("PostgreSQL", Victim::Server(|servers| servers.postgres.crash())),
    ("Redis", Victim::Server(|servers| servers.redis.crash())),
    ("Redis's keys", Victim::Server(|servers| servers.redis.flush())),
];

/// What the state and the counters are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite files, and counters in memory.
    Files,
    /// PostgreSQL and Redis, which are killed as well.
    Servers,
    /// Two PostgreSQL servers: the first is ended in the middle, and the one that followed it takes its place.
    Replica,
}

/// The servers of a run. They end with the process.
pub(super) struct Servers {
    postgres: &'static PostgresServer,
    standby: Option<&'static PostgresServer>,
    redis: RedisServer,
}

impl Servers {
    /// Starts those of an engine.
    pub(super) fn start(engine: Engine) -> Result<Option<Self>> {
        if engine == Engine::Files {
            return Ok(None);
        }
        let postgres = PostgresServer::start(&[]).context("PostgreSQL from the package postgresql")?;
        let postgres: &PostgresServer = Box::leak(Box::new(postgres));
        let standby = (engine == Engine::Replica).then(|| &*Box::leak(Box::new(postgres.with_standby())));
        Ok(Some(Self {
            postgres,
            standby,
            redis: RedisServer::start().context("Redis from the package redis-server")?,
        }))
    }

    /// A database for a platform with its files in `folder`, whose counters are on Redis.
    pub(super) fn database(
        &self,
        root: &Path,
        folder: &Path,
        secrets: &mut Secrets,
    ) -> Result<PlatformDatabase> {
        let config = std::fs::read_to_string(root.join(TRIAL_CONFIG))?;
        ensure!(config.contains(STORE), "the store of the counters is not found");
        let address = format!("url = \"{}\"\n", self.redis.url());
        let store = STORE.replace("spin", "redis") + address.as_str();
        std::fs::write(folder.join(CONFIG_FILE), config.replace(STORE, &store))?;
        let database = PlatformDatabase::on(self.postgres);
        database.configure(secrets);
        if let (Some(standby), PlatformDatabase::Server(_, name)) = (self.standby, &database) {
            let both = format!("{},{}", self.postgres.address(), standby.address());
            let first = self.postgres.address().to_string();
            let url = self.postgres.url(name).replace(&first, &both);
            secrets.set(
                "SPIN_VARIABLE_DATABASE",
                format!("{url}&target_session_attrs=read-write"),
            );
            let host = format!("postgres://{}", standby.address());
            secrets.set("SPIN_VARIABLE_DATABASE_HOST_2", host);
        }
        Ok(database)
    }

    /// What is killed at random.
    pub(super) fn victims(&self) -> &'static [(&'static str, Victim)] {
        if self.standby.is_some() {
            PROCESSES
        } else {
            ALL_VICTIMS
        }
    }

    /// Ends the first server for good and lets the other one take its place. `false` where there is none.
    pub(super) fn fail_over(&self) -> bool {
        let Some(standby) = self.standby else {
            return false;
        };
        self.postgres.stop();
        standby.promote();
        true
    }

    /// Where the database is in the end.
    pub(super) fn last(&self, database: PlatformDatabase) -> PlatformDatabase {
        match (self.standby, database) {
            (Some(standby), PlatformDatabase::Server(_, name)) => PlatformDatabase::Server(standby, name),
            (_, database) => database,
        }
    }
}
