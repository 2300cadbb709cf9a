//! The population that is measured with: people, clients, and live grants with refresh tokens.
//!
//! Every row follows from its number, here and in PostgreSQL alike, so that nothing needs to be remembered: PostgreSQL
//! writes millions of rows by itself, and the load generator computes the token of any of them.

mod check;
mod codes;
mod database;
mod indexes;
mod numbers;
mod partitions;
mod progress;
mod seeder;

use std::ops::Range;
use std::sync::Arc;

use grantor::keys::MasterKeys;
use grantor::model::{GrantId, UserId};
use grantor::secret::Secret;
use grantor::users::{Cost, NewPassword, PasswordHasher};
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgPool, Row};

pub use self::codes::FreshCode;
use self::database::{connect, make_partitions};
pub use self::numbers::Layout;
use self::numbers::{
    GRANTS_PER_CONSENT, Numbers, SPREAD, client_id, client_secret, hex, refresh_token, scattered, user_id,
    username,
};
use self::progress::Progress;
use self::seeder::Seeder;
use crate::Result;
use crate::site::Site;

/// The password of everybody.
pub const PASSWORD: &str = "correct horse battery staple";

/// Where every client takes its codes.
pub const REDIRECT_URI: &str = "https://app.example/callback";

/// What every client may ask for, and what was approved.
pub const SCOPES: [&str; 3] = ["openid", "offline_access", "email"];

/// What Grantor's defaults ask of a password's hash.
const COST: Cost = Cost { memory_kib: 19_456, iterations: 2, parallelism: 1 };

/// Its grants begin to expire some days later.
const LONGEST_AGE_DAYS: i64 = 3;

/// How much there is. People and clients stay as many as they were at first; grants may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Size {
    pub users: u64,
    pub clients: u64,
    pub grants: u64,
}

/// What was seeded, and which of it is used up.
#[derive(Debug, Clone)]
pub struct Population {
    pool: PgPool,
    keys: MasterKeys,
    numbers: Numbers,
    grants: u64,
    load_from: u64,
    /// No more pairs of people and apps get codes.
    most_pairs: u64,
    clients: Arc<[(String, String)]>,
}

/// Somebody who has not yet approved an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newcomer {
    pub user: u64,
    pub client: u64,
}

impl Population {
    /// Adds what is missing for this size. It is best done while no server runs.
    pub async fn seed(site: &Site, size: Size) -> Self {
        Self::try_seed(site, size)
            .await
            .unwrap_or_else(|error| panic!("the population cannot be made: {error}"))
    }

    async fn try_seed(site: &Site, size: Size) -> Result<Self> {
        let keys = Site::master_keys();
        make_partitions(site).await?;
        let pool = connect(site, false).await?;
        sqlx::raw_sql(include_str!("population/functions.sql")).execute(&pool).await?;
        let (numbers, grants) = begin(&pool, size).await?;
        if grants < size.grants {
            let writers = connect(site, true).await?;
            grow(&writers, &keys, numbers, grants..size.grants).await?;
            writers.close().await;
        }
        let load_from: i64 =
            sqlx::query_scalar("SELECT load_from FROM bench.population").fetch_one(&pool).await?;
        let (grants, load_from) = (grants.max(size.grants), u64::try_from(load_from)?);
        let clients = (0..size.clients).map(|n| (client_id(n), client_secret(n))).collect();
        Ok(Self { pool, keys, numbers, grants, load_from, most_pairs: u64::MAX, clients })
    }

    /// The same, whose codes are those of so many pairs of people and apps.
    pub fn with_codes_for(&self, pairs: u64) -> Self {
        Self { most_pairs: pairs, ..self.clone() }
    }

    /// What PostgreSQL would do in its own time and in the middle of a measurement.
    pub async fn settle(&self) {
        settle(&self.pool).await.expect("PostgreSQL tidies up");
    }

    /// Identifier and secret of a client.
    pub fn client(&self, n: u64) -> (&str, &str) {
        let (id, secret) = &self.clients[usize::try_from(n % self.numbers.clients).unwrap_or(0)];
        (id, secret)
    }

    /// What somebody types to sign in, with [`PASSWORD`].
    pub fn username(&self, n: u64) -> String {
        username(n)
    }

    /// The first refresh token of a grant: computed, not stored.
    pub fn refresh_token(&self, n: u64) -> String {
        refresh_token(self.numbers.grant_id(n), n, self.keys.current())
    }

    /// The client of a grant.
    pub fn grant_client(&self, n: u64) -> u64 {
        self.numbers.client_of_pair(n / GRANTS_PER_CONSENT)
    }

    pub fn grant_id(&self, n: u64) -> GrantId {
        self.numbers.grant_id(n)
    }

    pub fn user_id(&self, n: u64) -> UserId {
        user_id(n)
    }

    /// The id of the master key, as rows have it.
    pub fn key_id(&self) -> String {
        hex(self.keys.current().id())
    }

    pub fn layout(&self) -> Layout {
        self.numbers.layout()
    }

    /// The grants whose tokens the load generator uses.
    pub fn for_load(&self) -> Range<u64> {
        self.load_from..self.load_from.midpoint(self.grants)
    }

    /// The others: PostgreSQL alone rotates them, and cannot compute tokens.
    pub fn for_statements(&self) -> Range<u64> {
        self.load_from.midpoint(self.grants)..self.grants
    }

    /// So many grants whose first refresh token was not given to anybody, all over the table.
    ///
    /// # Panics
    /// If there are not so many left.
    pub async fn fresh_grants(&self, count: u64) -> Vec<u64> {
        let Range { start, end } = self.for_load();
        let there_are = end - start;
        let taken = self.take("grants_given", count).await;
        assert!(taken.end <= there_are, "{there_are} refresh tokens are used up: make a new population");
        taken.map(|i| start + scattered(i, there_are)).collect()
    }

    /// People with apps that they have not approved.
    ///
    /// # Panics
    /// If there are not so many left.
    pub async fn newcomers(&self, count: u64) -> Vec<Newcomer> {
        let Numbers { users, clients, .. } = self.numbers;
        let newcomer = |i: u64| {
            let user = scattered(i % users, users);
            // The last of the person's apps first, while those that were approved begin with the first.
            let pair = (clients - 1 - i / users) * users + user;
            Newcomer { user, client: self.numbers.client_of_pair(pair) }
        };
        self.take_newcomers(count).await.map(newcomer).collect()
    }

    /// The same by their numbers.
    pub async fn take_newcomers(&self, count: u64) -> Range<u64> {
        let Numbers { users, clients, .. } = self.numbers;
        let approved = (self.grants / GRANTS_PER_CONSENT).div_ceil(users);
        let taken = self.take("approvals_given", count).await;
        let used_up = approved + taken.end.div_ceil(users) > clients;
        assert!(!used_up, "everybody has approved everything: make a new population");
        taken
    }

    /// Takes the next `count` of what this column counts.
    async fn take(&self, column: &str, count: u64) -> Range<u64> {
        let statement = format!("UPDATE bench.population SET {column} = {column} + $1 RETURNING {column}");
        let taken = sqlx::query_scalar::<_, i64>(AssertSqlSafe(statement)).bind(count.cast_signed());
        let end = taken.fetch_one(&self.pool).await.expect("the population is written down").cast_unsigned();
        end - count..end
    }
}

/// How many grants there are, in a population that fits this size and is still good.
async fn begin(pool: &PgPool, size: Size) -> Result<(Numbers, u64)> {
    sqlx::query("INSERT INTO bench.population (users, clients) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(i64::try_from(size.users)?)
        .bind(i64::try_from(size.clients)?)
        .execute(pool)
        .await?;
    let row = sqlx::query(
        "SELECT users, clients, first_day, grants, is_growing,
             floor(extract(epoch FROM now()) / 86400)::integer - first_day AS age
         FROM bench.population",
    )
    .fetch_one(pool)
    .await?;
    let [users, clients, grants] =
        ["users", "clients", "grants"].map(|column| u64::try_from(row.get::<i64, _>(column)).unwrap_or(0));
    if row.get("is_growing") {
        return Err("a seeding was broken off: remove the cluster and begin anew".into());
    }
    if i64::from(row.get::<i32, _>("age")) > LONGEST_AGE_DAYS {
        return Err("the population is too old, its grants expire: remove the cluster and begin anew".into());
    }
    if (users, clients) != (size.users, size.clients) {
        return Err(format!(
            "there are {users} users and {clients} clients already: only grants can be added"
        )
        .into());
    }
    if !size.grants.is_multiple_of(GRANTS_PER_CONSENT) || clients.is_multiple_of(SPREAD.1) {
        return Err("such numbers of grants or clients do not divide well".into());
    }
    if size.grants / GRANTS_PER_CONSENT >= users * clients {
        return Err("there are not enough users and clients for so many grants".into());
    }
    let first_day = u64::try_from(row.get::<i32, _>("first_day"))?;
    Ok((Numbers { users, clients, first_day }, grants))
}

async fn grow(pool: &PgPool, keys: &MasterKeys, numbers: Numbers, added: Range<u64>) -> Result<()> {
    sqlx::query("UPDATE bench.population SET is_growing = true").execute(pool).await?;
    let grants = added.end - added.start;
    let is_new = added.start == 0;
    let rows =
        grants + grants / GRANTS_PER_CONSENT + if is_new { numbers.users + numbers.clients } else { 0 };
    let progress = Progress::new("population", rows);
    let seeder = Seeder { pool, key: keys.current(), numbers, progress: &progress };
    if is_new {
        seeder.users(&hash_of_password().await?).await?;
        seeder.clients().await?;
    }
    seeder.grants(added.clone()).await?;
    sqlx::query(
        "UPDATE bench.population SET is_growing = false, grants = $2, load_from = $1, grants_given = 0",
    )
    .bind(i64::try_from(added.start)?)
    .bind(i64::try_from(added.end)?)
    .execute(pool)
    .await?;
    progress.say("settling");
    settle(pool).await?;
    progress.finish();
    Ok(())
}

/// All tables are vacuumed and known to the planner, and written to the disk.
async fn settle(pool: &PgPool) -> Result<()> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT oid::regclass::text FROM pg_class
         WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY relpages DESC",
    )
    .fetch_all(pool)
    .await?;
    let vacuum = tables
        .iter()
        .map(|table| sqlx::raw_sql(AssertSqlSafe(format!("VACUUM (ANALYZE) {table}"))).execute(pool));
    futures_util::future::try_join_all(vacuum).await?;
    sqlx::raw_sql("ANALYZE grants").execute(pool).await?;
    sqlx::raw_sql("CHECKPOINT").execute(pool).await?;
    Ok(())
}

async fn hash_of_password() -> Result<String> {
    let password = NewPassword::check(&Secret::new(PASSWORD.to_owned()), 8, "", "")?;
    let hash = PasswordHasher::start(Some(1), COST)?.hash(password).await?;
    Ok(hash.expose().clone())
}
