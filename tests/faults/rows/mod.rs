//! The faults, one file each.

mod r01;
mod r02;
mod r03;
mod r04;
mod r05;
mod r08;
mod r09;
mod r13;
mod r15;
mod r18;
mod r19;
mod r20;
mod r22;

use std::pin::Pin;

use super::report::Report;
use super::scale::Scale;

/// A fault and what it must not do.
pub struct Row {
    pub name: &'static str,
    pub fault: &'static str,
    /// Whether it belongs to the smoke.
    pub in_smoke: bool,
    pub run: fn(Scale) -> Pin<Box<dyn Future<Output = Report>>>,
}

macro_rules! row {
    ($name:literal, $module:ident, $in_smoke:literal, $fault:literal) => {
        Row { name: $name, fault: $fault, in_smoke: $in_smoke, run: |scale| Box::pin($module::run(scale)) }
    };
}

pub const ROWS: [Row; 13] = [
    row!("R1", r01, true, "the server is killed under load"),
    row!("R2", r02, true, "a backend of PostgreSQL is killed; PostgreSQL ends without a word"),
    row!("R3", r03, false, "PostgreSQL is restarted under load"),
    row!("R4", r04, false, "no connection is free, and rows are held"),
    row!("R5", r05, false, "the way to the database is slow, then swallows everything"),
    row!("R8", r08, true, "the clock of a process jumps"),
    row!("R9", r09, false, "processes are replaced under load, behind a load balancer"),
    row!("R13", r13, false, "signing keys are rotated under load"),
    row!("R15", r15, true, "two processes, one database, a hundred requests at once"),
    row!("R18", r18, false, "three times as many requests as can be answered"),
    row!("R19", r19, false, "a storm of sign-ins"),
    row!("R20", r20, true, "ten faults, one history"),
    row!("R22", r22, true, "configurations that cannot work"),
];
