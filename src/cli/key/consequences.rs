//! What changing the signing keys at once breaks, said before anybody has to find out.

use std::time::Duration;

use serde::Serialize;

use crate::jose::Algorithm;
use crate::keys::{KeyOutcome, KeyReport};
use crate::model::{Client, SigningKeyState};
use crate::time::Timestamp;

/// What an operation means for tokens and for those who verify them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Consequences {
    /// The registered clients whose tokens are concerned.
    clients: usize,
    /// Until when a verifier that keeps a copy of the published keys, and does not fetch them anew for a key that
    /// it does not know, may refuse new tokens. `None`: every copy has the key.
    new_tokens_may_be_refused_until: Option<Timestamp>,
    /// How long that is from now, in seconds.
    new_tokens_may_be_refused_for: u64,
    /// The key whose tokens verify no longer, though they have not expired.
    tokens_end_of: Option<String>,
    /// Until when a verifier that keeps a copy of the published keys may go on accepting those.
    ended_tokens_may_be_accepted_until: Option<Timestamp>,
    /// The same in words.
    pub text: String,
}

impl Consequences {
    /// `None` if nothing breaks. `publish_ahead` is how long it takes until every copy of the published keys
    /// has a key.
    pub fn of(outcome: &KeyOutcome, publish_ahead: Duration, clients: &[Client]) -> Option<Self> {
        if !outcome.changed {
            return None;
        }
        let all_have_it = |key: &KeyReport| key.created_at + publish_ahead;
        // Who signs now and did not before, before every copy has it.
        let signs_early = outcome.active.as_ref().filter(|active| {
            let took_over = outcome.signed_before.as_ref().is_none_or(|before| before.kid != active.kid);
            took_over && active.activates_at <= outcome.at && all_have_it(active) > outcome.at
        });
        let withdrawn = (outcome.key.state == SigningKeyState::Retired).then_some(&outcome.key);
        if signs_early.is_none() && withdrawn.is_none() {
            return None;
        }
        let refused_until = signs_early.map(all_have_it);
        let clients = clients.iter().filter(|client| signs_for(outcome.key.alg, client)).count();
        let accepted_until = withdrawn.map(|_| outcome.at + publish_ahead);
        let mut text = String::new();
        if let Some(key) = withdrawn {
            text.push_str(&of_withdrawal(key, accepted_until));
        }
        if let (Some(key), Some(until)) = (signs_early, refused_until) {
            text.push_str(&of_early_use(key, until, until.since(outcome.at), clients));
            text.push_str(&of_predecessor(outcome));
        }
        Some(Self {
            clients,
            new_tokens_may_be_refused_until: refused_until,
            new_tokens_may_be_refused_for: refused_until.map_or(0, |until| until.since(outcome.at).as_secs()),
            tokens_end_of: withdrawn.map(|key| key.kid.clone()),
            ended_tokens_may_be_accepted_until: accepted_until,
            text: format!("note: {}", text.trim_end()),
        })
    }
}

fn signs_for(alg: Algorithm, client: &Client) -> bool {
    let tokens = [client.access_token_signing_alg, client.id_token_signed_response_alg];
    tokens.map(Option::unwrap_or_default).contains(&alg)
        || client.introspection_signed_response_alg == Some(alg)
        || client.openid.userinfo_signed_response_alg == Some(alg)
}

fn of_withdrawal(key: &KeyReport, accepted_until: Option<Timestamp>) -> String {
    let until = accepted_until.map(|until| until.to_string()).unwrap_or_default();
    format!(
        "Running servers refuse every token that the key {} signed within 2 s. A verifier that keeps a copy of the \
         published keys may accept such a token until {until}, or until you restart it. ",
        key.kid
    )
}

fn of_early_use(key: &KeyReport, until: Timestamp, remaining: Duration, clients: usize) -> String {
    let clients = match clients {
        1 => "1 client".to_owned(),
        clients => format!("{clients} clients"),
    };
    format!(
        "Running servers sign with the key {} within 2 s. Every verifier that keeps a copy of the published keys and \
         does not fetch them anew for a key that it does not know may refuse new tokens of {clients} for up to {}, \
         until {until}. ",
        key.kid,
        in_words(remaining)
    )
}

/// A key that was superseded, not withdrawn: its tokens go on.
fn of_predecessor(outcome: &KeyOutcome) -> String {
    match &outcome.signed_before {
        Some(KeyReport { kid, published_until: Some(until), state: SigningKeyState::Retiring, .. }) => {
            format!("Tokens of the key {kid} go on verifying: it stays published until {until}.")
        }
        _ => String::new(),
    }
}

fn in_words(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds > 60 && seconds % 60 != 0 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds if seconds >= 60 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
