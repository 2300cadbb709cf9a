//! A refresh token family: one secret per generation, each derived from the one before.
//!
//! `token_n = prefix ‖ grant id ‖ n ‖ s_n ‖ tag_n`, with `s_0` random, `s_{n+1} = HMAC(derive, id ‖ n+1 ‖ s_n)`
//! and `tag_n = HMAC(tag, id ‖ n ‖ s_n)`. The database keeps `n` and `SHA-256(s_n)` of the current token only:
//! a lost answer or a race gets *the same* successor again, and neither a dump, nor the keys, nor both
//! together redeem anything without a client's own token.

use std::time::Duration;

use crate::keys::{MasterKey, MasterKeys, Purpose};
use crate::model::{GrantId, RefreshState};
use crate::secret::{Secret, TokenKind, constant_time_eq, random_bytes, sha256};
use crate::time::Timestamp;

const TAG_LENGTH: usize = 16;
const LENGTH: usize = 16 + 4 + 32 + TAG_LENGTH;

/// A refresh token that Grantor issued: its tag was verified, or it was just made.
#[derive(Clone)]
pub struct AuthenticToken {
    grant_id: GrantId,
    generation: u32,
    secret: Secret<[u8; 32]>,
}

impl AuthenticToken {
    /// Reads a token and verifies its tag with any of the listed master keys. Junk is refused without a query.
    pub fn parse(token: &str, keys: &MasterKeys) -> Option<Self> {
        let bytes = TokenKind::RefreshToken.decode::<LENGTH>(token)?;
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (generation, rest) = rest.split_first_chunk::<4>()?;
        let (secret, tag) = rest.split_first_chunk::<32>()?;
        let parsed = Self {
            grant_id: GrantId::from_bytes(*id),
            generation: u32::from_be_bytes(*generation),
            secret: Secret::new(*secret),
        };
        keys.iter().any(|key| constant_time_eq(&parsed.tag(key), tag)).then_some(parsed)
    }

    /// The first token of a grant's family.
    pub fn first(grant_id: GrantId) -> Self {
        Self { grant_id, generation: 0, secret: Secret::new(random_bytes()) }
    }

    /// The one token that follows this one, under the key that the family's row names.
    pub fn successor(&self, key: &MasterKey) -> Self {
        let generation = self.generation.wrapping_add(1);
        let secret = key.hmac(
            Purpose::RefreshDerive,
            &[self.grant_id.as_bytes(), &generation.to_be_bytes(), self.secret.expose()],
        );
        Self { grant_id: self.grant_id, generation, secret: Secret::new(secret) }
    }

    /// The token as the client gets it.
    pub fn encode(&self, key: &MasterKey) -> Secret<String> {
        let payload = [
            self.grant_id.as_bytes().as_slice(),
            &self.generation.to_be_bytes(),
            self.secret.expose(),
            &self.tag(key),
        ]
        .concat();
        TokenKind::RefreshToken.encode(&payload)
    }

    /// The family's grant.
    pub fn grant_id(&self) -> GrantId {
        self.grant_id
    }

    /// The generation `n`.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// SHA-256 of the secret, as the row keeps it.
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.secret.expose())
    }

    fn tag(&self, key: &MasterKey) -> [u8; TAG_LENGTH] {
        let mac = key.hmac(
            Purpose::RefreshTag,
            &[self.grant_id.as_bytes(), &self.generation.to_be_bytes(), self.secret.expose()],
        );
        let mut tag = [0; TAG_LENGTH];
        tag.copy_from_slice(&mac[..TAG_LENGTH]);
        tag
    }
}

/// Where a presented token stands in its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The family's current token.
    Current,
    /// Its predecessor, so soon after the rotation that the answer may have been lost or raced: the same
    /// successor is given again, and the row stays as it is.
    JustReplaced,
    /// An older one: somebody else has used its successor, or kept it too long (RFC 9700 §4.14.2).
    Reused,
}

/// Decides where `token` stands. The window is judged by the database's clock alone, which also wrote
/// `refreshed_at`: a process whose clock is ahead must not take a race for theft.
pub fn standing(
    token: &AuthenticToken,
    family: &RefreshState,
    family_key: &MasterKey,
    reuse_window: Duration,
    database_time: Timestamp,
) -> Standing {
    if token.generation == family.generation && constant_time_eq(&token.hash(), &family.hash) {
        return Standing::Current;
    }
    let in_window = !reuse_window.is_zero() && database_time <= family.refreshed_at + reuse_window;
    let is_predecessor = token.generation.checked_add(1) == Some(family.generation)
        && constant_time_eq(&token.successor(family_key).hash(), &family.hash);
    if is_predecessor && in_window { Standing::JustReplaced } else { Standing::Reused }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::RefreshState;

    fn keys(letter: &str) -> MasterKeys {
        // 43 letters are base64 of 32 bytes where the last one has no bits to spare.
        let text = format!("{}A", letter.repeat(42));
        MasterKeys::load(&[("test".to_owned(), Secret::new(text))]).unwrap()
    }

    fn family(token: &AuthenticToken) -> RefreshState {
        RefreshState {
            generation: token.generation,
            hash: token.hash().to_vec(),
            key_id: Vec::new(),
            refreshed_at: Timestamp::from_unix_seconds(1_000),
            idle_expires_at: Timestamp::from_unix_seconds(100_000),
        }
    }

    #[test]
    fn a_token_stands_where_the_rule_says() {
        let keys = keys("A");
        let key = keys.current();
        let first = AuthenticToken::first(GrantId::random(Timestamp::from_unix_seconds(1_000_000)));
        let second = first.successor(key);
        let third = second.successor(key);
        let strict = Duration::ZERO;
        let window = Duration::from_secs(30);
        let at = Timestamp::from_unix_seconds;
        let table = [
            // presented, current, window, now, standing
            (&first, &first, window, 1_000, Standing::Current),
            (&first, &first, strict, 99_000, Standing::Current),
            (&first, &second, window, 1_000, Standing::JustReplaced),
            (&first, &second, window, 1_030, Standing::JustReplaced),
            (&first, &second, window, 1_031, Standing::Reused),
            (&first, &second, strict, 1_000, Standing::Reused),
            (&first, &third, window, 1_000, Standing::Reused),
            // A generation that the row has not reached: the row was restored from a backup.
            (&third, &second, window, 1_000, Standing::Reused),
        ];
        for (number, (presented, current, window, now, expected)) in table.into_iter().enumerate() {
            let got = standing(presented, &family(current), key, window, at(now));
            assert_eq!(got, expected, "row {number}");
        }
    }

    #[test]
    fn another_family_with_the_same_generation_is_not_current() {
        let keys = keys("A");
        let expires_at = Timestamp::from_unix_seconds(1_000_000);
        let (one, other) = (
            AuthenticToken::first(GrantId::random(expires_at)),
            AuthenticToken::first(GrantId::random(expires_at)),
        );
        let now = Timestamp::from_unix_seconds(1_000);
        assert_eq!(standing(&one, &family(&other), keys.current(), Duration::ZERO, now), Standing::Reused);
    }

    #[test]
    fn what_was_encoded_is_authentic_and_anything_else_is_not() {
        let own = keys("A");
        let token = AuthenticToken::first(GrantId::random(Timestamp::from_unix_seconds(1_000_000)));
        let encoded = token.encode(own.current());
        let parsed = AuthenticToken::parse(encoded.expose(), &own).unwrap();
        assert_eq!((parsed.grant_id(), parsed.generation()), (token.grant_id(), 0));
        assert_eq!(parsed.hash(), token.hash());
        assert!(AuthenticToken::parse(encoded.expose(), &keys("B")).is_none());
    }

    /// What may happen to a family.
    #[derive(Debug, Clone)]
    enum Step {
        /// The token so many generations back is presented.
        Present { back: usize },
        /// Seconds pass.
        Wait(u64),
        /// Another master key writes from now on; the old one stays listed.
        ChangeKey,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => Just(Step::Present { back: 0 }),
            3 => Just(Step::Present { back: 1 }),
            1 => (2..5_usize).prop_map(|back| Step::Present { back }),
            2 => (0..40_u64).prop_map(Step::Wait),
            1 => Just(Step::ChangeKey),
        ];
        prop::collection::vec(step, 1..30)
    }

    /// The rule in its own words: only a number, a time, and nothing of tokens or keys.
    fn rule(back: usize, since_rotation: u64, window: u64) -> Standing {
        match back {
            0 => Standing::Current,
            1 if window > 0 && since_rotation <= window => Standing::JustReplaced,
            _ => Standing::Reused,
        }
    }

    proptest! {
        #[test]
        fn a_family_lives_by_the_rule(steps in steps(), window in prop_oneof![Just(0), 1..40_u64]) {
            let listed = [keys("A"), keys("B")];
            let (mut writing, mut row_key) = (0, 0);
            let (mut now, mut rotated_at) = (1_000_u64, 1_000_u64);
            let mut issued = vec![AuthenticToken::first(GrantId::random(Timestamp::from_unix_seconds(1_000_000)))];
            for step in steps {
                let back = match step {
                    Step::Wait(seconds) => { now += seconds; continue }
                    Step::ChangeKey => { writing = 1 - writing; continue }
                    Step::Present { back } => back.min(issued.len() - 1),
                };
                let current = &issued[issued.len() - 1];
                let presented = issued[issued.len() - 1 - back].clone();
                let mut row = family(current);
                row.refreshed_at = Timestamp::from_unix_seconds(rotated_at.cast_signed());
                let family_key = listed[row_key].current();
                let got = standing(
                    &presented,
                    &row,
                    family_key,
                    Duration::from_secs(window),
                    Timestamp::from_unix_seconds(now.cast_signed()),
                );
                prop_assert_eq!(got, rule(back, now - rotated_at, window));
                match got {
                    Standing::Current => {
                        (row_key, rotated_at) = (writing, now);
                        issued.push(presented.successor(listed[writing].current()));
                    }
                    // The client that lost the answer gets the very token that was in it.
                    Standing::JustReplaced => {
                        prop_assert_eq!(presented.successor(family_key).hash(), current.hash());
                    }
                    Standing::Reused => break,
                }
            }
        }

        #[test]
        fn a_forged_payload_is_not_authentic(payload in any::<[[u8; 17]; 4]>()) {
            let forged = TokenKind::RefreshToken.encode(&payload.concat());
            prop_assert!(AuthenticToken::parse(forged.expose(), &keys("A")).is_none());
        }
    }
}
