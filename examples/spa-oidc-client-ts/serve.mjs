// Serves the app's four files, and tells it who it is. Any web server can do this; nothing is secret.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const { ISSUER = "http://localhost:8080", CLIENT_ID, PORT = "5005", RENEW_BEFORE = "60" } = process.env;
if (!CLIENT_ID) throw new Error("CLIENT_ID is missing: register the app, see examples/README.md");

const settings = { issuer: ISSUER, clientId: CLIENT_ID, renewBefore: Number(RENEW_BEFORE) };
const [page, app, library] = await Promise.all(
  ["index.html", "app.js", "node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js"].map((path) =>
    readFile(new URL(path, import.meta.url)),
  ),
);

// Each path, its type and its content. The redirect URI shows the same page, which reads the answer.
const files = new Map([
  ["/", ["text/html", page]],
  ["/callback", ["text/html", page]],
  ["/app.js", ["text/javascript", app]],
  ["/oidc-client-ts.js", ["text/javascript", library]],
  ["/settings.json", ["application/json", JSON.stringify(settings)]],
]);

// Tokens lie within reach of every script of this page, so no script but these may run or be asked for anything.
const headers = {
  "Content-Security-Policy": `default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' ${new URL(ISSUER).origin}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-cache",
};

const server = createServer((request, response) => {
  const [type, content] = files.get(request.url.split("?", 1)[0]) ?? [];
  if (!content) return response.writeHead(404, headers).end();
  response.writeHead(200, { ...headers, "Content-Type": `${type}; charset=utf-8` }).end(content);
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`http://localhost:${PORT}`));
