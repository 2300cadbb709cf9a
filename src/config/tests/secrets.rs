//! No output and no error shows a secret.

use super::{given, url};
use crate::config::*;

#[test]
fn no_output_shows_a_secret() {
    const SECRET: &str = "hunter2";
    let secret_url = format!("postgres://grantor:{SECRET}@db/grantor");
    let good = given(&[("GRANTOR_MASTER_KEY", SECRET)]).file(&format!("database.url = \"{secret_url}\""));
    let file = good.write("url", &format!("{secret_url}\n"));
    let by_file = given(&[("GRANTOR_MASTER_KEY", SECRET), ("GRANTOR_DATABASE_URL_FILE", &file)]);
    for given in [&good, &by_file] {
        let config = given.load();
        assert_eq!(url(&config), secret_url);
        let toml = config.to_toml_hiding_secrets();
        let json = config.to_json_hiding_secrets().to_string();
        for text in [&format!("{config:?}"), &format!("{config:#?}"), &toml, &json] {
            assert!(!text.contains(SECRET), "{text}");
        }
        assert!(toml.contains("url = \"[hidden]\" # "), "{toml}");
    }
    for wrong in [
        given(&[("GRANTOR_DATABASE_URL", "mysql://root:hunter2@db")]),
        given(&[("DATABASE_URL", "hunter2")]),
        given(&[("GRANTOR_HUNTER", SECRET)]),
        given(&[]).file("database.url = \"postgres://a:hunter2@db\"  oops"),
        given(&[]).file("database.url = [\"hunter2\"]"),
        given(&[]).file("[database]\nurl = \"postgres://a:hunter2@db"),
        given(&[]).file("[database]\nuri = \"postgres://a:hunter2@db\""),
        given(&[]).file("[keys]\nmaster_key = \"hunter2\""),
    ] {
        let error = Config::load(&wrong.overrides).unwrap_err();
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains(SECRET), "{text}");
        }
    }
}
