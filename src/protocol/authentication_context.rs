//! How a person has proved who they are, and whether that is what a client demands (OpenID Connect Core §2, §5.5.1.1).

use super::AuthorizationError;

/// The `acr` of a sign-in by password: one factor.
pub const PASSWORD_ACR: &str = "1";

/// The `amr` of a sign-in by password (RFC 8176 §2).
pub const PASSWORD_AMR: &[&str] = &["pwd"];

/// The `acr` values that a person can reach here.
pub const ACR_VALUES_SUPPORTED: &[&str] = &[PASSWORD_ACR];

/// Holds the `value` or `values` of an essential `acr` claim against what a person can reach here. Where none is named,
/// any will do; `acr_values` is a wish and needs no check.
///
/// # Errors
/// `unmet_authentication_requirements`: §5.5.1.1 has it treated as a failed sign-in, and signing in again would change
/// nothing.
pub fn check_essential_acr<'a>(values: impl IntoIterator<Item = &'a str>) -> Result<(), AuthorizationError> {
    let mut values = values.into_iter().peekable();
    if values.peek().is_none() || values.any(|value| ACR_VALUES_SUPPORTED.contains(&value)) {
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
    #[case::whatever_there_is(&[], true)]
    #[case::the_one(&["1"], true)]
    #[case::among_others(&["urn:mace:incommon:iap:silver", "1"], true)]
    #[case::another(&["2"], false)]
    #[case::something_like_it(&["01", "1 ", ""], false)]
    fn an_essential_acr_is_met_by_one_of_its_values(#[case] values: &[&str], #[case] met: bool) {
        let checked = check_essential_acr(values.iter().copied());
        let code = checked.err().map(|error| error.code());
        assert_eq!(code, (!met).then_some(AuthorizationErrorCode::UnmetAuthenticationRequirements));
    }
}
