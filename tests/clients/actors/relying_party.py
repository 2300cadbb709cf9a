"""The authorization code grant with PKCE by hand, for tests that want to see each answer and token."""

import base64
import hashlib
import queue
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit


class RelyingParty:
    """Sends a browser to Grantor, and listens on loopback for the answer."""

    def __init__(self):
        self.answers = queue.Queue()
        answers = self.answers

        class Callback(BaseHTTPRequestHandler):
            def do_GET(self):
                path, _, query = self.path.partition("?")
                if path == "/callback":
                    answers.put(dict(parse_qsl(query)))
                self.thank()

            def do_POST(self):
                """As many clients do, it takes the form and sends the browser on to another host."""
                path, _, query = self.path.partition("?")
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
                headers = {name: self.headers[name] for name in ("Origin", "Referer")}
                answers.put(dict(parse_qsl(query)) | dict(parse_qsl(form)) | headers)
                self.send_response(303)
                self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/signed-in")
                self.end_headers()

            def thank(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<title>Answered</title><p id=answered>Thank you.")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Callback)
        self.redirect_uri = f"http://localhost:{self.server.server_port}/callback"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def register(self, grantor, scope, name=None):
        self.grantor = grantor
        self.client = grantor.web_client(self.redirect_uri, scope, name)
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def authorization_url(self, scope, **parameters):
        self.state, self.verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=")
        query = {
            "response_type": "code",
            "client_id": self.client.id,
            "redirect_uri": self.redirect_uri,
            "scope": scope,
            "state": self.state,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        return f"{self.grantor.metadata['authorization_endpoint']}?{urlencode(query | parameters)}"

    def answer(self):
        """The parameters that came back; `state` and `iss` are checked as every app must (RFC 9207)."""
        answer = self.answers.get(timeout=15)
        assert answer.pop("state") == self.state
        assert answer.pop("iss") == self.grantor.issuer
        return answer

    def redeem(self):
        """The token response for the code that came back."""
        code = self.answer()["code"]
        form = {"code": code, "redirect_uri": self.redirect_uri, "code_verifier": self.verifier}
        response = self.grantor.post("token", self.client, grant_type="authorization_code", **form)
        assert response.status_code == 200, response.text
        return response.json()

    def tokens(self, browser, person, scope):
        """The whole way: sign in, allow, redeem."""
        browser.open(self.authorization_url(scope))
        browser.sign_in_and_allow(person)
        return self.redeem()

    def refresh(self, tokens, **form):
        form |= {"refresh_token": tokens["refresh_token"]}
        return self.grantor.post("token", self.client, grant_type="refresh_token", **form)


def origin_of(url):
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
