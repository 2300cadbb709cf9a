//! Where somebody goes on after signing in without an app: to one of our own pages, by its name. A name is no address,
//! so that no link to the sign-in page leads off.

use super::{ACCOUNT, APPS, PASSWORD, SESSIONS, SIGN_IN};

/// The parameter of the sign-in page that holds the name.
pub const PARAMETER: &str = "return_to";

/// A page that needs somebody signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnTo {
    /// The overview.
    Account,
    /// The signed-in browsers.
    Sessions,
    /// The apps with access.
    Apps,
    /// Changing the own password.
    Password,
}

impl ReturnTo {
    const ALL: [Self; 4] = [Self::Account, Self::Sessions, Self::Apps, Self::Password];

    /// The page of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.name() == name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Sessions => "sessions",
            Self::Apps => "apps",
            Self::Password => "password",
        }
    }

    /// Its path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Account => ACCOUNT,
            Self::Sessions => SESSIONS,
            Self::Apps => APPS,
            Self::Password => PASSWORD,
        }
    }

    /// The sign-in page that leads there.
    pub fn after_sign_in(self) -> String {
        format!("{SIGN_IN}?{PARAMETER}={}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_a_page_of_our_own_and_nothing_else_leads_anywhere() {
        for page in ReturnTo::ALL {
            assert_eq!(ReturnTo::named(page.name()), Some(page));
            assert!(page.path().starts_with('/') && !page.path().starts_with("//"));
        }
        for name in [
            "",
            "/account",
            "account ",
            "Account",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
        ] {
            assert_eq!(ReturnTo::named(name), None, "{name}");
        }
    }
}
