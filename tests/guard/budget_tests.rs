use super::budget::{Budget, Count, Tolerance, Toolchain, Verdict};

fn toolchain(rustc: &str) -> Toolchain {
    Toolchain { rustc: rustc.to_owned(), architecture: "x86_64".to_owned() }
}

fn count(name: &'static str, counted: u64) -> Count {
    Count { name, counted, tolerance: Tolerance::Percent(5) }
}

#[test]
fn a_count_is_judged_within_its_tolerance() {
    let table = [
        (Tolerance::Count(0), 78, 78, Verdict::Within),
        (Tolerance::Count(0), 78, 79, Verdict::Above),
        (Tolerance::Count(0), 78, 77, Verdict::Below),
        (Tolerance::Count(2), 78, 80, Verdict::Within),
        (Tolerance::Count(2), 78, 81, Verdict::Above),
        (Tolerance::Count(2), 78, 75, Verdict::Below),
        (Tolerance::Percent(5), 1_000, 1_050, Verdict::Within),
        (Tolerance::Percent(5), 1_000, 1_051, Verdict::Above),
        (Tolerance::Percent(5), 1_000, 950, Verdict::Within),
        (Tolerance::Percent(5), 1_000, 949, Verdict::Below),
        (Tolerance::Percent(5), 0, 1, Verdict::Above),
    ];
    for (tolerance, budget, counted, expected) in table {
        assert_eq!(tolerance.judge(budget, counted), expected, "{tolerance:?} {budget} {counted}");
    }
}

#[test]
fn what_is_dearer_or_has_no_budget_fails_and_what_is_cheaper_is_told() {
    let here = toolchain("rustc 1.95.0");
    let budget = Budget::of(here.clone(), &[count("jwks", 1_000)]);
    let compared = |counted| budget.compare(&here, &[counted]);
    assert!(!compared(count("jwks", 1_001)).fails());
    assert!(compared(count("jwks", 1_100)).fails());
    assert!(compared(count("jwks", 1_100)).to_string().contains("ABOVE"));
    assert!(!compared(count("jwks", 900)).fails());
    assert!(compared(count("jwks", 900)).to_string().contains("lower the budget"));
    assert!(compared(count("new", 1)).fails());
    assert!(compared(count("new", 1)).to_string().contains("without a budget"));
}

#[test]
fn another_toolchain_is_told_and_judges_nothing() {
    let budget = Budget::of(toolchain("rustc 1.94.0"), &[count("jwks", 1_000)]);
    let comparison = budget.compare(&toolchain("rustc 1.95.0"), &[count("jwks", 2_000)]);
    assert!(!comparison.fails());
    assert!(comparison.to_string().contains("made with rustc 1.94.0"));
}
