//! Why a token or key was not accepted.

/// Why a JWT or JWK was refused. For logs: a client learns no more than that the token is not valid.
#[derive(Debug, thiserror::Error)]
pub enum JoseError {
    /// Longer than any token that Grantor makes.
    #[error("the token is longer than {limit} bytes")]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Not three parts of unpadded base64url with a JSON object in the first two (RFC 7515 §7.1).
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// The header is not exactly `alg`, `typ` and `kid`: `crit`, `jwk`, `jku`, `x5u`, `x5c` and the like
    /// are neither used nor fetched (RFC 8725 §3.10).
    #[error("the token's header is not one of ours")]
    Header(#[source] serde_json::Error),
    /// No published key has this `kid`.
    #[error("no published key has the token's kid")]
    UnknownKey,
    /// The header's `alg` is not the one of the key (RFC 8725 §3.1).
    #[error("the token's alg is not that of its key")]
    WrongAlgorithm,
    /// The header's `typ` is that of another kind of token (RFC 8725 §3.11).
    #[error("the token is not of type {expected}")]
    WrongType {
        /// The expected `typ`.
        expected: &'static str,
    },
    /// The signature does not match.
    #[error("the token's signature does not match")]
    Signature,
    /// The claims are not what is expected, or cannot be written.
    #[error("the token's claims: {0}")]
    Claims(#[source] serde_json::Error),
    /// A public key is unusable.
    #[error("the public key is unusable: {0}")]
    Key(&'static str),
}
