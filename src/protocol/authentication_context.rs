//! How a person has proved who they are, and whether that is what a client demands (OpenID Connect Core §2, §5.5.1.1).

use serde_json::Value;

use super::AuthorizationError;
use super::claims_request::{ClaimsRequest, RequestedClaim};

/// The `acr` of a sign-in by password: one factor.
pub const PASSWORD_ACR: &str = "1";

/// The `amr` of a sign-in by password (RFC 8176 §2).
pub const PASSWORD_AMR: &[&str] = &["pwd"];

/// The `acr` values that a person can reach here.
pub const ACR_VALUES_SUPPORTED: &[&str] = &[PASSWORD_ACR];

/// Holds an essential `acr` of the ID token against what a person can reach here. `acr_values`, and an `acr` that is not
/// essential, are a wish and need no check.
///
/// # Errors
/// `unmet_authentication_requirements`: §5.5.1.1 has it treated as a failed sign-in, and signing in again would change
/// nothing.
pub fn check_essential_acr(claims: &ClaimsRequest) -> Result<(), AuthorizationError> {
    let is_met =
        |acr: &RequestedClaim| ACR_VALUES_SUPPORTED.iter().any(|value| acr.admits(&Value::from(*value)));
    if claims.id_token.get("acr").is_none_or(|acr| !acr.essential || is_met(acr)) {
        return Ok(());
    }
    Err(AuthorizationError::unmet_authentication_requirements(
        "none of the essential 'acr' values can be reached here: see acr_values_supported in the metadata",
    ))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::protocol::AuthorizationErrorCode;

    #[rstest]
    #[case::not_asked_for(r#"{"id_token":{"auth_time":{"essential":true}}}"#, true)]
    #[case::whatever_there_is(r#"{"id_token":{"acr":{"essential":true}}}"#, true)]
    #[case::the_one(r#"{"id_token":{"acr":{"essential":true,"value":"1"}}}"#, true)]
    #[case::among_others(r#"{"id_token":{"acr":{"essential":true,"values":["phr","1"]}}}"#, true)]
    #[case::a_wish(r#"{"id_token":{"acr":{"values":["phr"]}}}"#, true)]
    #[case::of_userinfo(r#"{"userinfo":{"acr":{"essential":true,"value":"phr"}}}"#, true)]
    #[case::another(r#"{"id_token":{"acr":{"essential":true,"value":"phr"}}}"#, false)]
    #[case::several_others(r#"{"id_token":{"acr":{"essential":true,"values":["phr","phrh"]}}}"#, false)]
    #[case::something_like_it(r#"{"id_token":{"acr":{"essential":true,"values":["01","1 ","",1]}}}"#, false)]
    fn an_essential_acr_is_met_by_one_of_its_values(#[case] claims: &str, #[case] met: bool) {
        let checked = check_essential_acr(&ClaimsRequest::parse(claims).unwrap());
        let code = checked.err().map(|error| error.code());
        assert_eq!(code, (!met).then_some(AuthorizationErrorCode::UnmetAuthenticationRequirements));
    }
}
