//! A database on one PostgreSQL server for all tests, and a host whose component `open` may reach it.

use serde_json::{Value, json};
use test_support::postgres_server::PostgresServer;

use crate::test_host::{RUNTIME_CONFIG, TestHost};

/// A database, and a host whose component `open` may reach its server.
pub(crate) struct Fixture {
    pub(crate) server: &'static PostgresServer,
    pub(crate) database: &'static str,
    pub(crate) url: String,
    pub(crate) host: TestHost,
}

impl Fixture {
    /// A database of this name with an empty table `entry`.
    pub(crate) async fn new(database: &'static str) -> Option<Self> {
        Some(Self::limited(PostgresServer::shared()?, database, "").await)
    }

    /// The same on this server, with this table `outbound_pg` of the runtime configuration.
    pub(crate) async fn limited(
        server: &'static PostgresServer,
        database: &'static str,
        table: &str,
    ) -> Self {
        server.create_database(database);
        server.run_sql(database, "CREATE TABLE entry (name text PRIMARY KEY)");
        let host = TestHost::with(|options| {
            let allowed = format!("postgres://{}", server.address());
            options.variables.insert("upstream".to_owned(), allowed);
            let config = format!("{RUNTIME_CONFIG}{table}");
            std::fs::write(options.runtime_config.as_ref().unwrap(), config).unwrap();
        })
        .await;
        Self {
            url: server.url(database),
            server,
            database,
            host,
        }
    }

    /// Runs statements on one connection; each is a text or an object with `sql`, `parameters` and `execute`.
    pub(crate) async fn run(&self, plain: bool, statements: &[Value]) -> Value {
        let object = |statement: &Value| match statement {
            Value::String(sql) => json!({ "sql": sql }),
            other => other.clone(),
        };
        let statements: Vec<_> = statements.iter().map(object).collect();
        let arguments = json!({ "address": self.url, "plain": plain, "statements": statements });
        self.host.call("/open/pg", arguments).await
    }

    pub(crate) async fn abandon(&self, name: &str, guarded: bool) {
        let arguments = json!({ "address": self.url, "name": name, "guarded": guarded });
        self.host.call("/open/pg-abandon", arguments).await;
    }

    pub(crate) async fn commit(&self, name: &str, rollback: bool, begin: &str) -> Value {
        let arguments = json!({ "address": self.url, "name": name, "rollback": rollback, "begin": begin });
        self.host.call("/open/pg-commit", arguments).await
    }

    /// The names in the table, as another client of the server sees them.
    pub(crate) fn committed(&self) -> String {
        let names = self
            .server
            .run_sql(self.database, "SELECT name FROM entry ORDER BY name");
        names.replace('\n', " ")
    }
}
