"""Counts its visitors in the database."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import redis

database = redis.Redis(os.environ["DB_HOST"])


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status, text = 200, f"visitor {database.incr('visitors')}\n"
        except redis.ConnectionError as error:
            status, text = 503, f"no database: {error}\n"
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())


ThreadingHTTPServer(("", 8000), Page).serve_forever()
