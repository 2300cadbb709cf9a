//! Whether a server takes what was seeded for its own: a row that is measured with refusals would be worth nothing.

use serde_json::Value;

use super::{Population, REDIRECT_URI};
use crate::Result;

impl Population {
    /// A client secret, a refresh token and a code are good for tokens.
    pub async fn check(&self, origin: &str) {
        self.try_check(origin).await.unwrap_or_else(|error| panic!("the population is of no use: {error}"));
    }

    async fn try_check(&self, origin: &str) -> Result<()> {
        let asked = [("grant_type", "client_credentials")];
        self.token(origin, 0, &asked).await?;

        let grant = self.fresh_grants(1).await[0];
        let token = self.refresh_token(grant);
        let asked = [("grant_type", "refresh_token"), ("refresh_token", &token)];
        self.token(origin, self.grant_client(grant), &asked).await?;

        let fresh = &self.fresh_codes(1).await[0];
        let asked = [
            ("grant_type", "authorization_code"),
            ("code", &fresh.code),
            ("code_verifier", &fresh.verifier),
            ("redirect_uri", REDIRECT_URI),
        ];
        let answer = self.token(origin, fresh.client, &asked).await?;
        let missing = ["id_token", "refresh_token"].into_iter().find(|name| answer[name].as_str().is_none());
        missing.map_or(Ok(()), |name| Err(format!("a code gave no {name}: {answer}").into()))
    }

    async fn token(&self, origin: &str, client: u64, form: &[(&str, &str)]) -> Result<Value> {
        let (id, secret) = self.client(client);
        let request = reqwest::Client::new().post(format!("{origin}/token"));
        let answer = request.basic_auth(id, Some(secret)).form(form).send().await?.json::<Value>().await?;
        match answer["access_token"].as_str() {
            Some(_) => Ok(answer),
            None => Err(format!("{}: {answer}", form[0].1).into()),
        }
    }
}
