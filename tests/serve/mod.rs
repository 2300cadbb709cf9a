//! `grantor serve` as a process: how it starts, what it refuses, how it is told of changes, how it ends.

mod changes;
mod first_run;
mod health;
mod refusals;
mod silence;
mod stopping;
