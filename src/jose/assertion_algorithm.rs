//! Signature algorithms of clients (RFC 7518 §3.1).

/// What a client may sign an assertion with. Several names may stand for one kind of signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum, serde::Serialize)]
pub enum AssertionAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[value(name = "RS256")]
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PSS with SHA-256.
    #[value(name = "PS256")]
    #[serde(rename = "PS256")]
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    #[value(name = "ES256")]
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519 (RFC 9864 §2.2).
    #[value(name = "Ed25519")]
    #[serde(rename = "Ed25519")]
    Ed25519,
    /// Ed25519 under the name that RFC 9864 deprecates and libraries still write.
    #[value(name = "EdDSA")]
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// HMAC with SHA-256, under the client's secret.
    #[value(name = "HS256")]
    #[serde(rename = "HS256")]
    Hs256,
}

impl AssertionAlgorithm {
    /// All of them. There is no `none`.
    pub const ALL: [Self; 6] =
        [Self::Rs256, Self::Ps256, Self::Es256, Self::Ed25519, Self::EdDsa, Self::Hs256];

    /// The name in the header (RFC 7518 §3.1, RFC 9864 §2.2).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Ed25519 => "Ed25519",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }

    /// The algorithm with exactly this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// Whether the two differ at most in their name.
    pub fn is_same_signature(self, other: Self) -> bool {
        let canonical = |alg| if alg == Self::EdDsa { Self::Ed25519 } else { alg };
        canonical(self) == canonical(other)
    }

    /// Whether it is made with a key that both sides know.
    pub fn is_symmetric(self) -> bool {
        self == Self::Hs256
    }
}

impl std::fmt::Display for AssertionAlgorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
