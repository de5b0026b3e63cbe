"""`dialer demo`: the demonstration, which lives in the source checkout."""

import importlib

import typer

from dialer.domain.errors import IllegalState

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_MODULE = "tests.demo"


@app.command()
def demo() -> None:
    """Show it all: two Asterisks of its own, some twenty callbacks, the call log, and the far end's own account."""
    try:
        module = importlib.import_module(_MODULE)
    except ModuleNotFoundError as error:
        if error.name not in {_MODULE, "tests"}:
            raise
        raise IllegalState("the demo needs the source checkout", remedy="see README") from None
    raise typer.Exit(module.main())
