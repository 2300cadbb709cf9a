//! Which resources an access token is for (RFC 8707), and which scopes it carries for them.

use super::Grants;
use crate::model::Client;
use crate::protocol::TokenError;

impl Grants<'_> {
    /// The scopes that a token for `audience` carries: those that its resources understand.
    ///
    /// # Errors
    /// `invalid_scope` (RFC 6749 §5.2) if there were some and none is left.
    pub(super) fn scopes_for(
        &self,
        audience: &[String],
        scopes: Vec<String>,
    ) -> Result<Vec<String>, TokenError> {
        let usable = self.registry.resources().usable(audience, scopes, &self.registry.scopes());
        usable.map_err(|nothing| TokenError::invalid_scope(nothing.to_string()))
    }
}

/// The audience of an access token: the requested resources, else those of the grant, else all that the
/// client is registered for, else the issuer.
///
/// # Errors
/// `invalid_target` (RFC 8707 §2.2) for a resource that the grant or the client's registration lacks.
pub fn audience(
    requested: &[String],
    granted: &[String],
    client: &Client,
    issuer: &str,
) -> Result<Vec<String>, TokenError> {
    let available: Vec<&String> = match granted {
        [] => client.audiences.iter().collect(),
        granted => granted.iter().filter(|resource| client.audiences.contains(resource)).collect(),
    };
    if let Some(unknown) = requested.iter().find(|resource| !available.contains(resource)) {
        return Err(TokenError::invalid_target(format!(
            "the resource '{unknown}' was not granted: ask for it in the authorization request, and register \
             it as an audience of the client"
        )));
    }
    if !requested.is_empty() {
        return Ok(requested.to_vec());
    }
    if available.is_empty() && !granted.is_empty() {
        return Err(TokenError::invalid_target(
            "none of the granted resources is registered for this client any more: authorize again",
        ));
    }
    if available.is_empty() {
        return Ok(vec![issuer.to_owned()]);
    }
    Ok(available.into_iter().cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::samples;

    fn client(audiences: &[&str]) -> Client {
        Client { audiences: strings(audiences), ..samples::client() }
    }

    fn strings(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn the_audience_is_what_was_asked_for_else_what_was_granted_else_all_else_the_issuer() {
        type Row<'a> = (&'a [&'a str], &'a [&'a str], &'a [&'a str], Option<&'a [&'a str]>);
        let table: [Row<'_>; 10] = [
            // requested, granted, registered, audience
            (&[], &[], &[], Some(&["iss"])),
            (&[], &[], &["a", "b"], Some(&["a", "b"])),
            (&[], &["a"], &["a", "b"], Some(&["a"])),
            (&["a"], &["a", "b"], &["a", "b"], Some(&["a"])),
            (&["a"], &[], &["a", "b"], Some(&["a"])),
            (&["b"], &["a"], &["a", "b"], None),
            (&["c"], &[], &["a", "b"], None),
            (&["iss"], &[], &[], None),
            (&[], &["a"], &["b"], None),
            (&["a"], &["a"], &["b"], None),
        ];
        for (requested, granted, registered, expected) in table {
            let got = audience(&strings(requested), &strings(granted), &client(registered), "iss").ok();
            assert_eq!(got, expected.map(strings), "{requested:?} {granted:?} {registered:?}");
        }
    }
}
