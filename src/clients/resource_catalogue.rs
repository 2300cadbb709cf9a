//! The registered resource servers: which scopes a token for them may carry (RFC 8707 §2).

use std::collections::HashMap;

use super::ScopeCatalogue;
use crate::model::{Client, ResourceServer};

/// None of the scopes that there are is understood: a token with them would be good for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("none of the scopes is one that '{0}' understands: ask for its scopes, or for another resource")]
pub struct NothingUnderstood(String);

/// What the registered resource servers say of the scopes that they understand.
#[derive(Debug, Default)]
pub struct ResourceCatalogue {
    by_identifier: HashMap<String, ResourceServer>,
}

impl ResourceCatalogue {
    /// Indexes the resource servers.
    pub fn new(servers: Vec<ResourceServer>) -> Self {
        Self {
            by_identifier: servers.into_iter().map(|server| (server.identifier.clone(), server)).collect(),
        }
    }

    /// The name that it was given; `None`: it has none but its identifier.
    pub fn name(&self, identifier: &str) -> Option<&str> {
        let name = self.by_identifier.get(identifier)?.name.as_str();
        (name != identifier).then_some(name)
    }

    /// Whether all that this client may get tokens for is registered.
    pub fn knows_audiences_of(&self, client: &Client) -> bool {
        client.audiences.iter().all(|audience| self.by_identifier.contains_key(audience))
    }

    /// Those of `scopes` that a token for `audience` carries. RFC 8707 §2: a token for one API shall not tell of, or
    /// work for, another one's scopes.
    ///
    /// A scope stays if one of the resources understands it, or does not say which it understands. Grantor's own
    /// scopes, such as `openid`, are no API's: they stay in every token, since clients look for them in its `scope`.
    pub fn narrow(
        &self,
        audience: &[String],
        scopes: Vec<String>,
        catalogue: &ScopeCatalogue,
    ) -> Vec<String> {
        let mut understood = Vec::new();
        for resource in audience {
            // The issuer says nothing either: it is no resource server.
            let said = self.by_identifier.get(resource).and_then(|server| server.scopes.as_ref());
            let Some(said) = said else { return scopes };
            understood.extend(said);
        }
        let stays = |scope: &String| catalogue.is_built_in(scope) || understood.contains(&scope);
        scopes.into_iter().filter(stays).collect()
    }

    /// As [`Self::narrow`], for a token that is to be issued.
    ///
    /// # Errors
    /// If there were scopes and none is left. RFC 6749 §3.3 has no word for an empty scope, and §5.2 refuses what
    /// cannot be granted.
    pub fn usable(
        &self,
        audience: &[String],
        scopes: Vec<String>,
        catalogue: &ScopeCatalogue,
    ) -> Result<Vec<String>, NothingUnderstood> {
        let had_some = !scopes.is_empty();
        let narrowed = self.narrow(audience, scopes, catalogue);
        if had_some && narrowed.is_empty() {
            return Err(NothingUnderstood(audience.join("', '")));
        }
        Ok(narrowed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Scope;
    use crate::time::Timestamp;

    fn strings(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn resources() -> ResourceCatalogue {
        let server = |identifier: &str, scopes: Option<&str>| ResourceServer {
            identifier: identifier.to_owned(),
            name: identifier.to_owned(),
            scopes: scopes.map(strings),
            created_at: Timestamp::from_unix_seconds(0),
        };
        ResourceCatalogue::new(vec![
            server("urn:notes", Some("notes.read notes.write")),
            server("urn:mail", Some("mail.read email")),
            server("urn:mute", Some("")),
            server("urn:open", None),
        ])
    }

    #[test]
    fn a_token_carries_what_one_of_its_resources_understands() {
        let scope = |name: &str| Scope {
            name: name.into(),
            description: String::new(),
            restricted: false,
            built_in: true,
        };
        let catalogue = ScopeCatalogue::new(vec![scope("openid"), scope("offline_access")]);
        let all = "openid notes.read mail.read other";
        let table = [
            // audience, granted, carried
            ("urn:notes", all, "openid notes.read"),
            ("urn:mail", all, "openid mail.read"),
            ("urn:notes urn:mail", all, "openid notes.read mail.read"),
            ("urn:mail urn:notes", all, "openid notes.read mail.read"),
            // What does not say which scopes it understands is not narrowed, whatever stands beside it.
            ("urn:open", all, all),
            ("urn:notes urn:open", all, all),
            ("https://issuer", all, all),
            ("urn:notes https://issuer", all, all),
            // What says that it understands none gets none.
            ("urn:mute", all, "openid"),
            ("urn:mute", "notes.read", ""),
            ("urn:notes urn:mute", all, "openid notes.read"),
            // Nobody gets more than was granted, and strings are compared exactly.
            ("urn:notes", "openid offline_access", "openid offline_access"),
            ("urn:notes", "Notes.Read notes", ""),
            ("urn:notes", "", ""),
            ("", all, "openid"),
        ];
        for (audience, granted, carried) in table {
            let audience = strings(audience);
            let narrowed = resources().narrow(&audience, strings(granted), &catalogue);
            assert_eq!(narrowed, strings(carried), "{audience:?}: {granted}");
            // Refused is what had something to lose and lost all.
            let usable = resources().usable(&audience, strings(granted), &catalogue);
            assert_eq!(usable.is_err(), carried.is_empty() && !granted.is_empty(), "{audience:?}: {granted}");
        }
    }

    proptest! {
        #[test]
        fn narrowing_takes_away_only_and_more_resources_take_away_less(
            one in "(urn:(notes|mail|mute|open|unknown) ){0,3}",
            other in "(urn:(notes|mail|mute|open|unknown) ){0,3}",
            granted in "((openid|notes\\.read|notes\\.write|mail\\.read|email|other) ){0,6}",
        ) {
            let catalogue = ScopeCatalogue::default();
            let narrow = |audience: &str, scopes| resources().narrow(&strings(audience), scopes, &catalogue);
            let granted = strings(&granted);
            let (of_one, of_other) = (narrow(&one, granted.clone()), narrow(&other, granted.clone()));
            let of_both = narrow(&format!("{one}{other}"), granted.clone());
            // What both get is what one of them gets, in the order of the grant, and once is as good as twice.
            let expected: Vec<_> =
                granted.into_iter().filter(|scope| of_one.contains(scope) || of_other.contains(scope)).collect();
            prop_assert_eq!(&of_both, &expected);
            prop_assert_eq!(narrow(&one, of_one.clone()), of_one);
        }
    }
}
