//! The stylesheet and the icon, inside the binary and named after their content, so that a browser
//! may keep them for ever and a new release is seen at once.

use std::sync::LazyLock;

use crate::secret::{base64url, sha256};

/// `Cache-Control` of every asset: another content has another name.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// A file that pages refer to.
#[derive(Debug)]
pub struct Asset {
    /// The path of its URL, which holds a hash of the content.
    pub path: String,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The content.
    pub bytes: &'static [u8],
    /// The value of `ETag`, quotes included.
    pub etag: String,
}

impl Asset {
    fn new(name: &str, extension: &str, content_type: &'static str, bytes: &'static [u8]) -> Self {
        // 96 bits tell any two releases apart; a longer name only lengthens the page.
        let hash = base64url(&sha256(bytes)[..12]);
        let path = format!("/assets/{name}-{hash}.{extension}");
        Self { path, content_type, bytes, etag: format!("\"{hash}\"") }
    }
}

static STYLESHEET: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("grantor", "css", "text/css; charset=utf-8", include_bytes!("assets/grantor.css"))
});

static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_bytes!("assets/icon.svg")));

/// The URL path of the stylesheet.
pub fn stylesheet_path() -> &'static str {
    &STYLESHEET.path
}

/// The URL path of the icon that a browser tab shows.
pub fn icon_path() -> &'static str {
    &ICON.path
}

/// The asset at a URL path, such as [`stylesheet_path`].
pub fn find(path: &str) -> Option<&'static Asset> {
    [&*STYLESHEET, &*ICON].into_iter().find(|asset| asset.path == path)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn an_asset_is_found_at_its_own_path_only() {
        let asset = find(stylesheet_path()).unwrap();
        assert_eq!(asset.content_type, "text/css; charset=utf-8");
        assert!(asset.bytes.starts_with(b"/*"));
        assert_eq!(find(icon_path()).unwrap().content_type, "image/svg+xml");
        for other in ["", "/", "/assets/", "/assets/grantor.css", "/assets/../Cargo.toml"] {
            assert!(find(other).is_none(), "{other}");
        }
    }

    #[test]
    fn another_content_has_another_name() {
        let old = Asset::new("a", "css", "text/css", b"old");
        let new = Asset::new("a", "css", "text/css", b"new");
        assert_ne!(old.path, new.path);
        assert_ne!(old.etag, new.etag);
    }

    #[test]
    fn a_path_needs_no_escaping() {
        for path in [stylesheet_path(), icon_path()] {
            assert!(path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.".contains(&b)), "{path}");
        }
    }

    #[test]
    fn assets_load_nothing() {
        for asset in [find(stylesheet_path()).unwrap(), find(icon_path()).unwrap()] {
            let text = std::str::from_utf8(asset.bytes).unwrap().replace("http://www.w3.org/2000/svg", "");
            for forbidden in ["url(", "@import", "http:", "https:", "//", "<script", "href"] {
                assert!(!text.contains(forbidden), "{} holds {forbidden}", asset.path);
            }
        }
    }

    /// The colours of one theme: the custom properties that hold a hexadecimal colour.
    fn colours(block: &str) -> HashMap<&str, [f64; 3]> {
        block.lines().filter_map(colour).collect()
    }

    fn colour(line: &str) -> Option<(&str, [f64; 3])> {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": #")?;
        let part = |i| f64::from(u8::from_str_radix(&value[i..i + 2], 16).unwrap()) / 255.0;
        Some((name, [part(0), part(2), part(4)]))
    }

    /// The contrast ratio of WCAG 2.2.
    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let luminance = |colour: [f64; 3]| {
            let linear =
                colour.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
            0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn both_themes_can_be_read() {
        let css = include_str!("assets/grantor.css");
        let mut themes = css.split(":root {").skip(1).map(|block| colours(block.split('}').next().unwrap()));
        for theme in [themes.next().unwrap(), themes.next().unwrap()] {
            for (front, back, least) in [
                ("ink", "paper", 7.0),
                ("ink", "surface", 7.0),
                ("ink", "accent-wash", 7.0),
                ("ink", "problem-wash", 7.0),
                ("ink-soft", "paper", 4.5),
                ("ink-soft", "surface", 4.5),
                ("accent", "surface", 4.5),
                ("accent", "paper", 4.5),
                ("accent", "accent-wash", 4.5),
                ("on-accent", "accent", 4.5),
                ("on-accent", "accent-strong", 4.5),
                ("problem", "problem-wash", 4.5),
                ("field-line", "surface", 3.0),
            ] {
                let ratio = contrast(theme[front], theme[back]);
                assert!(ratio >= least, "{front} on {back}: {ratio:.2}");
            }
        }
    }
}
