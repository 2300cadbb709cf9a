//! Names that are no setting: refused, with the likely one beside it.

use strsim::damerau_levenshtein;

use super::overrides::FILE_VARIABLE;
use super::setting::Setting;
use super::{SECTIONS, settings};

/// Whether the file has such a section.
pub(super) fn is_section(name: &str) -> bool {
    section_names().any(|section| section == name)
}

fn section_names() -> impl Iterator<Item = &'static str> {
    let first_paths = SECTIONS.iter().filter_map(|section| section.settings.first());
    first_paths.map(|setting| setting.section_and_key().0).filter(|name| !name.is_empty())
}

/// What to say about a key of the file; `None` if it is a setting that may stand there.
pub(super) fn unknown_key(path: &str) -> Option<String> {
    match settings().find(|setting| setting.path == path) {
        Some(setting) if setting.in_file => None,
        Some(setting) => {
            let variable = &setting.variables()[0].name;
            Some(format!("`{path}` may not stand in the file: use `{path}_files` or {variable}"))
        }
        None => {
            let known = settings().filter(|setting| setting.in_file).map(|setting| setting.path);
            Some(unknown("key", path, known))
        }
    }
}

/// What to say about an unknown section.
pub(super) fn unknown_section(name: &str) -> String {
    unknown("section", name, section_names())
}

/// What to say about each variable that begins with `GRANTOR_` and is none of ours.
pub(super) fn unknown_variables<'a>(
    variables: impl Iterator<Item = (&'a String, &'a String)>,
) -> Vec<String> {
    let ours = settings().flat_map(Setting::variables).map(|variable| variable.name);
    let known: Vec<String> = ours.chain([FILE_VARIABLE.to_owned()]).collect();
    variables
        .filter(|(name, _)| name.starts_with("GRANTOR_") && !known.contains(name))
        .filter(|(name, value)| !is_service_link(name, value))
        .map(|(name, _)| unknown("environment variable", name, known.iter().map(String::as_str)))
        .collect()
}

/// Container platforms tell every process of services called `grantor` or `grantor-…` by variables such as
/// `GRANTOR_SERVICE_HOST` and `GRANTOR_PORT_8080_TCP_ADDR`: nobody wrote those, so nobody mistyped them.
fn is_service_link(name: &str, value: &str) -> bool {
    let is_url = |text: &str| ["tcp://", "udp://", "sctp://"].iter().any(|scheme| text.starts_with(scheme));
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.ends_with("_PORT") && is_url(value)
        || name.split_once("_PORT_").is_some_and(|(_, rest)| {
            let mut parts = rest.split('_');
            let port = parts.next().is_some_and(|port| port.parse::<u16>().is_ok());
            port && parts.next().is_some_and(|protocol| matches!(protocol, "TCP" | "UDP" | "SCTP"))
        })
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let shown = name.escape_debug();
    match nearest(name, known) {
        Some(near) => format!("unknown {what} `{shown}`; did you mean `{near}`?"),
        None => format!("unknown {what} `{shown}`; docs/configuration.toml lists them all"),
    }
}

/// The known name with the same last part, else the one that takes the fewest edits, if those are few.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let last_part = |path: &str| path.rsplit('.').next().map(str::to_owned);
    let scored = known.map(|candidate| {
        let misplaced = last_part(candidate) == last_part(name);
        (if misplaced { 1 } else { damerau_levenshtein(name, candidate) }, candidate)
    });
    let (edits, candidate) = scored.min_by_key(|(edits, _)| *edits)?;
    (edits <= 1 + name.len() / 5).then_some(candidate)
}
