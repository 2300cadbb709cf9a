//! Writes the rows: set-based statements in chunks, several at a time.

use std::ops::Range;

use futures_util::future::try_join_all;
use grantor::clients::secrets::hash_secret;
use grantor::keys::MasterKey;
use sqlx::{AssertSqlSafe, PgPool};

use super::indexes::Indexes;
use super::numbers::{
    DAYS_OF_ENDS, GRANTS_PER_CONSENT, LONGEST_LIFE, Layout, Numbers, SESSION_EVERY, client_id, client_secret,
    hex,
};
use super::partitions::Partition;
use super::progress::Progress;
use super::{REDIRECT_URI, SCOPES};
use crate::Result;

/// Rows of one statement.
const CHUNK: u64 = 100_000;

/// From so many rows on, a table goes without its indexes meanwhile.
const MANY: u64 = 300_000;

pub struct Seeder<'a> {
    pub pool: &'a PgPool,
    pub key: &'a MasterKey,
    pub numbers: Numbers,
    pub progress: &'a Progress,
}

impl Seeder<'_> {
    /// People with one password, who have been there for a while.
    pub async fn users(&self, password_hash: &str) -> Result<()> {
        let users = self.numbers.users;
        let indexes = if users >= MANY { Some(Indexes::drop(self.pool, "users").await?) } else { None };
        try_join_all(chunks(0..users).map(|chunk| {
            self.write(format!(
                "INSERT INTO users (id, username, username_folded, email, email_folded, password_hash, created_at,
                     updated_at)
                 SELECT bench.id('user', n), name, name, name || '@example.com', name || '@example.com',
                     '{password_hash}', now() - interval '200 days', now() - interval '200 days'
                 FROM (SELECT n, 'person-' || n AS name FROM generate_series({}, {}) AS n OFFSET 0) AS numbered",
                chunk.start,
                chunk.end - 1
            ))
        }))
        .await?;
        self.restored(indexes).await
    }

    /// Confidential clients that may do everything that is measured.
    pub async fn clients(&self) -> Result<()> {
        let numbers = 0..self.numbers.clients;
        let ids: Vec<String> = numbers.clone().map(client_id).collect();
        let hashes: Vec<_> = numbers.map(|n| hash_secret(self.key, &client_secret(n)).hash).collect();
        sqlx::query(
            "INSERT INTO clients (client_id, name, confidential, application_type, auth_method, secret_hash,
                 secret_key_id, redirect_uris, grant_types, scopes)
             SELECT client_id, 'App ' || n, true, 'web', 'client_secret_basic', hash, $3, ARRAY[$4],
                 ARRAY['authorization_code', 'refresh_token', 'client_credentials'], $5
             FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS made (client_id, hash, n)",
        )
        .bind(&ids)
        .bind(&hashes)
        .bind(self.key.id())
        .bind(REDIRECT_URI)
        .bind(SCOPES.map(str::to_owned).to_vec())
        .execute(self.pool)
        .await?;
        // Processes that run have looked some of them up already.
        sqlx::query("UPDATE installation SET version = version + 1").execute(self.pool).await?;
        self.progress.add(self.numbers.clients);
        Ok(())
    }

    /// Consents and sessions of the grants with these numbers, and the grants.
    pub async fn grants(&self, added: Range<u64>) -> Result<()> {
        let rebuild = added.end - added.start >= MANY.max(added.start);
        let partitions = Partition::all(self.pool, self.numbers.first_day).await?;
        let mut without = Vec::new();
        if rebuild {
            without.push(Indexes::drop(self.pool, "consents").await?);
            for partition in &partitions {
                partition.detach(self.pool).await?;
                without.push(Indexes::drop(self.pool, &partition.name).await?);
            }
        }
        let consents = added.start / GRANTS_PER_CONSENT..added.end / GRANTS_PER_CONSENT;
        let consents = chunks(consents).map(|chunk| self.write(self.consents(&chunk)));
        try_join_all(consents).await?;
        self.write(self.sessions(&added)).await?;
        let chunks = partitions.iter().flat_map(|partition| {
            partition.ends.clone().map(|end| self.write(self.grants_that_end(&partition.name, end, &added)))
        });
        try_join_all(chunks).await?;
        if rebuild {
            self.progress.say("building indexes");
            try_join_all(without.into_iter().map(|indexes| indexes.restore(self.pool))).await?;
            for partition in &partitions {
                partition.attach(self.pool).await?;
            }
        }
        Ok(())
    }

    fn consents(&self, pairs: &Range<u64>) -> String {
        let Layout { users, clients, by_user, by_app, .. } = self.numbers.layout();
        let created_at = self.numbers.first_day - LONGEST_LIFE - 10;
        format!(
            "INSERT INTO consents (user_id, client_id, scopes, created_at, updated_at)
             SELECT bench.id('user', p % {users}),
                 bench.id('client', (p % {users} * {by_user} + p / {users} * {by_app}) % {clients})::text,
                 {}, bench.midnight({created_at}), bench.midnight({created_at})
             FROM generate_series({}::bigint, {}) AS p",
            scopes(true),
            pairs.start,
            pairs.end - 1
        )
    }

    fn sessions(&self, added: &Range<u64>) -> String {
        let Numbers { users, first_day, .. } = self.numbers;
        format!(
            "INSERT INTO sessions (id, token_hash, user_id, auth_time, last_seen_at, idle_expires_at, expires_at,
                 address, user_agent)
             SELECT bench.id('session', n), sha256(bench.hash('cookie', n)),
                 bench.id('user', n / {GRANTS_PER_CONSENT} % {users}), bench.midnight({first_day}),
                 bench.midnight({first_day}), bench.midnight({first_day} + 12), bench.midnight({first_day} + 12),
                 '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
             FROM generate_series({}::bigint, {}, {SESSION_EVERY}) AS n",
            added.start.next_multiple_of(SESSION_EVERY),
            added.end - 1
        )
    }

    fn grants_that_end(&self, table: &str, end: u64, added: &Range<u64>) -> String {
        let Layout { users, clients, by_user, by_app, first_end, .. } = self.numbers.layout();
        let day = first_end + end;
        let first = end + (added.start.saturating_sub(end)).next_multiple_of(DAYS_OF_ENDS);
        let refreshed_at = self.numbers.first_day - 1;
        // They end at noon, so that all of the day is within their partition.
        format!(
            "INSERT INTO {table} (id, user_id, client_id, session_id, requested_scopes, scopes, resources, auth_time,
                 created_at, expires_at, refresh_hash, refresh_key_id, refreshed_at, idle_expires_at, started_in)
             SELECT bench.dated_id('grant', n, {day}), bench.id('user', p % {users}),
                 bench.id('client', (p % {users} * {by_user} + p / {users} * {by_app}) % {clients})::text,
                 CASE WHEN on_session THEN bench.id('session', n) END,
                 CASE WHEN on_session THEN {short} ELSE {long} END,
                 CASE WHEN on_session THEN {short} ELSE {long} END, '{{}}',
                 ended - interval '{LONGEST_LIFE} days', ended - interval '{LONGEST_LIFE} days', ended,
                 sha256(bench.hash('refresh', n)), '\\x{key_id}', bench.midnight({refreshed_at}),
                 least(ended, bench.midnight({refreshed_at}) + interval '30 days'), bench.id('session', n)
             FROM (SELECT n, n / {GRANTS_PER_CONSENT} AS p, n % {SESSION_EVERY} = 0 AS on_session,
                       bench.midnight({day}) + interval '12 hours' AS ended
                   FROM generate_series({first}::bigint, {last}, {DAYS_OF_ENDS}) AS n) AS numbered",
            short = scopes(false),
            long = scopes(true),
            key_id = hex(self.key.id()),
            last = added.end - 1
        )
    }

    async fn write(&self, statement: String) -> Result<()> {
        let written = sqlx::query(AssertSqlSafe(statement)).execute(self.pool).await?;
        self.progress.add(written.rows_affected());
        Ok(())
    }

    async fn restored(&self, indexes: Option<Indexes>) -> Result<()> {
        match indexes {
            Some(indexes) => indexes.restore(self.pool).await,
            None => Ok(()),
        }
    }
}

fn chunks(range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let Range { start, end } = range;
    (start..end).step_by(usize::try_from(CHUNK).unwrap_or(usize::MAX)).map(move |at| at..end.min(at + CHUNK))
}

/// What was approved: all that a client may have, or all but `offline_access`.
fn scopes(offline: bool) -> String {
    let names = SCOPES.into_iter().filter(|name| offline || *name != "offline_access");
    format!("'{{{}}}'::text[]", names.collect::<Vec<_>>().join(","))
}
