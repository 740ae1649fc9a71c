"""What the commands share: options, how settings are read, and how a command's work is found when it runs."""

from __future__ import annotations

import gc
import importlib
import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from deskhand.lib.clock import from_wire
from deskhand.settings import Settings, read

TOML = Path("deskhand.toml")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Account = Annotated[int | None, typer.Option(help="The account's id, where there are several.", min=1)]


def group(name: str, help: str) -> typer.Typer:
    """Commands that go by one name."""
    return typer.Typer(name=name, help=help, no_args_is_help=True, rich_markup_mode=None)


def module(name: str) -> Any:
    """The module that does a command's work."""
    gc.disable()  # all that is loaded stays: looking through it again and again would take a tenth of the time
    try:
        return importlib.import_module(f"deskhand.cli.{name}")
    finally:
        gc.freeze()
        gc.enable()


def settings(**options: Any) -> Settings:
    """The settings, with what options say in place of what the environment and the file do."""
    return read(os.environ, TOML, {name: value for name, value in options.items() if value is not None})


def moment(text: str | None, option: str) -> datetime | None:
    """A time that an option gives; raises BadParameter."""
    try:
        return None if text is None else from_wire(text)
    except ValueError as problem:
        raise typer.BadParameter(str(problem), param_hint=option) from problem
