"""Text and JSON that users give: files of settings, catalogs and states."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any

from singer_xero.errors import InputProblem


def json_file(path: str, what: str) -> dict[str, Any]:
    """Read a file with a JSON object; raises `InputProblem` with the reason if that fails."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            return json_text(text_of(file, f"{what} {path}"), f"{what} {path}")
    except OSError as error:
        raise InputProblem(f"The {what} {path} can't be read: {error.strerror}.") from None


def json_text(text: str, what: str) -> dict[str, Any]:
    """Read JSON text that must contain an object; error messages never repeat the text."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputProblem(f"The {what} is not JSON: {error.msg} in line {error.lineno}.") from None
    except RecursionError:
        raise InputProblem(f"The {what} is nested too deeply.") from None
    except ValueError:  # Python's limit of digits
        raise InputProblem(f"The {what} contains a number that is too long.") from None
    if not isinstance(content, dict):
        raise InputProblem(f"The {what} must contain a JSON object, not {type(content).__name__}.")
    return content


def text_of(file: IO[str], what: str) -> str:
    """The whole text of an open file; raises `InputProblem` if it is not UTF-8."""
    try:
        return file.read()
    except UnicodeDecodeError:
        raise InputProblem(f"The {what} is not UTF-8 text.") from None
