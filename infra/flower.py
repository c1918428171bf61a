"""Starts Flower on our broker: read-only, behind a password that no command line shows, with a database of its own."""

import os
import secrets
from pathlib import Path

from infra.celery import make_celery
from infra.private_file import create_private
from infra.settings import FlowerSettings, load_settings


def run() -> None:
    """Run Flower until it is told to stop."""
    settings = load_settings(FlowerSettings)
    settings.flower_db.parent.mkdir(parents=True, exist_ok=True)
    # Flower also reads its options from its environment. Set from inside, the password shows up nowhere.
    os.environ["FLOWER_BASIC_AUTH"] = f"{settings.flower_user}:{read_password(settings)}"
    celery = make_celery(settings)
    celery.start(
        [
            "flower",
            f"--address={settings.flower_host}",
            f"--port={settings.flower_port}",
            "--read_only=True",
            "--persistent=True",
            f"--db={settings.flower_db}",
            "--state_save_interval=5000",
            "--max_tasks=10000",
            "--inspect_timeout=3000",
            "--tasks_columns=name,args,state,received,started,runtime,worker",
        ]
    )


def read_password(settings: FlowerSettings) -> str:
    """Return Flower's password from the setting or from the file, which is made if it is missing."""
    if settings.flower_password is not None:
        return settings.flower_password.get_secret_value()
    return read_or_create_secret(settings.flower_password_file)


def read_or_create_secret(path: Path) -> str:
    """Return the secret in a private file; make both if the file is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    secret = secrets.token_urlsafe(18)
    try:
        with create_private(path) as file:
            file.write(f"{secret}\n".encode())
    except FileExistsError:
        return path.read_text().strip()
    return secret
