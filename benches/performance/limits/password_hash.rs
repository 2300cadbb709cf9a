//! Argon2id as Grantor's defaults want it, in memory that is used again.

use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::{Reached, on_each_core};
use crate::cores::Cores;

pub fn measure(cores: &Cores, duration: Duration) -> Reached {
    on_each_core(cores, duration, || {
        let parameters = Params::new(19_456, 2, 1, Some(32)).expect("sound parameters");
        let mut memory = vec![Block::new(); parameters.block_count()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
        move || {
            let mut output = [0; 32];
            argon2
                .hash_password_into_with_memory(
                    b"a password",
                    b"sixteen bytes at",
                    &mut output,
                    memory.as_mut_slice(),
                )
                .expect("it hashes");
        }
    })
}
