//! The command line of `xieka`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Most chips one demonstration writes; their keys and files are all held in memory.
const MAX_DEMO_CHIPS: i64 = 5_000;
/// Most chips of one generated inventory: the limit of one import call.
const MAX_INVENTORY: i64 = 5_000;

/// xieka 写卡: operator identities, written into IoT eSIM chips over the air.
#[derive(Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    /// The subcommand.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The subcommands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Write a simulated card over the air, from application to callback, and watch
    Demo(DemoOptions),
    /// Run platform and gateway, keep their data, print addresses and first credentials
    Up(UpOptions),
    /// Write a .env file with fresh secrets, for `xieka up` and `spin up`
    Init(InitOptions),
    /// Switch on simulated modules with the chips of a chip file, against a running gateway
    Power(PowerOptions),
    /// Import a table of any size into a running platform, in parts; the same command again goes on where it stopped
    Import(ImportOptions),
    /// Make an enrolment code for a system administrator, when nobody can sign in any more
    Recover(RecoverOptions),
    /// Give the database of a platform that is stopped another index key; the same command again goes on where it stopped
    Reindex(ReindexOptions),
    /// Make an encrypted backup of both databases while the platform runs
    Backup(BackupOptions),
    /// Open a backup and check that it is whole, belongs to the keys and contradicts itself nowhere
    Verify(VerifyOptions),
    /// Make a new platform of a backup; every number is quarantined until a person proves it unused
    Restore(RestoreOptions),
    /// Remove from the database what no program of this version reads; only after a backup
    Migrate(MigrateOptions),
    /// Verify the audit trail of a database, or write it out for others who do
    #[command(subcommand)]
    Audit(AuditAction),
    /// Write sample chips.csv and numbers.csv for the import interfaces
    Inventory(InventoryOptions),
}

/// Options of `demo`.
#[derive(Args, Clone, Debug)]
pub(crate) struct DemoOptions {
    /// How many chips to write; more than one shows a progress bar and a summary
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=MAX_DEMO_CHIPS))]
    pub(crate) chips: u32,
    /// Use the components as they are built already
    #[arg(long)]
    pub(crate) no_build: bool,
}

/// Options of `up`.
#[derive(Args, Clone, Debug)]
pub(crate) struct UpOptions {
    /// Where the database and, if there is no .env here, the secrets are kept
    #[arg(long, default_value = "xieka-data")]
    pub(crate) data: PathBuf,
    /// Where the HTTP interfaces listen
    #[arg(long, default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,
    /// Where chips connect
    #[arg(long, default_value = "0.0.0.0:8443")]
    pub(crate) gateway: SocketAddr,
    /// Where the gateway's metrics are served
    #[arg(long, default_value = "127.0.0.1:9464")]
    pub(crate) metrics: SocketAddr,
    /// PostgreSQL database instead of the files: postgres://user:password@host:port/name; without it that of the secrets, if they name one
    #[arg(long)]
    pub(crate) database: Option<String>,
    /// Let callbacks go over plain http and to this machine and private networks; for trials only
    #[arg(long)]
    pub(crate) local_callbacks: bool,
    /// Use the components as they are built already
    #[arg(long)]
    pub(crate) no_build: bool,
}

/// Options of `init`.
#[derive(Args, Clone, Debug)]
pub(crate) struct InitOptions {
    /// The file to write; an existing one is never overwritten
    #[arg(default_value = ".env")]
    pub(crate) file: PathBuf,
}

/// Options of `power`.
#[derive(Args, Clone, Debug)]
pub(crate) struct PowerOptions {
    /// The chip file, as it was imported
    pub(crate) chips: PathBuf,
    /// Only the chip with this EID
    #[arg(long)]
    pub(crate) eid: Option<String>,
    /// Where the gateway listens
    #[arg(long, default_value = "127.0.0.1:8443")]
    pub(crate) gateway: SocketAddr,
    /// The .env file with the master keys of the chips
    #[arg(long, default_value = "xieka-data/.env")]
    pub(crate) env: PathBuf,
}

/// What the rows of an imported table are.
#[derive(ValueEnum, Clone, Copy, Debug)]
pub(crate) enum ImportKind {
    /// Chips.
    Chips,
    /// Operator numbers.
    Numbers,
}

/// Options of `import`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ImportOptions {
    /// What the rows are: `chips` or `numbers`
    #[arg(value_enum, hide_possible_values = true)]
    pub(crate) kind: ImportKind,
    /// The table: CSV in UTF-8, UTF-16 or GBK, or .xlsx
    pub(crate) file: PathBuf,
    /// The sheet of a workbook; without it the only one that has rows
    #[arg(long)]
    pub(crate) sheet: Option<String>,
    /// The client that chips without client_id belong to
    #[arg(long)]
    pub(crate) client: Option<String>,
    /// Show what would happen, and change nothing
    #[arg(long)]
    pub(crate) preview: bool,
    /// Take ICCIDs that end in five or more zeros and have a wrong check digit
    #[arg(long)]
    pub(crate) accept_zeros: bool,
    /// Where the platform is
    #[arg(long, default_value = "http://127.0.0.1:3000")]
    pub(crate) platform: String,
    /// The .env file with the administrator's secret
    #[arg(long, default_value = "xieka-data/.env")]
    pub(crate) env: PathBuf,
    /// An API key in place of the administrator's secret
    #[arg(long, env = "XIEKA_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
}

/// Options of `recover`.
#[derive(Args, Clone, Debug)]
pub(crate) struct RecoverOptions {
    /// What the administrator signs in with; an account of that name is made if there is none
    pub(crate) sign_in_name: String,
    /// Name of the person, for a new account
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The folder of `xieka up` with the database and, if there is no .env here, the secrets
    #[arg(long, default_value = "xieka-data")]
    pub(crate) data: PathBuf,
    /// The .env file with the keys and, if it is no file, the address of the database
    #[arg(long)]
    pub(crate) env: Option<PathBuf>,
}

/// Options of `reindex`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ReindexOptions {
    /// The folder of `xieka up` with the database and, if there is no .env here, the secrets
    #[arg(long, default_value = "xieka-data")]
    pub(crate) data: PathBuf,
    /// The database of a platform that runs without `xieka up`
    #[arg(long, requires = "env")]
    pub(crate) database: Option<PathBuf>,
    /// The call log of that platform, a database of its own
    #[arg(long, requires = "database")]
    pub(crate) calls: Option<PathBuf>,
    /// The .env file with the keys of that database
    #[arg(long, requires = "database")]
    pub(crate) env: Option<PathBuf>,
    /// Revoke secrets of clients that are still stored as earlier versions stored them
    #[arg(long)]
    pub(crate) end_old_secrets: bool,
}

/// Where the databases of a platform are.
#[derive(Args, Clone, Debug)]
pub(crate) struct DataOptions {
    /// The folder of `xieka up` with the databases
    #[arg(long, default_value = "xieka-data")]
    pub(crate) data: PathBuf,
    /// The database of a platform that runs without `xieka up`: a file, or postgres://user:password@host:port/name;
    /// without it that of the secrets, if they name one
    #[arg(long)]
    pub(crate) database: Option<PathBuf>,
    /// The call log of that platform, if that is a file of its own
    #[arg(long, requires = "database")]
    pub(crate) calls: Option<PathBuf>,
}

/// Options of `backup`.
#[derive(Args, Clone, Debug)]
pub(crate) struct BackupOptions {
    /// The folder that the backup and its manifest are written into
    pub(crate) into: PathBuf,
    /// Whom the backup is encrypted for, a key of age that begins with age1; may be repeated
    #[arg(long = "recipient", required = true)]
    pub(crate) recipients: Vec<String>,
    /// The .env file that may name a PostgreSQL database; without it that of `xieka up`, if there is one
    #[arg(long)]
    pub(crate) env: Option<PathBuf>,
    /// Where the databases are.
    #[command(flatten)]
    pub(crate) source: DataOptions,
}

/// A backup, and what opens it.
#[derive(Args, Clone, Debug)]
pub(crate) struct OpenOptions {
    /// The backup, or a folder of backups, of which the last one is taken
    pub(crate) file: PathBuf,
    /// The file of age-keygen with the key of a recipient
    #[arg(long)]
    pub(crate) identity: PathBuf,
    /// The .env file with the keys of the platform
    #[arg(long, default_value = "xieka-data/.env")]
    pub(crate) env: PathBuf,
}

/// Options of `verify`.
#[derive(Args, Clone, Debug)]
pub(crate) struct VerifyOptions {
    /// The backup.
    #[command(flatten)]
    pub(crate) backup: OpenOptions,
    /// An empty PostgreSQL database in which a backup of PostgreSQL is looked at: postgres://user:password@host:port/name;
    /// nothing stays in it
    #[arg(long)]
    pub(crate) scratch: Option<String>,
    /// Record the drill in the database of the platform, if the backup is whole
    #[arg(long)]
    pub(crate) record: bool,
    /// Where the drill is recorded.
    #[command(flatten)]
    pub(crate) target: DataOptions,
}

/// Options of `restore`.
#[derive(Args, Clone, Debug)]
pub(crate) struct RestoreOptions {
    /// The backup.
    #[command(flatten)]
    pub(crate) backup: OpenOptions,
    /// The folder of the new platform, which must not have a database
    #[arg(long, conflicts_with = "database")]
    pub(crate) into: Option<PathBuf>,
    /// The empty PostgreSQL database of the new platform: postgres://user:password@host:port/name; without it and
    /// `--into` that of the secrets
    #[arg(long)]
    pub(crate) database: Option<String>,
    /// State that no card was written since this time, which must not be after the backup: no number is quarantined,
    /// and the statement is recorded
    #[arg(long, value_name = "TIME")]
    pub(crate) no_writes_since: Option<String>,
}

/// Options of `migrate`.
#[derive(Args, Clone, Debug)]
pub(crate) struct MigrateOptions {
    /// The manifest of a backup of this database, beside the backup, made in the last 24 hours
    #[arg(long, value_name = "MANIFEST")]
    pub(crate) backup: PathBuf,
    /// The .env file that may name a PostgreSQL database; without it that of `xieka up`, if there is one
    #[arg(long)]
    pub(crate) env: Option<PathBuf>,
    /// Where the database is.
    #[command(flatten)]
    pub(crate) target: DataOptions,
}

/// What is done with the audit trail.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum AuditAction {
    /// Find rows that were changed, removed or moved, a tail that was cut, and days that were dropped
    Verify(AuditVerifyOptions),
    /// Write the rows of the trail, one a line, as docs/audit.md describes them
    Export(AuditExportOptions),
}

/// Options of `audit verify`.
#[derive(Args, Clone, Debug)]
pub(crate) struct AuditVerifyOptions {
    /// A file with heads that a receiver has kept, messages of the topic audit_head, one a line; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) heads: Vec<PathBuf>,
    /// A backup from which the database was restored: heads from before may be of the branch that it has ended; may be
    /// repeated
    #[arg(long, value_name = "BACKUP_ID")]
    pub(crate) restored: Vec<String>,
    /// The .env file that may name a PostgreSQL database; without it that of `xieka up`, if there is one
    #[arg(long)]
    pub(crate) env: Option<PathBuf>,
    /// Where the database is.
    #[command(flatten)]
    pub(crate) source: DataOptions,
}

/// Options of `audit export`.
#[derive(Args, Clone, Debug)]
pub(crate) struct AuditExportOptions {
    /// The file to write; an existing one is never overwritten
    pub(crate) file: PathBuf,
    /// The .env file that may name a PostgreSQL database; without it that of `xieka up`, if there is one
    #[arg(long)]
    pub(crate) env: Option<PathBuf>,
    /// Where the database is.
    #[command(flatten)]
    pub(crate) source: DataOptions,
}

/// Options of `inventory`.
#[derive(Args, Clone, Debug)]
pub(crate) struct InventoryOptions {
    /// The folder to write into
    pub(crate) folder: PathBuf,
    /// How many chips and as many numbers
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=MAX_INVENTORY))]
    pub(crate) count: u32,
    /// Serial of the first one; other inventories must use other serials
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=9_990_000))]
    pub(crate) first: u32,
    /// The .env file whose first transport key wraps K and OPc
    #[arg(long, default_value = "xieka-data/.env")]
    pub(crate) env: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }
}
