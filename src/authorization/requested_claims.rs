//! Claims that are asked for by name (OpenID Connect Core §5.5), as far as the person may let the client have them.

use std::collections::BTreeMap;

use crate::clients::{ClaimCatalogue, ScopeCatalogue};
use crate::model::Role;
use crate::protocol::scope::OPENID;
use crate::protocol::{ClaimsRequest, RequestedClaims};

/// What a request asks for by name, without what the client cannot have in any case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantableClaims {
    /// What the grant remembers: what UserInfo is to return beyond what the scopes release, and what the ID token is.
    pub request: ClaimsRequest,
    /// Those that none of the granted scopes releases, so that the person has to be told of them: name, and the scope
    /// that would release it.
    beyond_scopes: BTreeMap<String, String>,
}

/// Who may have and give what.
#[derive(Clone, Copy)]
pub struct Bounds<'a> {
    /// The scopes that the client is registered for.
    pub registered: &'a [String],
    /// The person's roles.
    pub roles: &'a [Role],
    /// The registered scopes.
    pub scopes: &'a ScopeCatalogue,
    /// The claims about people.
    pub claims: &'a ClaimCatalogue,
}

impl GrantableClaims {
    /// What remains of `request` beside these granted scopes: claims that there are, whose scope the client is
    /// registered for and the person may grant. Without `openid` there is neither an ID token nor UserInfo, so that
    /// nothing remains.
    pub fn of(request: &ClaimsRequest, granted: &[String], bounds: Bounds<'_>) -> Self {
        let is_granted = |scope: &str| granted.iter().any(|granted| granted == scope);
        if !is_granted(OPENID) {
            return Self::default();
        }
        let is_grantable = |scope: &str| {
            bounds.registered.iter().any(|registered| registered == scope)
                && bounds.scopes.may_grant(scope, bounds.roles)
        };
        let beyond = |name: &str| {
            bounds.claims.scope_of(name).filter(|scope| is_grantable(scope) && !is_granted(scope))
        };
        let is_beyond = |name: &str| beyond(name).is_some();
        let is_released = |name: &str| bounds.claims.scope_of(name).is_some_and(is_granted);
        let beyond_scopes =
            request.names().filter_map(|name| Some((name.to_owned(), beyond(name)?.to_owned()))).collect();
        let request = ClaimsRequest {
            userinfo: only(&request.userinfo, is_beyond),
            id_token: only(&request.id_token, |name| is_beyond(name) || is_released(name)),
        };
        Self { request, beyond_scopes }
    }

    /// Names of those that none of the granted scopes releases, in order.
    pub fn beyond_scopes(&self) -> impl Iterator<Item = &str> {
        self.beyond_scopes.keys().map(String::as_str)
    }

    /// Whether the person has agreed before to all that goes beyond the scopes of this request: to one of these claims,
    /// or to the scope that releases it.
    pub fn were_agreed_to(&self, claims: &[String], scope_counts: impl Fn(&String) -> bool) -> bool {
        self.beyond_scopes.iter().all(|(name, scope)| claims.contains(name) || scope_counts(scope))
    }
}

fn only(claims: &RequestedClaims, is_kept: impl Fn(&str) -> bool) -> RequestedClaims {
    claims
        .iter()
        .filter(|(name, _)| is_kept(name))
        .map(|(name, asked)| (name.clone(), asked.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Claim, Scope};

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn scopes() -> ScopeCatalogue {
        let scope = |name: &str, restricted| Scope {
            name: name.to_owned(),
            description: String::new(),
            restricted,
            built_in: !restricted,
        };
        let open = ["openid", "profile", "email", "phone"].map(|name| scope(name, false));
        ScopeCatalogue::new(open.into_iter().chain([scope("staff", true)]).collect())
    }

    fn claims() -> ClaimCatalogue {
        ClaimCatalogue::new(vec![Claim {
            name: "salary".to_owned(),
            scope: "staff".to_owned(),
            description: "See your salary".to_owned(),
        }])
    }

    fn remaining(request: &str, granted: &str, registered: &str, roles: &[Role]) -> GrantableClaims {
        let (scopes, claims) = (scopes(), claims());
        let registered = words(registered);
        let bounds = Bounds { registered: &registered, roles, scopes: &scopes, claims: &claims };
        GrantableClaims::of(&ClaimsRequest::parse(request).unwrap(), &words(granted), bounds)
    }

    #[test]
    fn what_remains_is_what_the_client_may_have_and_the_person_may_give() {
        let all = "openid profile email phone staff";
        let boss = [Role { name: "boss".to_owned(), scopes: words("staff") }];
        type Row<'a> = (&'a str, &'a str, &'a str, &'a [Role], &'a str, &'a str, &'a str);
        let table: [Row<'_>; 10] = [
            // asked for in both members, granted, registered, roles: UserInfo, ID token, beyond the scopes
            ("name email", "openid profile", all, &[], "email", "name email", "email"),
            ("name email", "openid", all, &[], "name email", "name email", "name email"),
            ("name email", "openid profile email", all, &[], "", "name email", ""),
            // A claim of a scope that the client is not registered for is no client's by its name.
            ("name email", "openid profile", "openid profile", &[], "", "name", ""),
            ("phone_number", "openid", "openid", &[], "", "", ""),
            // A restricted scope goes with a role, and so do its claims.
            ("salary", "openid", all, &[], "", "", ""),
            ("salary", "openid", all, &boss, "salary", "salary", "salary"),
            // What nobody knows, and what is no claim about a person.
            ("sub acr auth_time nonsense name#ja", "openid", all, &[], "", "", ""),
            ("name", "profile", all, &[], "", "", ""),
            ("", "openid", all, &[], "", "", ""),
        ];
        for (asked, granted, registered, roles, userinfo, id_token, beyond) in table {
            let members: Vec<_> = words(asked).iter().map(|name| format!("\"{name}\":null")).collect();
            let members = members.join(",");
            let request = format!("{{\"userinfo\":{{{members}}},\"id_token\":{{{members}}}}}");
            let remaining = remaining(&request, granted, registered, roles);
            let sorted = |text| {
                let mut words = words(text);
                words.sort();
                words
            };
            let names = |claims: &RequestedClaims| claims.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&remaining.request.userinfo), sorted(userinfo), "{asked}; {granted}");
            assert_eq!(names(&remaining.request.id_token), sorted(id_token), "{asked}; {granted}");
            assert_eq!(remaining.beyond_scopes().collect::<Vec<_>>(), sorted(beyond), "{asked}; {granted}");
        }
    }

    #[test]
    fn consent_on_file_covers_the_claims_that_were_shown_and_those_of_scopes_that_were() {
        let asked = remaining(
            r#"{"userinfo":{"email":null},"id_token":{"phone_number":null}}"#,
            "openid",
            "openid email phone",
            &[],
        );
        for (scopes, claims, agreed) in [
            ("", "", false),
            ("openid", "", false),
            ("openid", "email", false),
            ("openid", "email phone_number", true),
            ("openid email", "phone_number", true),
            ("openid email phone", "", true),
            ("openid profile", "name email", false),
        ] {
            let (scopes, claims) = (words(scopes), words(claims));
            let agreed_to = asked.were_agreed_to(&claims, |scope| scopes.contains(scope));
            assert_eq!(agreed_to, agreed, "{scopes:?} {claims:?}");
        }
        assert!(GrantableClaims::default().were_agreed_to(&[], |_| false));
    }
}
