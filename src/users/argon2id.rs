//! Argon2id (RFC 9106) in PHC strings.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};

use super::password::NewPassword;
use crate::config::Passwords;
use crate::secret::{Secret, constant_time_eq, random_bytes, sha256};

/// Bytes of hash in what is written.
const OUTPUT_BYTES: usize = 32;

/// What a hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes. They are computed one after the other.
    pub parallelism: u32,
}

impl From<&Passwords> for Cost {
    fn from(settings: &Passwords) -> Self {
        let Passwords { memory_kib, iterations, parallelism, .. } = *settings;
        Self { memory_kib, iterations, parallelism }
    }
}

/// The cost is out of Argon2's range.
#[derive(Debug, thiserror::Error)]
#[error("Argon2id does not work with these parameters: {0}")]
pub struct CostError(argon2::Error);

/// What a check of a password says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Correct {
        /// Whether the stored hash was made with another algorithm or cost than configured.
        needs_rehash: bool,
    },
    /// It is not, or there is none.
    Wrong,
}

/// The configured parameters, and memory that is used again for each hash.
#[derive(Clone)]
pub(super) struct Argon2id {
    parameters: Params,
    memory: Vec<Block>,
}

impl Argon2id {
    /// With what new hashes cost.
    pub fn new(cost: Cost) -> Result<Self, CostError> {
        let Cost { memory_kib, iterations, parallelism } = cost;
        let parameters =
            Params::new(memory_kib, iterations, parallelism, Some(OUTPUT_BYTES)).map_err(CostError)?;
        Ok(Self { parameters, memory: Vec::new() })
    }

    /// A PHC string of this password with a fresh salt; `None` where memory or the format fails.
    pub fn hash(&mut self, password: &NewPassword) -> Option<Secret<String>> {
        let salt: [u8; 16] = random_bytes();
        let parameters = self.parameters.clone();
        let mut output = [0; OUTPUT_BYTES];
        self.compute(Argon2::from(&parameters), &parameters, password.normalized(), &salt, &mut output)?;
        let hash = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&parameters).ok()?,
            salt: Some(Salt::new(&salt).ok()?),
            hash: Some(Output::new(&output).ok()?),
        };
        Some(Secret::new(hash.to_string()))
    }

    /// Checks a password against a PHC string; against none it takes as long.
    pub fn verify(&mut self, password: &Secret<String>, stored: Option<&Secret<String>>) -> Verdict {
        let Some(stored) = stored else {
            self.spend_as_much_as_a_check(password);
            return Verdict::Wrong;
        };
        let checked = Stored::parse(stored.expose()).and_then(|stored| {
            let mut output = vec![0; stored.output.len()];
            let argon2 = Argon2::new(stored.algorithm, stored.version, stored.parameters.clone());
            self.compute(argon2, &stored.parameters, password, &stored.salt, &mut output)?;
            let correct = constant_time_eq(&output, &stored.output);
            Some((correct, stored.differs_from(&self.parameters)))
        });
        match checked {
            Some((true, needs_rehash)) => Verdict::Correct { needs_rehash },
            Some((false, _)) => Verdict::Wrong,
            None => {
                tracing::error!("a stored password hash cannot be read: nobody can sign in with it");
                Verdict::Wrong
            }
        }
    }

    fn spend_as_much_as_a_check(&mut self, password: &Secret<String>) {
        let parameters = self.parameters.clone();
        let salt = sha256(b"no such account");
        self.compute(Argon2::from(&parameters), &parameters, password, &salt, &mut [0; OUTPUT_BYTES]);
    }

    fn compute(
        &mut self,
        argon2: Argon2<'_>,
        parameters: &Params,
        password: &Secret<String>,
        salt: &[u8],
        output: &mut [u8],
    ) -> Option<()> {
        if self.memory.len() < parameters.block_count() {
            self.memory.resize(parameters.block_count(), Block::new());
        }
        let password = password.expose().as_bytes();
        argon2.hash_password_into_with_memory(password, salt, output, self.memory.as_mut_slice()).ok()
    }
}

/// A PHC string, taken apart.
struct Stored {
    algorithm: Algorithm,
    version: Version,
    parameters: Params,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Stored {
    fn parse(text: &str) -> Option<Self> {
        let hash = PasswordHash::new(text).ok()?;
        Some(Self {
            algorithm: Algorithm::try_from(hash.algorithm.as_str()).ok()?,
            version: hash.version.map_or(Some(Version::V0x10), |version| Version::try_from(version).ok())?,
            parameters: Params::try_from(&hash).ok()?,
            salt: hash.salt.as_ref()?.to_vec(),
            output: hash.hash?.as_bytes().to_vec(),
        })
    }

    fn differs_from(&self, wanted: &Params) -> bool {
        self.algorithm != Algorithm::Argon2id || self.version != Version::V0x13 || self.parameters != *wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 64, iterations: 1, parallelism: 1 };

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn hash(cost: Cost, password: &str) -> Secret<String> {
        let password = NewPassword::check(&secret(password), 8, "alice", "alice@example.com").unwrap();
        Argon2id::new(cost).unwrap().hash(&password).unwrap()
    }

    #[test]
    fn two_hashes_of_one_password_differ() {
        assert_ne!(hash(CHEAP, "correct horse"), hash(CHEAP, "correct horse"));
    }

    #[test]
    fn another_cost_asks_for_a_new_hash() {
        for cost in [
            Cost { memory_kib: 128, ..CHEAP },
            Cost { iterations: 2, ..CHEAP },
            Cost { parallelism: 2, ..CHEAP },
        ] {
            let stored = hash(cost, "correct horse");
            let verdict = Argon2id::new(CHEAP).unwrap().verify(&secret("correct horse"), Some(&stored));
            assert_eq!(verdict, Verdict::Correct { needs_rehash: true }, "{cost:?}");
        }
    }

    #[test]
    fn a_hash_of_another_program_works_until_it_is_replaced() {
        let parameters = Params::new(256, 2, 1, Some(24)).unwrap();
        let mut output = [0; 24];
        let argon2i = Argon2::new(Algorithm::Argon2i, Version::V0x10, parameters);
        argon2i.hash_password_into(b"password", b"somesalt", &mut output).unwrap();
        let output = Output::new(&output).unwrap();
        let stored = Secret::new(format!("$argon2i$v=16$m=256,t=2,p=1$c29tZXNhbHQ${output}"));
        let mut argon2id = Argon2id::new(CHEAP).unwrap();
        let correct = Verdict::Correct { needs_rehash: true };
        assert_eq!(argon2id.verify(&secret("password"), Some(&stored)), correct);
        assert_eq!(argon2id.verify(&secret("Password"), Some(&stored)), Verdict::Wrong);
    }

    #[test]
    fn what_is_not_a_hash_fits_no_password() {
        for stored in ["", "password", "$argon2id$v=19$m=64,t=1,p=1$", "$2b$12$abcdefghijklmnopqrstuv"] {
            let verdict = Argon2id::new(CHEAP).unwrap().verify(&secret("password"), Some(&secret(stored)));
            assert_eq!(verdict, Verdict::Wrong, "{stored:?}");
        }
    }
}
