//! The rule of a refresh token family once more, in its own words: numbers, times and what has happened. It knows
//! nothing of tokens, hashes, keys or statements.

/// Seconds in which a predecessor is answered with its successor, where the server is not strict.
pub const WINDOW: u32 = 300;
/// Seconds after which a family that is not used ends.
pub const IDLE: u32 = 1_100;
/// Seconds after which it ends in any case.
pub const ABSOLUTE: u32 = 3_100;
/// Time passes in steps of this, and nothing ends within half a step of the end of one: what the test itself
/// needs of time changes no answer.
pub const STEP: u32 = 200;
/// `refresh_token_expires_in` is compared in these, rounded up.
pub const GRAIN: u32 = 100;

/// How the family's client is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Confidential,
    Public,
    /// Confidential and without rotation.
    Keeping,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    Owner,
    /// Somebody with the owner's identifier and a wrong secret.
    Impostor,
    /// Another confidential client.
    Other,
}

/// A refresh token: so many generations before the newest that was known when it was presented, with one bit
/// changed or as it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented {
    pub back: u32,
    pub changed_bit: Option<usize>,
}

/// The `scope` of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Left,
    AllThatWasGranted,
    Narrower,
    NeverAskedFor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Refresh {
        caller: Caller,
        token: Presented,
        scope: Scope,
    },
    /// Introspection of a refresh token by its client.
    AskRefreshToken(Presented),
    /// Introspection of one of the access tokens given so far, by a resource server.
    AskAccessToken(usize),
    Revoke {
        caller: Caller,
        token: Presented,
    },
    SignOut,
    ChangePassword,
    DisablePerson,
    EnablePerson,
    TakeConsentBack,
    DisableClient,
    EnableClient,
    /// So many seconds pass.
    Wait(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Tokens { generation: u32, expires_in: u32, narrowed: bool },
    Active,
    Inactive,
    Done,
    InvalidGrant,
    InvalidScope,
    InvalidClient,
    UnauthorizedClient,
}

/// A family, and all that its life depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Family {
    pub window: u32,
    pub kind: Kind,
    /// Whether it outlives the session in which it was approved.
    pub offline: bool,
    pub generation: u32,
    now: u32,
    rotated_at: u32,
    idle_until: u32,
    /// Nothing brings back what has ended.
    ended: bool,
    client_disabled: bool,
}

impl Family {
    /// As it is when its code was redeemed.
    pub fn new(window: u32, kind: Kind, offline: bool) -> Self {
        Self {
            window,
            kind,
            offline,
            generation: 0,
            now: 0,
            rotated_at: 0,
            idle_until: IDLE,
            ended: false,
            client_disabled: false,
        }
    }

    /// What is answered, and what becomes of the family. `newest` is the newest generation that was known to
    /// whoever asks.
    pub fn answer(&mut self, operation: &Operation, newest: u32) -> Answer {
        match *operation {
            Operation::Refresh { caller, token, scope } => self.refresh(caller, token, scope, newest),
            Operation::AskRefreshToken(token) => self.ask_refresh_token(token, newest),
            Operation::AskAccessToken(_) if self.lives() => Answer::Active,
            Operation::AskAccessToken(_) => Answer::Inactive,
            Operation::Revoke { caller, token } => self.revoke(caller, token),
            Operation::SignOut => self.end_if(!self.offline),
            Operation::ChangePassword | Operation::DisablePerson | Operation::TakeConsentBack => {
                self.end_if(true)
            }
            Operation::EnablePerson => Answer::Done,
            Operation::DisableClient | Operation::EnableClient => {
                self.client_disabled = *operation == Operation::DisableClient;
                Answer::Done
            }
            Operation::Wait(seconds) => {
                self.now += seconds;
                Answer::Done
            }
        }
    }

    fn refresh(&mut self, caller: Caller, token: Presented, scope: Scope, newest: u32) -> Answer {
        if !self.is_authenticated(caller) {
            return Answer::InvalidClient;
        }
        if caller == Caller::Other || token.changed_bit.is_some() {
            return Answer::InvalidGrant;
        }
        let presented = newest.saturating_sub(token.back);
        let is_current = presented == self.generation;
        let is_just_replaced =
            presented + 1 == self.generation && self.window > 0 && self.now <= self.rotated_at + self.window;
        if !is_current && !is_just_replaced {
            self.ended = true;
        }
        if !self.lives() || self.now >= self.idle_until {
            return Answer::InvalidGrant;
        }
        if scope == Scope::NeverAskedFor {
            return Answer::InvalidScope;
        }
        if is_current {
            self.idle_until = self.now + IDLE;
        }
        if is_current && self.kind != Kind::Keeping {
            (self.generation, self.rotated_at) = (self.generation + 1, self.now);
        }
        Answer::Tokens {
            generation: self.generation,
            expires_in: self.idle_until.min(ABSOLUTE) - self.now,
            narrowed: scope == Scope::Narrower,
        }
    }

    fn ask_refresh_token(&self, token: Presented, newest: u32) -> Answer {
        let is_current = newest.saturating_sub(token.back) == self.generation && token.changed_bit.is_none();
        // A public client cannot ask, and nobody else is told.
        if self.kind != Kind::Public && self.client_disabled {
            return Answer::InvalidClient;
        }
        let is_told = self.kind != Kind::Public;
        let is_good = is_told && is_current && self.lives() && self.now < self.idle_until;
        if is_good { Answer::Active } else { Answer::Inactive }
    }

    fn revoke(&mut self, caller: Caller, token: Presented) -> Answer {
        match caller {
            caller if !self.is_authenticated(caller) => Answer::InvalidClient,
            _ if token.changed_bit.is_some() => Answer::Done,
            Caller::Other => Answer::UnauthorizedClient,
            _ => self.end_if(true),
        }
    }

    fn is_authenticated(&self, caller: Caller) -> bool {
        match caller {
            Caller::Owner => !self.client_disabled,
            Caller::Impostor => false,
            Caller::Other => true,
        }
    }

    fn end_if(&mut self, it_ends: bool) -> Answer {
        self.ended |= it_ends;
        Answer::Done
    }

    fn lives(&self) -> bool {
        !self.ended && !self.client_disabled && self.now < ABSOLUTE
    }
}
