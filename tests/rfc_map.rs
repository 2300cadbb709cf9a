//! `docs/rfc-map.md` and `docs/threat-model.md` say the truth: what they name exists, and what the sources cite stands
//! in the map.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const MAP: &str = include_str!("../docs/rfc-map.md");
const THREATS: &str = include_str!("../docs/threat-model.md");
const CASES: std::ops::RangeInclusive<u32> = 1..=88;

/// A line of a table: its cells.
fn rows(map: &str) -> Vec<Vec<&str>> {
    map.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").collect::<Vec<_>>())
        .filter(|cells| !["Clause", "Case", "Attack"].contains(&cells[0]))
        .collect()
}

/// Rows of the tables of clauses: clause, meaning, where, tests.
fn clauses(map: &str) -> Vec<[&str; 4]> {
    rows(map).into_iter().filter_map(|cells| cells.try_into().ok()).collect()
}

/// Rows of the table of attacks: number, what is tried, tests.
fn cases(map: &str) -> Vec<[&str; 3]> {
    rows(map).into_iter().filter_map(|cells| cells.try_into().ok()).collect()
}

/// What stands in backquotes.
pub fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The specifications that a text cites: `RFC 6749`, `OAuth 2.1`, `OpenID Connect Core`, `RP-Initiated Logout`.
fn cited(text: &str) -> BTreeSet<String> {
    let mut cited = BTreeSet::new();
    for rest in text.split("RFC ").skip(1) {
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        if !number.is_empty() {
            cited.insert(format!("RFC {number}"));
        }
    }
    let named = [
        "OAuth 2.1 §",
        "OpenID Connect Core",
        "OpenID Connect Discovery",
        "Form Post Response Mode",
        "RP-Initiated Logout",
        "Back-Channel Logout",
    ];
    for name in named {
        if text.contains(name) {
            cited.insert(name.trim_end_matches(" §").to_owned());
        }
    }
    cited
}

/// The files in which a test of this name may lie, by the rule that the map explains.
fn places(test: &str) -> (Vec<PathBuf>, String) {
    let mut parts: Vec<&str> = test.split("::").collect();
    let name = parts.pop().unwrap_or_default().to_owned();
    let base = if parts.first() == Some(&"tests") { "" } else { "src/" };
    let module = format!("{base}{}", parts.join("/"));
    let forms = ["{}.rs", "{}/mod.rs", "{}/tests.rs", "{}/tests/mod.rs", "{}.py"];
    (forms.iter().map(|form| Path::new(ROOT).join(form.replace("{}", &module))).collect(), name)
}

/// Whether a file defines a test of this name; in Python every function that is called so is one.
fn holds_test(place: &Path, name: &str) -> bool {
    let is_python = place.extension().is_some_and(|extension| extension == "py");
    fs::read_to_string(place).is_ok_and(|text| match is_python {
        true => name.starts_with("test_") && text.contains(&format!("\ndef {name}(")),
        false => defines_test(&text, name),
    })
}

/// Whether a text in Rust defines a test of this name.
fn defines_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_function = |line: &str| {
        let line = line.trim_start_matches("async ").strip_prefix("fn ");
        line.and_then(|line| line.strip_prefix(name)).is_some_and(|rest| rest.starts_with('('))
    };
    let attributes = |before: &[&str]| {
        let attached = before.iter().rev().take_while(|line| line.starts_with('#') || line.starts_with("//"));
        attached.copied().collect::<String>()
    };
    lines.iter().enumerate().any(|(at, line)| {
        is_function(line) && ["test", "#[rstest"].iter().any(|mark| attributes(&lines[..at]).contains(mark))
    })
}

/// Whether there is a test of this name.
pub fn exists(test: &str) -> bool {
    let (places, name) = places(test);
    places.iter().any(|place| holds_test(place, &name))
}

fn sources(directory: &Path, sources: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            self::sources(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.insert(path.clone(), fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let of_clauses = clauses(MAP).into_iter().map(|[_, _, _, tests]| tests);
    let of_cases = cases(MAP).into_iter().map(|[_, _, tests]| tests);
    let named: Vec<_> = of_clauses.chain(of_cases).flat_map(quoted).collect();
    assert!(named.len() > 150, "{}", named.len());
    let missing: BTreeSet<_> = named.into_iter().filter(|test| !exists(test)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn what_stops_an_attack_has_tests_that_exist() {
    let attacks =
        THREATS.split("| Attack |").skip(1).flat_map(|table| rows(table.split("\n\n").next().unwrap()));
    let attacks: Vec<_> = attacks.filter(|cells| cells.len() == 4).collect();
    assert!(attacks.len() > 25, "{}", attacks.len());
    for cells in attacks {
        let tests = quoted(cells[3]);
        assert!(!tests.is_empty(), "{}", cells[0]);
        let missing: Vec<_> = tests.into_iter().filter(|test| !exists(test)).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", cells[0]);
    }
}

#[test]
fn every_file_that_is_named_exists_and_cites_the_clauses_specification() {
    for [clause, _, places, tests] in clauses(MAP) {
        assert!(!quoted(places).is_empty() && !quoted(tests).is_empty(), "{clause}");
        let mut citing = BTreeSet::new();
        for place in quoted(places) {
            let text = fs::read_to_string(Path::new(ROOT).join(place));
            let text = text.unwrap_or_else(|_| panic!("{clause}: there is no {place}"));
            let own = cited(&text);
            assert!(!own.is_disjoint(&cited(clause)), "{place} does not cite {clause}");
            citing.extend(own);
        }
        assert!(cited(clause).is_subset(&citing), "{clause}: none of {places} cites all of it");
    }
}

#[test]
fn every_specification_that_the_sources_cite_stands_in_the_map() {
    let mut all = BTreeMap::new();
    sources(&Path::new(ROOT).join("src"), &mut all);
    let mapped: BTreeSet<String> = clauses(MAP).into_iter().flat_map(|[clause, ..]| cited(clause)).collect();
    assert!(mapped.len() > 20);
    for (path, text) in all {
        let missing: Vec<_> = cited(&text).difference(&mapped).cloned().collect();
        assert!(missing.is_empty(), "{} cites {missing:?}", path.display());
    }
}

#[test]
fn every_case_stands_there_once_and_has_a_test_or_is_open() {
    let cases = cases(MAP);
    let numbers: Vec<u32> = cases.iter().map(|[number, ..]| number.parse().unwrap()).collect();
    assert_eq!(numbers, CASES.collect::<Vec<_>>());
    for [number, _, tests] in cases {
        assert!(tests.starts_with("open") || !quoted(tests).is_empty(), "case {number}");
    }
}

mod the_reading_itself {
    use super::*;

    #[test]
    fn tables_are_read() {
        let map = "| Clause | What | Where | Test |\n|---|---|---|---|\n| RFC 1 §2 | x | `a` | `b`, `c` |\n\
                   | Case | What | Test |\n| 7 | y | open: later |\ntext | no | row\n";
        assert_eq!(clauses(map), [["RFC 1 §2", "x", "`a`", "`b`, `c`"]]);
        assert_eq!(cases(map), [["7", "y", "open: later"]]);
        assert_eq!(quoted("`b`, `c`"), ["b", "c"]);
    }

    #[test]
    fn citations_are_found() {
        let cited = cited("// RFC 6749 §4.1 and RFC 7636, OpenID Connect Core §2; RFC-less");
        assert_eq!(cited, ["OpenID Connect Core", "RFC 6749", "RFC 7636"].map(str::to_owned).into());
    }

    #[test]
    fn a_test_is_a_function_with_its_attribute() {
        let text = "#[tokio::test]\nasync fn one() {}\n#[rstest]\n#[case(1)]\nfn two(#[case] n: u8) {}\n\
                    fn helper() {}\n#[test]\nfn a_longer_name() {}";
        for (name, expected) in [("one", true), ("two", true), ("helper", false), ("a_longer", false)] {
            assert_eq!(defines_test(text, name), expected, "{name}");
        }
        assert!(!exists("protocol::pkce::no_such_test") && !exists("nowhere::at_all"));
    }
}
