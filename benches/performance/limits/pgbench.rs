//! PostgreSQL alone: pgbench sends the statements of a request in their order, from the cores of the server that would.

pub mod scripts;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use grantor::store::PLAN_ONCE;

use crate::Result;
use crate::population::Population;
use crate::site::Site;

use self::scripts::Script;

/// Which request's statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// `/token` with a code: the look and the guarded write.
    CodeRedemption,
    /// `/token` with a refresh token: the look and the guarded write.
    RefreshRotation,
    /// A sign-in from a browser that is not known, the consent page, the consent and the code.
    SignIn,
}

impl Work {
    /// What each request uses up is made for no more than so many in a second.
    const fn most_per_second(self) -> f64 {
        match self {
            Self::CodeRedemption | Self::RefreshRotation => 4_000.0,
            Self::SignIn => 800.0,
        }
    }
}

/// What pgbench says of itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub per_second: f64,
    pub latency_millis: f64,
    pub transactions: u64,
    pub connections: u64,
}

/// PostgreSQL under the statements of one kind of request.
pub struct PgBench {
    work: Work,
    program: PathBuf,
}

impl PgBench {
    /// Finds the program that belongs to the running server.
    pub async fn new(work: Work, site: &Site) -> Self {
        let find = "SELECT setting FROM pg_config() WHERE name = 'BINDIR'";
        let directory: String = sqlx::query_scalar(find)
            .fetch_one(&mut site.connect().await)
            .await
            .expect("it knows where it lies");
        let program = PathBuf::from(directory).join("pgbench");
        assert!(
            program.is_file(),
            "pgbench is missing: it comes with PostgreSQL's server or contrib package"
        );
        Self { work, program }
    }

    /// The better of two: as many connections as the load has, and as Grantor has to the database. Each gets half of
    /// the time.
    pub async fn measure(
        &self,
        site: &Site,
        population: &Population,
        connections: u64,
        duration: Duration,
    ) -> Rate {
        let mut best: Option<Rate> = None;
        for connections in [connections, connections.min(site.request_connections().into())] {
            let rate = self.run(site, population, connections, duration / 2).await;
            let rate = rate.unwrap_or_else(|error| panic!("{:?} by pgbench: {error}", self.work));
            if best.is_none_or(|best| best.per_second < rate.per_second) {
                best = Some(rate);
            }
        }
        best.expect("it ran")
    }

    /// One run.
    pub async fn run(
        &self,
        site: &Site,
        population: &Population,
        connections: u64,
        duration: Duration,
    ) -> Result<Rate> {
        // What there is too little of decides how long it takes.
        let each = (self.work.most_per_second() * duration.as_secs_f64() / connections as f64).ceil() as u64;
        let (script, uses) = match self.work {
            Work::CodeRedemption => {
                let codes = population.fresh_code_numbers(each * connections).await;
                (Script::code_redemption(population, codes.start, each)?, Some(each))
            }
            Work::SignIn => {
                let newcomers = population.take_newcomers(each * connections).await;
                (Script::sign_in(population, newcomers.start, each)?, Some(each))
            }
            Work::RefreshRotation => (Script::refresh_rotation(population)?, None),
        };
        let written_before = written(site).await?;
        let rate = self.start(site, &script, connections, duration, uses).await?;
        check_written(written_before, written(site).await?, script.rows_written * rate.transactions)?;
        Ok(rate)
    }

    /// Another script than its own.
    pub async fn start(
        &self,
        site: &Site,
        script: &Script,
        connections: u64,
        duration: Duration,
        uses: Option<u64>,
    ) -> Result<Rate> {
        let file = tempfile::NamedTempFile::with_suffix(".sql")?;
        std::fs::write(file.path(), &script.text)?;
        let options = site.options();
        let mut command = Command::new(&self.program);
        command
            .args(["--no-vacuum", "--protocol", "prepared", "--username", options.get_username()])
            .args(["--client", &connections.to_string()])
            .args(["--jobs", &(site.server_cores.count() as u64).min(connections).to_string()])
            .arg("--host")
            .arg(site.socket_directory())
            .arg("--file")
            .arg(file.path());
        match uses {
            Some(each) => command.args(["--transactions", &each.to_string()]),
            None => command.args(["--time", &duration.as_secs_f64().ceil().max(1.0).to_string()]),
        };
        for (name, value) in &script.constants {
            command.arg("--define").arg(format!("{name}={value}"));
        }
        command
            .arg(options.get_database().unwrap_or("grantor"))
            .env("LC_ALL", "C")
            .env("PGOPTIONS", PLAN_ONCE.map(|(name, value)| format!("-c {name}={value}")).join(" "));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = site.server_cores.spawn(&mut command)?;
        let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await??;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        parse(&String::from_utf8_lossy(&output.stdout), connections)
    }
}

/// Rows that were inserted and updated since the cluster was made, of what the three scripts write.
async fn written(site: &Site) -> Result<u64> {
    // Sessions tell what they have done when they end, which pgbench does not wait for.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let count = "SELECT sum(n_tup_ins + n_tup_upd)::bigint FROM pg_stat_user_tables
        WHERE relname ~ '^(grants|authorization_codes|sessions|consents)(_d[0-9]+)?$'";
    let count: i64 = sqlx::query_scalar(count).fetch_one(&mut site.connect().await).await?;
    Ok(u64::try_from(count)?)
}

/// A statement that finds nothing to write is fast, and no limit: but for a few races each must have written.
fn check_written(before: u64, after: u64, expected: u64) -> Result<()> {
    let written = after - before;
    if written < expected - expected / 20 {
        return Err(format!("{written} of {expected} rows were written").into());
    }
    Ok(())
}

fn parse(output: &str, connections: u64) -> Result<Rate> {
    let after = |label: &str| -> Result<f64> {
        let line = output.lines().find_map(|line| line.strip_prefix(label));
        let number = line.and_then(|rest| rest.split(['/', ' ']).find(|word| !word.is_empty()));
        Ok(number.ok_or_else(|| format!("no line {label:?} from pgbench: {output}"))?.parse()?)
    };
    Ok(Rate {
        per_second: after("tps = ")?,
        latency_millis: after("latency average = ")?,
        transactions: after("number of transactions actually processed: ")? as u64,
        connections,
    })
}
