//! Authorization codes with their grants, made in one statement just before they are used.

use std::ops::Range;

use sqlx::AssertSqlSafe;

use super::numbers::{GRANTS_PER_CONSENT, Layout, code, scattered, verifier};
use super::{Population, REDIRECT_URI, SCOPES};

/// A code that nobody has used.
#[derive(Debug, Clone)]
pub struct FreshCode {
    pub code: String,
    pub verifier: String,
    /// Whose it is.
    pub client: u64,
}

impl Population {
    /// Makes codes.
    pub async fn fresh_codes(&self, count: u64) -> Vec<FreshCode> {
        let numbers = self.fresh_code_numbers(count).await;
        numbers
            .map(|n| FreshCode {
                code: code(self.numbers.code_id(n), n),
                verifier: verifier(n),
                client: self.numbers.client_of_pair(self.pair_of_code(n)),
            })
            .collect()
    }

    /// The same by their numbers.
    pub async fn fresh_code_numbers(&self, count: u64) -> Range<u64> {
        let made = self.take("codes_made", count).await;
        let insert = sqlx::query(AssertSqlSafe(self.insert_codes(&made)));
        insert.execute(&self.pool).await.expect("codes can be written");
        made
    }

    fn pair_of_code(&self, n: u64) -> u64 {
        scattered(n % self.pairs_of_codes(), self.grants / GRANTS_PER_CONSENT)
    }

    /// How many pairs of people and apps have codes.
    fn pairs_of_codes(&self) -> u64 {
        (self.grants / GRANTS_PER_CONSENT).min(self.most_pairs)
    }

    fn insert_codes(&self, made: &Range<u64>) -> String {
        let Layout { users, clients, by_user, by_app, stride, code_day, grant_day, .. } = self.layout();
        let (pairs, with_codes) = (self.grants / GRANTS_PER_CONSENT, self.pairs_of_codes());
        let scopes = SCOPES.join(",");
        format!(
            "WITH numbered AS (
                 SELECT n, n % {with_codes} * {stride} % {pairs} AS p FROM generate_series({}::bigint, {}) AS n
             ), granted AS (
                 INSERT INTO grants (id, user_id, client_id, requested_scopes, scopes, resources, auth_time, created_at,
                     expires_at, started_in)
                 SELECT bench.dated_id('code grant', n, {grant_day}), bench.id('user', p % {users}),
                     bench.id('client', (p % {users} * {by_user} + p / {users} * {by_app}) % {clients})::text,
                     '{{{scopes}}}', '{{{scopes}}}', '{{}}', now(), now(),
                     bench.midnight({grant_day}) + interval '12 hours', bench.id('session', n)
                 FROM numbered
             )
             INSERT INTO authorization_codes
                 (id, code_hash, grant_id, redirect_uri, code_challenge, nonce, expires_at)
             SELECT bench.dated_id('code', n, {code_day}), sha256(bench.hash('code secret', n)),
                 bench.dated_id('code grant', n, {grant_day}), '{REDIRECT_URI}',
                 bench.base64url(sha256(bench.base64url(bench.hash('verifier', n))::bytea)),
                 substr(bench.base64url(bench.hash('nonce', n)), 1, 22), bench.midnight({code_day}) + interval '12 hours'
             FROM numbered",
            made.start,
            made.end - 1,
        )
    }
}
