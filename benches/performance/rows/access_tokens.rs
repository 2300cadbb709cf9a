//! Access tokens of many people, got by refreshing as apps get them.

use super::refresh::refreshing;
use super::sources::text;
use super::{Stage, load};
use crate::load::{Answer, Progress, RequestSource};

/// An access token and whose it is.
pub struct Held {
    pub client: u64,
    pub token: String,
}

/// So many for each connection.
pub async fn access_tokens(stage: &Stage, each: usize) -> Vec<Vec<Held>> {
    let population = &stage.population;
    let connections = stage.options.connections;
    let grants = population.fresh_grants((each * connections) as u64).await;
    let mut collecting: Vec<_> = grants
        .chunks(each)
        .map(|grants| {
            let request = |grant: &u64| {
                let request = refreshing(population, *grant, &population.refresh_token(*grant), None);
                (population.grant_client(*grant), request)
            };
            Collecting { requests: grants.iter().map(request).collect(), held: Vec::new() }
        })
        .collect();
    let outcome = load::all(stage.site.target(), &mut collecting);
    assert!(outcome.errors == 0, "no access tokens: {}", outcome.first_error.unwrap_or_default());
    collecting.into_iter().map(|one| one.held).collect()
}

struct Collecting {
    requests: Vec<(u64, Vec<u8>)>,
    held: Vec<Held>,
}

impl RequestSource for Collecting {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        let next = self.requests.get(self.held.len());
        next.inspect(|(_, bytes)| request.extend_from_slice(bytes)).is_some()
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Progress {
        let Some(token) = text(answer.body, "access_token") else { return Progress::Wrong };
        let (client, _) = self.requests[self.held.len()];
        self.held.push(Held { client, token: token.to_owned() });
        answer.expect(200)
    }
}
