"""Servers that a test may kill: `server_process.py DATA_DIR DATABASE_URL`.

For each line on stdin it starts one, says its process and port, and when that process has ended says so. All is
imported once: each server is a fork, because importing takes longer than serving and the test waits for many.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import uvicorn

from deskhand.app import App
from deskhand.settings import Listen, Settings, SmtpServer


def main(data_dir: str, database_url: str) -> None:
    for _ in sys.stdin:
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        port = listener.getsockname()[1]
        process = os.fork()
        if not process:
            serve(Path(data_dir), database_url, listener, port)
            os._exit(0)
        listener.close()
        say(f"{process} {port}")
        os.waitpid(process, 0)
        say("ended")


def serve(data_dir: Path, database_url: str, listener: socket.socket, port: int) -> None:
    mail_port = os.environ.get("DESKHAND_TEST_MAIL_PORT")
    settings = Settings(
        data_dir=data_dir,
        database_url=database_url,
        base_url=f"http://127.0.0.1:{port}",
        webhook_private_addresses=True,
        mail_smtp_listen=Listen("127.0.0.1", int(mail_port)) if mail_port else None,
        mail_imap_every_s=1,
        smtp_url=SmtpServer("127.0.0.1", int(os.environ.get("DESKHAND_TEST_SMTP_PORT", "25"))),
    )
    config = uvicorn.Config(
        App(settings),
        log_level="warning",
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        timeout_keep_alive=75,
    )
    uvicorn.Server(config).run([listener])


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
