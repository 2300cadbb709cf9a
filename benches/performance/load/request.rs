//! Requests as bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The head of a GET request, whole.
pub fn get(host: &str, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut request = head("GET", host, path, fields);
    request.extend_from_slice(b"\r\n");
    request
}

/// A form that a client posts.
pub fn post_as(client_id: &str, secret: &str, host: &str, path: &str, form: &[(&str, &str)]) -> Vec<u8> {
    post(host, path, &[("Authorization", &basic(client_id, secret))], form)
}

/// A form posted with these fields in the head.
pub fn post(host: &str, path: &str, fields: &[(&str, &str)], form: &[(&str, &str)]) -> Vec<u8> {
    let body = form_urlencoded::Serializer::new(String::with_capacity(512)).extend_pairs(form).finish();
    let mut request = head("POST", host, path, fields);
    let last =
        format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n", body.len());
    request.extend_from_slice(last.as_bytes());
    request.extend_from_slice(body.as_bytes());
    request
}

/// The value of `Authorization` by which a client authenticates (RFC 6749 §2.3.1).
fn basic(client_id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret))))
}

fn head(method: &str, host: &str, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut head = String::with_capacity(1024);
    head.extend([method, " ", path, " HTTP/1.1\r\nHost: ", host, "\r\n"]);
    for (name, value) in fields {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.into_bytes()
}
