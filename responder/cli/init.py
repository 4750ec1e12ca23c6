"""`responder init`: a commented configuration to begin with."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from responder.adapters.notifier import objection_to
from responder.cli.common import JsonOption, fail, out, print_json

_FILES = Path(__file__).parent / "init_files"
UNTOUCHED = "replace-this-address"
_NOWHERE = f"json://127.0.0.1:9181/{UNTOUCHED}"


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write the files.")] = Path(),
    notify: Annotated[str, typer.Option(help="The apprise URL of the first person on call.")] = _NOWHERE,
    json: JsonOption = False,
) -> None:
    """Write a commented configuration, policy, inventory and people file, secrets, and the Alertmanager snippet."""
    if objection := objection_to(notify):
        fail(f"--notify: {objection}")
    made = {path.name: path.read_text(encoding="utf-8") for path in sorted(_FILES.glob("*.yml"))}
    made |= {
        "secret.key": secrets.token_urlsafe(48) + "\n",
        "tokens/alertmanager": secrets.token_urlsafe(32) + "\n",
        "secrets/first-pager": notify + "\n",
    }
    if there := [name for name in made if (folder / name).exists()]:
        fail(f"nothing was written: {folder / there[0]} is there already")
    for name, text in made.items():
        _write(folder / name, text, is_secret=not name.endswith(".yml"))
    (folder / "runbooks").mkdir(exist_ok=True)
    main_file = folder / "responder.yml"
    if json:
        print_json({"config": str(main_file), "files": sorted(made)})
        return
    out.print(
        f"wrote {len(made)} files. Next:\n"
        f"  responder check --config {main_file}\n"
        f"  responder serve --config {main_file}\n"
        f"  responder token create me --scope act --config {main_file}   # the password of the pages",
        markup=False,
        soft_wrap=True,
    )
    if notify == _NOWHERE:
        out.print(f"Put a real address into {folder / 'secrets/first-pager'}: so far nobody is told.", markup=False)


def add_to(root: typer.Typer) -> None:
    root.command()(init)


def _write(path: Path, text: str, *, is_secret: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o600 if is_secret else 0o644
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
