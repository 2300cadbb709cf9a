//! A registered client (RFC 6749 §2).

use std::time::Duration;

use super::{AboutClient, ClientAuthentication, ClientId, LogoutMetadata, OpenIdMetadata};
use crate::jose::Algorithm;
use crate::protocol::redirect_uri;
use crate::secret::constant_time_eq;
use crate::time::Timestamp;

/// A registered client. A process remembers many of them: what few clients have is boxed.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its identifier.
    pub id: ClientId,
    /// The name that people see on the consent page.
    pub name: String,
    /// How it proves who it is.
    pub authentication: ClientAuthentication,
    /// Web or native (RFC 8252).
    pub application_type: ApplicationType,
    /// Registered redirect URIs, compared as strings.
    pub redirect_uris: Vec<String>,
    /// Grants it may use at the token endpoint.
    pub grant_types: Vec<GrantType>,
    /// Scopes it may ask for, restricted ones among them.
    pub scopes: Vec<String>,
    /// Resource identifiers that it may get tokens for (RFC 8707).
    pub audiences: Vec<String>,
    /// Resource identifiers that it *is*: it may introspect tokens for them (RFC 7662 §4).
    pub resource_servers: Vec<String>,
    /// Lifetime of its access tokens; `None`: as configured.
    pub access_token_lifetime: Option<Duration>,
    /// A refresh token not used for this long ends; `None`: as configured.
    pub refresh_idle_lifetime: Option<Duration>,
    /// A grant ends after this long even when refreshed; `None`: as configured.
    pub refresh_absolute_lifetime: Option<Duration>,
    /// Whether a refresh token is replaced at each use; always so for public clients.
    pub rotate_refresh_tokens: bool,
    /// Whether `code_challenge` is required; always so for public clients (RFC 9700 §2.1.1).
    pub require_pkce: bool,
    /// What its access tokens are signed with; `None`: RS256.
    pub access_token_signing_alg: Option<Algorithm>,
    /// What its ID tokens are signed with (OpenID Connect Registration §2); `None`: RS256.
    pub id_token_signed_response_alg: Option<Algorithm>,
    /// What introspection answers for it are signed with (RFC 9701 §6); `None`: RS256, where it asks for a JWT.
    pub introspection_signed_response_alg: Option<Algorithm>,
    /// What people are shown of it; `None`: nothing but its name.
    pub about: Option<Box<AboutClient>>,
    /// What it asks of ID tokens and UserInfo answers.
    pub openid: OpenIdMetadata,
    /// What happens to it when a session ends; `None`: nothing that it asked for.
    pub logout: Option<Box<LogoutMetadata>>,
    /// Whether it is the operator's own, so that nobody is asked for consent.
    pub skip_consent: bool,
    /// Whether it registered itself and no operator has vouched for it since (RFC 7591).
    pub self_registered: bool,
    /// Its registration access tokens; `None`: it has none.
    pub registration_tokens: Option<Box<RegistrationTokens>>,
    /// Since when it is switched off.
    pub disabled_at: Option<Timestamp>,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// SHA-256 of the tokens by which a client reads, changes and deletes its registration (RFC 7592).
#[derive(Debug, Clone)]
pub struct RegistrationTokens {
    /// Of the newest.
    pub newest: [u8; 32],
    /// Of the one before, which is good until the newest is used.
    pub previous: Option<[u8; 32]>,
}

impl RegistrationTokens {
    /// Whether this is the newest token's hash.
    pub fn is_newest(&self, hash: &[u8; 32]) -> bool {
        constant_time_eq(hash, &self.newest)
    }

    fn is_previous(&self, hash: &[u8; 32]) -> bool {
        self.previous.as_ref().is_some_and(|previous| constant_time_eq(hash, previous))
    }
}

impl Client {
    /// Whether the registration access token with this hash lets somebody read, change and delete the registration.
    /// One that an operator has vouched for or switched off does not manage itself.
    pub fn is_managed_with(&self, hash: &[u8; 32]) -> bool {
        let tokens = self.registration_tokens.as_ref();
        self.self_registered
            && self.disabled_at.is_none()
            && tokens.is_some_and(|tokens| tokens.is_newest(hash) || tokens.is_previous(hash))
    }

    /// What people are shown of it.
    pub fn about(&self) -> &AboutClient {
        static NOTHING: AboutClient = AboutClient::NOTHING;
        self.about.as_deref().unwrap_or(&NOTHING)
    }

    /// What happens to it when a session ends.
    pub fn logout(&self) -> &LogoutMetadata {
        static NOTHING: LogoutMetadata = LogoutMetadata::NOTHING;
        self.logout.as_deref().unwrap_or(&NOTHING)
    }

    /// Whether it can keep a secret or a key, and so prove who it is (RFC 6749 §2.1).
    pub fn is_confidential(&self) -> bool {
        self.authentication != ClientAuthentication::Public
    }

    /// Whether an answer to this redirect URI surely reaches this client and no program that poses as it: only then may
    /// it get one without asking the person each time (RFC 9700 §4.15, RFC 8252 §8.6).
    pub fn is_recognized_at(&self, redirect_uri: &str) -> bool {
        self.application_type == ApplicationType::Web
            && (self.is_confidential() || redirect_uri::is_verified_https(redirect_uri))
            && (!self.self_registered || self.is_in_one_place())
    }

    /// Whether people are shown the same address for all of its redirect URIs. Where nobody has looked at them, an
    /// address that people know may stand beside a stranger's: agreeing to the one is not agreeing to the other.
    fn is_in_one_place(&self) -> bool {
        let mut places = self.redirect_uris.iter().map(|uri| redirect_uri::host_for_display(uri));
        let first = places.next();
        places.all(|place| Some(place) == first)
    }

    /// Whether it may use this grant.
    pub fn allows_grant(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }
}

macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] #[value(name = $text)] $variant),+
        }

        impl $name {
            /// All values, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// As the specifications write it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The reverse of [`Self::as_str`].
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

text_enum! {
    /// OpenID Connect Registration §2 `application_type`.
    ApplicationType {
        /// Runs on a server or in a browser; redirect URIs match exactly.
        Web = "web",
        /// Runs on a device; the port of a loopback redirect URI is free (RFC 8252 §7.3).
        Native = "native",
    }
}

text_enum! {
    /// OpenID Connect Registration §2 `subject_type`.
    SubjectType {
        /// All clients see the same `sub`.
        Public = "public",
        /// The clients of each sector see another `sub`.
        Pairwise = "pairwise",
    }
}

text_enum! {
    /// How a client authenticates at the token endpoint (RFC 7591 §2).
    AuthMethod {
        /// HTTP Basic (RFC 6749 §2.3.1).
        ClientSecretBasic = "client_secret_basic",
        /// Parameters of the form (RFC 6749 §2.3.1).
        ClientSecretPost = "client_secret_post",
        /// An assertion under the secret (OpenID Connect Core §9).
        ClientSecretJwt = "client_secret_jwt",
        /// An assertion under a private key (OpenID Connect Core §9).
        PrivateKeyJwt = "private_key_jwt",
        /// A public client.
        None = "none",
    }
}

text_enum! {
    /// Grants of the token endpoint.
    GrantType {
        /// RFC 6749 §4.1.
        AuthorizationCode = "authorization_code",
        /// RFC 6749 §6.
        RefreshToken = "refresh_token",
        /// RFC 6749 §4.4.
        ClientCredentials = "client_credentials",
    }
}
