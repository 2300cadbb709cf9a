"""gunicorn's settings. README.md one directory up says where each is recommended."""

import os
from urllib.parse import urlsplit

bind = urlsplit(os.environ["ORIGIN"]).netloc
workers = 2 * int(os.environ["CORES"]) + 1
worker_class = "gthread"
threads = 2 * int(os.environ["CORES"])
# The kernel spreads the connections over the workers.
reuse_port = True
keepalive = 5
preload_app = True
control_socket_disable = True
