//! People: their accounts and passwords.

pub mod account;
mod argon2id;
mod attributes;
mod device;
mod known_browser;
pub mod password;
pub mod password_hasher;
mod places;
pub mod roles;
mod session;
mod sign_in;
mod throttle;

pub use account::{AccountChange, AccountError, Accounts, NewAccount, SetPasswordLink};
pub use argon2id::{Cost, CostError, Verdict};
pub use attributes::{AttributeChange, AttributeProblem};
pub use device::device;
pub use password::{NewPassword, PasswordProblem};
pub use password_hasher::{Busy, HasherError, PasswordHasher};
pub use session::SessionToken;
pub use sign_in::{Attempt, SignIn, SignInError, SignedIn};
pub use throttle::{Asker, Counted, Throttle, Waiting};
