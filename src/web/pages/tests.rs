use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use scraper::{ElementRef, Html, Selector};

use super::samples::{Sample, Texts};
use super::*;
use crate::web::assets;

/// Texts that would do harm, or spoil a page, if they were not treated as text.
fn hostile() -> Vec<String> {
    vec![
        "<script>alert(1)</script>".to_owned(),
        "\"><img src=x onerror=alert(1)>' onfocus='alert(1)".to_owned(),
        "</title></textarea><svg/onload=alert(1)><!--".to_owned(),
        "&lt;b&gt; {{ csrf }} {% raw %} \\u003cscript\\u003e".to_owned(),
        "n".repeat(300),
        "حساب آدا \u{202e}txt.exe".to_owned(),
        String::new(),
    ]
}

/// Each page of ours in each state, with natural and with hostile texts.
fn every_page() -> Vec<Sample> {
    let mut pages = Texts::natural().render();
    for text in hostile() {
        pages.extend(Texts::all(&text).render());
    }
    pages
}

fn select<'a>(document: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    document.select(&Selector::parse(selector).unwrap()).collect()
}

fn attribute<'a>(element: ElementRef<'a>, name: &str) -> &'a str {
    element.attr(name).unwrap_or_default()
}

#[test]
fn texts_stay_texts() {
    for text in hostile() {
        for page in Texts::all(&text).render() {
            for harm in ["<script", "<img", "<svg/onload", "<!--", "</textarea"] {
                assert!(!page.html.contains(harm), "{}: {harm}", page.name);
            }
            let document = Html::parse_document(&page.html);
            for title in select(&document, "title") {
                assert!(title.child_elements().next().is_none());
            }
        }
    }
}

#[test]
fn a_text_arrives_as_it_was() {
    for text in hostile() {
        let page = SignIn {
            csrf: "c",
            request: Some(&text),
            app: Some(&text),
            about: &AboutApp::default(),
            return_to: None,
            username: &text,
            reason: Some(SignInReason::StillYou),
            problem: None,
        };
        let document = Html::parse_document(&page.render().unwrap());
        assert_eq!(attribute(select(&document, "#username")[0], "value"), text);
        assert_eq!(attribute(select(&document, "input[name=request]")[0], "value"), text);
        assert_eq!(select(&document, ".lead bdi")[0].text().collect::<String>(), text);
    }
}

#[test]
fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
    for page in every_page() {
        let document = Html::parse_document(&page.html);
        assert!(
            select(&document, "script, style, iframe, object, embed, img, base").is_empty(),
            "{}",
            page.name
        );
        for element in select(&document, "*") {
            for (name, _) in element.value().attrs() {
                assert!(name != "style" && !name.starts_with("on"), "{}: {name}", page.name);
            }
        }
        for link in select(&document, "link") {
            assert!(assets::find(attribute(link, "href")).is_some(), "{}", page.name);
        }
    }
}

#[test]
fn the_only_picture_from_elsewhere_is_the_logo_of_the_app() {
    for text in hostile() {
        let about = AboutApp {
            is_unverified: true,
            logo: Some(Logo { uri: &text, origin: String::new() }),
            ..AboutApp::default()
        };
        let page = SignIn {
            csrf: "c",
            request: None,
            app: Some("App"),
            about: &about,
            return_to: None,
            username: "",
            reason: None,
            problem: None,
        };
        let html = page.render().unwrap();
        assert!(!html.contains("onerror=alert(1)>"));
        let document = Html::parse_document(&html);
        let pictures = select(&document, "img");
        assert_eq!(pictures.len(), 1);
        assert_eq!(attribute(pictures[0], "src"), text);
        // It says nothing that the name does not say, and its host is not told which page asks.
        assert_eq!(pictures[0].attr("alt"), Some(""));
        assert_eq!(attribute(pictures[0], "referrerpolicy"), "no-referrer");
        assert!(select(&document, "script, style, iframe, object, embed, base").is_empty());
    }
}

#[test]
fn the_form_for_a_client_has_the_answer_as_it_was_and_one_script_of_ours() {
    for text in hostile() {
        let texts = Texts::all(&text);
        let page = texts.form_post();
        let document = Html::parse_document(&page.html);
        let form = select(&document, "form[method=post]")[0];
        assert_eq!(attribute(form, "action"), format!("https://app.example/cb?tenant={text}"));
        let fields: Vec<_> = select(&document, "form input[type=hidden]")
            .into_iter()
            .map(|field| (attribute(field, "name"), attribute(field, "value")))
            .collect();
        assert_eq!(fields, [("code", &*text), ("state", &text), ("iss", &text)]);
        // What works without scripts, and nothing named like what the script calls.
        assert_eq!(select(&document, "form button[type=submit]:not([name])").len(), 1);
        assert_eq!(select(&document, "form, [name=submit]").len(), 1);
        let scripts = select(&document, "script");
        assert_eq!(scripts.len(), 1);
        assert_eq!(scripts[0].inner_html(), SUBMIT_SCRIPT);
        assert!(scripts[0].value().attrs().next().is_none());
        assert!(select(&document, "style, iframe, object, embed, img, base, svg[onload]").is_empty());
        assert_eq!(select(&document, "h1").len(), 1);
    }
}

#[test]
fn required_ids_are_there_and_all_ids_are_unique() {
    for page in every_page() {
        let document = Html::parse_document(&page.html);
        let ids: Vec<_> = select(&document, "[id]").into_iter().map(|e| attribute(e, "id")).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{}: {ids:?}", page.name);
        for id in page.ids {
            assert!(ids.contains(id), "{} lacks {id}", page.name);
        }
        for reference in select(&document, "[aria-describedby]") {
            for id in attribute(reference, "aria-describedby").split(' ') {
                assert!(ids.contains(&id), "{}: {id} describes nothing", page.name);
            }
        }
    }
}

#[test]
fn a_screen_reader_finds_its_way() {
    for page in every_page() {
        let name = page.name;
        let document = Html::parse_document(&page.html);
        assert_eq!(attribute(select(&document, "html")[0], "lang"), "en", "{name}");
        assert_eq!(select(&document, "h1").len(), 1, "{name}");
        assert_eq!(select(&document, "main").len(), 1, "{name}");
        assert!(select(&document, "title")[0].inner_html().ends_with(" · Grantor"), "{name}");
        assert!(select(&document, "[autofocus]").len() <= 1, "{name}");
        for field in select(&document, "input:not([type=hidden])") {
            let label = select(&document, &format!("label[for={}]", attribute(field, "id")));
            assert_eq!(label.len(), 1, "{name}: {}", attribute(field, "name"));
            assert!(!attribute(field, "autocomplete").is_empty(), "{name}");
        }
        for picture in select(&document, "svg") {
            assert_eq!(attribute(picture, "aria-hidden"), "true", "{name}");
        }
        if select(&document, "#problem").len() == 1 {
            assert_eq!(select(&document, "#problem[role=alert]").len(), 1, "{name}");
            assert!(!select(&document, "[aria-describedby~=problem], #password-rules").is_empty(), "{name}");
            assert!(select(&document, "title")[0].inner_html().starts_with("Please try again: "), "{name}");
        }
    }
}

#[test]
fn every_form_is_a_post_with_its_token() {
    for page in every_page() {
        let document = Html::parse_document(&page.html);
        for form in select(&document, "form") {
            assert_eq!(attribute(form, "method"), "post", "{}", page.name);
            assert!(attribute(form, "action").starts_with('/'), "{}", page.name);
        }
        let tokens = select(&document, "form input[type=hidden][name=csrf]");
        assert_eq!(tokens.len(), select(&document, "form").len(), "{}", page.name);
        assert_eq!(select(&document, "input").len(), select(&document, "form input").len(), "{}", page.name);
        for secret in select(&document, "input[type=password]") {
            assert_eq!(secret.attr("value"), None, "{}", page.name);
        }
    }
}

#[test]
fn nothing_can_be_allowed_where_nothing_can_be_granted() {
    let page = Texts::natural().render().into_iter().find(|page| page.name == "consent-nothing").unwrap();
    let document = Html::parse_document(&page.html);
    assert!(select(&document, "#consent-allow, [value=allow]").is_empty());
    assert_eq!(attribute(select(&document, "#consent-deny")[0], "value"), "deny");
}

#[test]
fn consent_names_everything_that_matters() {
    let texts = Texts::natural();
    let page = texts.render().into_iter().find(|page| page.name == "consent-some-left-out").unwrap();
    let document = Html::parse_document(&page.html);
    let shown = select(&document, "main")[0].text().collect::<String>();
    for (name, description) in texts.scopes {
        assert!(shown.contains(name) && shown.contains(description), "{name}");
    }
    for part in [texts.app, texts.username, texts.role, texts.resource, texts.host, "after you sign out"] {
        assert!(shown.contains(part), "{part}");
    }
    assert_eq!(select(&document, ".left-out").len(), 1);
    assert_eq!(attribute(select(&document, "#consent-allow")[0], "name"), "decision");
}

#[test]
fn an_app_on_the_device_or_that_nobody_knows_brings_one_caution() {
    for (name, cautions) in [
        ("consent", 0),
        ("consent-with-links", 0),
        ("consent-device", 1),
        ("consent-unverified", 1),
        ("consent-unverified-device", 1),
    ] {
        let page = Texts::natural().render().into_iter().find(|page| page.name == name).unwrap();
        assert_eq!(select(&Html::parse_document(&page.html), ".notice").len(), cautions, "{name}");
    }
}

#[test]
fn who_registered_itself_is_told_by_its_address_and_its_links_lead_out_without_a_trace() {
    let pages = Texts::natural().render();
    let page = |name: &str| {
        let page = pages.iter().find(|page| page.name == name).unwrap();
        Html::parse_document(&page.html)
    };
    for (name, address) in
        [("consent-unverified", Texts::natural().host), ("consent-unverified-device", "127.0.0.1:53122")]
    {
        let document = page(name);
        let notice = select(&document, "#unverified")[0].text().collect::<String>();
        assert!(notice.contains("Nobody has checked this app") && notice.contains(address), "{notice}");
    }
    for (name, links) in [("consent-with-links", 3), ("sign-in-unverified", 3), ("consent", 0)] {
        let document = page(name);
        let out = select(&document, "footer a");
        assert_eq!(out.len(), links, "{name}");
        assert!(out.iter().all(|link| attribute(*link, "rel") == "noopener noreferrer"), "{name}");
    }
    assert!(select(&page("consent-with-links"), "#unverified").is_empty());
}

#[test]
fn the_first_empty_field_has_the_focus() {
    for (username, focused) in [("", "username"), ("ada", "password")] {
        let page = SignIn {
            csrf: "c",
            request: None,
            app: None,
            about: &AboutApp::default(),
            return_to: None,
            username,
            reason: None,
            problem: None,
        };
        let document = Html::parse_document(&page.render().unwrap());
        assert_eq!(attribute(select(&document, "[autofocus]")[0], "id"), focused);
    }
}

#[test]
fn a_wait_is_never_said_shorter_than_it_is() {
    for (milliseconds, words) in [
        (0, "a minute"),
        (60_000, "a minute"),
        (60_001, "2 minutes"),
        (120_000, "2 minutes"),
        (120_500, "3 minutes"),
        (3_540_000, "59 minutes"),
        (3_541_000, "an hour"),
        (3_600_000, "an hour"),
        (3_601_000, "2 hours"),
    ] {
        assert_eq!(wait_in_words(Duration::from_millis(milliseconds)), words);
    }
}

#[test]
fn an_initial_is_a_letter_or_a_dot() {
    for (name, letter) in
        [("ada", "A"), ("  élise", "É"), ("@7up", "7"), ("", "·"), ("<>", "·"), ("ßen", "SS")]
    {
        assert_eq!(initial(name), letter);
    }
}

/// Writes every page with its stylesheet to `target/pages/`, so that a person can look at it.
#[test]
fn pages_can_be_looked_at() {
    let program = std::env::current_exe().unwrap();
    let folder = program.ancestors().nth(3).unwrap().join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    write_pages(&folder, "", &Texts::natural());
    for (i, text) in hostile().iter().enumerate() {
        write_pages(&folder, &format!("hostile-{i}-"), &Texts::all(text));
    }
}

fn write_pages(folder: &Path, prefix: &str, texts: &Texts<'_>) {
    for path in [assets::stylesheet_path(), assets::icon_path()] {
        let asset = assets::find(path).unwrap();
        let name = path.rsplit('/').next().unwrap();
        std::fs::write(folder.join(name), asset.bytes).unwrap();
    }
    for page in texts.render().into_iter().chain([texts.form_post()]) {
        // A picture of it can be taken only if it stays.
        let page_html = page.html.replace(SUBMIT_SCRIPT, "");
        let html = page_html.replace("\"/assets/", "\"");
        std::fs::write(folder.join(format!("{prefix}{}.html", page.name)), html).unwrap();
    }
}
