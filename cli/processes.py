"""The commands that run until they are stopped. Each imports only its own process, which keeps the others quick."""

import typer


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.command("api", help="Answer HTTP requests until stopped.")(_api)
    cli.command("worker", help="Work on hosts until stopped.")(_worker)
    cli.command("flower", help="Show the workers and their tasks on a web page until stopped.")(_flower)


def _api() -> None:
    from app.main import serve  # noqa: PLC0415 - the API alone needs it
    from infra.settings import ApiSettings, load  # noqa: PLC0415

    serve(load(ApiSettings))


def _worker() -> None:
    from workers.main import run  # noqa: PLC0415 - the worker alone needs it

    run()


def _flower() -> None:
    from infra.flower import run  # noqa: PLC0415 - Flower alone needs it

    run()
