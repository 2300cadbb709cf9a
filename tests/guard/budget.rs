//! Budgets, kept in the repository, and how counts compare with them.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::cost::Cost;

/// What a request of each kind may cost, and the toolchain for which that holds.
#[derive(Debug, Serialize, Deserialize)]
pub struct Budget {
    toolchain: Toolchain,
    per_request: BTreeMap<String, u64>,
}

/// Another compiler makes other code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolchain {
    pub rustc: String,
    pub architecture: String,
}

/// How far a count may be off its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    Count(u64),
    Percent(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Within,
    Above,
    /// It has become cheaper, and the budget should follow.
    Below,
    /// There is no budget for it.
    Unknown,
}

/// What a request of one kind was counted to cost.
#[derive(Debug)]
pub struct Count {
    pub name: &'static str,
    pub counted: u64,
    pub tolerance: Tolerance,
}

/// Counts beside their budgets.
pub struct Comparison {
    /// The budgets' toolchain, where it is another.
    made_with: Option<Toolchain>,
    lines: Vec<Line>,
}

struct Line {
    name: &'static str,
    counted: u64,
    budget: Option<u64>,
    verdict: Verdict,
}

impl Toolchain {
    pub fn here() -> Self {
        let version = Command::new("rustc").arg("--version").output().unwrap().stdout;
        let rustc = String::from_utf8(version).unwrap().trim().to_owned();
        Self { rustc, architecture: std::env::consts::ARCH.to_owned() }
    }
}

impl Budget {
    /// Just what was counted.
    pub fn of(toolchain: Toolchain, counts: &[Count]) -> Self {
        let per_request = counts.iter().map(|count| (count.name.to_owned(), count.counted)).collect();
        Self { toolchain, per_request }
    }

    pub fn read(cost: Cost) -> Self {
        toml::from_str(&std::fs::read_to_string(cost.file()).unwrap()).unwrap()
    }

    pub fn write(&self, cost: Cost) {
        let text =
            format!("# Written by `script/{} --accept`.\n\n{}", cost.name(), toml::to_string(self).unwrap());
        std::fs::write(cost.file(), text).unwrap();
    }

    pub fn compare(&self, here: &Toolchain, counts: &[Count]) -> Comparison {
        let line = |count: &Count| {
            let budget = self.per_request.get(count.name).copied();
            let judge = |budget| count.tolerance.judge(budget, count.counted);
            let verdict = budget.map_or(Verdict::Unknown, judge);
            Line { name: count.name, counted: count.counted, budget, verdict }
        };
        let made_with = (*here != self.toolchain).then(|| self.toolchain.clone());
        Comparison { made_with, lines: counts.iter().map(line).collect() }
    }
}

impl Tolerance {
    pub fn judge(self, budget: u64, counted: u64) -> Verdict {
        let leeway = match self {
            Self::Count(count) => count,
            Self::Percent(percent) => budget * percent / 100,
        };
        if counted > budget + leeway {
            Verdict::Above
        } else if counted + leeway < budget {
            Verdict::Below
        } else {
            Verdict::Within
        }
    }
}

impl Comparison {
    /// Whether something has become dearer, or was never accepted.
    pub fn fails(&self) -> bool {
        let is_wrong = |line: &Line| matches!(line.verdict, Verdict::Above | Verdict::Unknown);
        self.made_with.is_none() && self.lines.iter().any(is_wrong)
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<26} {:>10} {:>10} {:>8}", "per request", "counted", "budget", "")?;
        for line in &self.lines {
            let budget = line.budget.map_or_else(|| "-".to_owned(), |budget| budget.to_string());
            let change = line.budget.map_or_else(String::new, |budget| change(budget, line.counted));
            let remark = match line.verdict {
                Verdict::Within => "",
                Verdict::Above => "  ABOVE",
                Verdict::Below => "  below: lower the budget, so that it stays so",
                Verdict::Unknown => "  without a budget",
            };
            writeln!(f, "{:<26} {:>10} {budget:>10} {change:>8}{remark}", line.name, line.counted)?;
        }
        if let Some(Toolchain { rustc, architecture }) = &self.made_with {
            writeln!(f, "Nothing is judged: the budgets were made with {rustc} for {architecture}.")?;
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
fn change(budget: u64, counted: u64) -> String {
    format!("{:+.1} %", (counted as f64 / budget as f64 - 1.0) * 100.0)
}
