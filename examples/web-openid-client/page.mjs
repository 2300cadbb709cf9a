// The app's only page.

const HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
};

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text) => String(text).replace(/[&<>"']/g, (character) => ESCAPES[character]);

/** A response with the page: what went wrong or well, and who is signed in. */
export function page({ status = 200, error, notice, visit, answer } = {}) {
  return { status, headers: HEADERS, content: html(error, notice, visit && person(visit, answer)) };
}

function person(visit, answer) {
  return `
  <p>You are <strong id="name">${escaped(answer.name ?? answer.preferred_username ?? answer.sub)}</strong>.
    Granted: <code id="scope">${escaped(visit.tokens.scope)}</code></p>
  <p>The ID token says: <code id="id-token">${escaped(JSON.stringify(visit.person))}</code></p>
  <p>UserInfo says: <code id="userinfo">${escaped(JSON.stringify(answer))}</code></p>
  <p>Refreshed <span id="refreshes">${visit.refreshes}</span> times.</p>
  <form method="post" action="/expire"><button id="expire">Let the access token expire</button></form>
  <form method="post" action="/sign-out"><button id="sign-out">Sign out</button></form>`;
}

function html(error, notice, signedIn) {
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Notes</title>
  <style>
    :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
    body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
    code { overflow-wrap: anywhere }
    form { display: inline }
  </style>
</head>
<body>
<main>
  <h1>Notes</h1>
  <p>A web app with openid-client.</p>
  ${error ? `<p role="alert">Not signed in: <strong id="error">${escaped(error)}</strong></p>` : ""}
  ${notice ? `<p role="status" id="notice">${escaped(notice)}</p>` : ""}
  ${signedIn ?? '<p><a id="sign-in" href="/sign-in">Sign in</a></p>'}
</main>
</body>
</html>
`;
}
