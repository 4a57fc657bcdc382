"""HTTPS servers for the test, one a port, with certificates of the folder given: python3 server.py FOLDER."""
import base64, http.server, json, os, ssl, sys, threading

# name of the certificate, port, whether a client must have one
SERVERS = [("good", 9443, False), ("expired", 9444, False), ("other", 9445, False), ("ca", 9446, False), ("good", 9447, True)]
LOGIN = "Basic " + base64.b64encode(b"ann:secret").decode()


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        said = {name.lower(): value for name, value in self.headers.items()}
        moved = {
            "/moved": "/hello",
            "/moved-with-login": "/login",
            "/moved-elsewhere": "https://127.0.0.1:9443/asked",
            "/moved-to-https": "https://localhost:9443/hello",
        }
        if self.path in moved:
            self.answer(302, b"", Location=moved[self.path])
        elif self.path == "/login" and said.get("authorization") != LOGIN:
            self.answer(401, b"", **{"WWW-Authenticate": 'Basic realm="test"'})
        elif self.path == "/asked":
            self.answer(200, json.dumps(said).encode(), **{"Content-Type": "application/json"})
        else:
            self.answer(200, b"hello\n")

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(port, context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Answers)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever).start()


os.chdir(sys.argv[1])
serve(9480)
for name, port, wants in SERVERS:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile="ca.pem")
    context.load_cert_chain(name + ".pem", name + ".key")
    if wants:
        context.verify_mode = ssl.CERT_REQUIRED
    serve(port, context)
