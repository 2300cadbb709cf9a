//! RS256 by aws-lc-rs, with a key of 2048 bits that is parsed once.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;

use super::{Reached, on_each_core};
use crate::cores::Cores;

/// About what an access token's header and claims are.
const SIGNED_BYTES: usize = 480;

/// A key, to be measured again and again.
pub struct Signatures {
    key: KeyPair,
}

impl Signatures {
    pub fn new() -> Self {
        Self { key: KeyPair::generate(KeySize::Rsa2048).expect("a key can be made") }
    }

    pub fn measure(&self, cores: &Cores, duration: Duration) -> Reached {
        let random = SystemRandom::new();
        on_each_core(cores, duration, || {
            let mut signature = vec![0; self.key.public_modulus_len()];
            let signed = [b'.'; SIGNED_BYTES];
            let random = &random;
            move || self.key.sign(&RSA_PKCS1_SHA256, random, &signed, &mut signature).expect("it signs")
        })
    }
}
