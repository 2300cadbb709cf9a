//! The claims about a person that OpenID Connect Core §5.1 defines, and the scope that releases each (§5.4).

use super::scope::{ADDRESS, EMAIL, PHONE, PROFILE};

/// A claim that OpenID Connect Core §5.1 defines.
#[derive(Debug)]
pub struct StandardClaim {
    /// Its name.
    pub name: &'static str,
    /// The scope that releases it.
    pub scope: &'static str,
    /// What an app learns by it, as the consent page says it.
    pub description: &'static str,
}

const fn claim(name: &'static str, scope: &'static str, description: &'static str) -> StandardClaim {
    StandardClaim { name, scope, description }
}

/// All of them but `sub`, which every answer has.
pub const STANDARD_CLAIMS: [StandardClaim; 19] = [
    claim("name", PROFILE, "See your full name"),
    claim("given_name", PROFILE, "See your first name"),
    claim("family_name", PROFILE, "See your last name"),
    claim("middle_name", PROFILE, "See your middle name"),
    claim("nickname", PROFILE, "See your nickname"),
    claim("preferred_username", PROFILE, "See your user name"),
    claim("profile", PROFILE, "See the address of your profile page"),
    claim("picture", PROFILE, "See your picture"),
    claim("website", PROFILE, "See the address of your web site"),
    claim("gender", PROFILE, "See your gender"),
    claim("birthdate", PROFILE, "See your date of birth"),
    claim("zoneinfo", PROFILE, "See your time zone"),
    claim("locale", PROFILE, "See your language and region"),
    claim("updated_at", PROFILE, "See when your details were last changed"),
    claim("email", EMAIL, "See your e-mail address"),
    claim("email_verified", EMAIL, "See whether your e-mail address was checked"),
    claim("address", ADDRESS, "See your postal address"),
    claim("phone_number", PHONE, "See your phone number"),
    claim("phone_number_verified", PHONE, "See whether your phone number was checked"),
];

/// Names that mean something else in a token or an answer: RFC 7519 §4.1 and the registry that it began, as far as
/// its names are used with OAuth and OpenID Connect.
const TAKEN: [&str; 35] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "azp",
    "nonce",
    "auth_time",
    "at_hash",
    "c_hash",
    "s_hash",
    "acr",
    "amr",
    "sub_jwk",
    "cnf",
    "sid",
    "events",
    "toe",
    "txn",
    "act",
    "may_act",
    "scope",
    "client_id",
    "active",
    "token_type",
    "username",
    "token_introspection",
    "authorization_details",
    "roles",
    "vot",
    "vtm",
    "_claim_names",
    "_claim_sources",
];

/// The standard claim of this name.
pub fn standard_claim(name: &str) -> Option<&'static StandardClaim> {
    STANDARD_CLAIMS.iter().find(|claim| claim.name == name)
}

/// Whether no operator may give this name a meaning of their own.
pub fn is_taken(name: &str) -> bool {
    standard_claim(name).is_some() || TAKEN.contains(&name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_scope_releases_what_the_specification_says() {
        let of = |scope: &str| -> Vec<&str> {
            STANDARD_CLAIMS.iter().filter(|claim| claim.scope == scope).map(|claim| claim.name).collect()
        };
        // OpenID Connect Core §5.4.
        assert_eq!(of("email"), ["email", "email_verified"]);
        assert_eq!(of("address"), ["address"]);
        assert_eq!(of("phone"), ["phone_number", "phone_number_verified"]);
        let profile = "name family_name given_name middle_name nickname preferred_username profile picture \
                       website gender birthdate zoneinfo locale updated_at";
        let (said, is): (BTreeSet<_>, BTreeSet<_>) =
            (profile.split_whitespace().collect(), of("profile").into_iter().collect());
        assert_eq!(said, is);
    }

    #[test]
    fn nothing_of_a_token_is_free() {
        for name in
            ["iss", "sub", "aud", "exp", "sid", "roles", "scope", "cnf", "email", "name", "updated_at"]
        {
            assert!(is_taken(name), "{name}");
        }
        assert!(!is_taken("groups") && !is_taken("Sub") && !is_taken("https://example.com/sub"));
    }
}
