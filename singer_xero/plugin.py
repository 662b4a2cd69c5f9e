"""The command line of tap and target: how it reads settings and reports errors."""

from __future__ import annotations

import errno
import os
import sys
from typing import Any

import click
from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError
from singer_sdk.plugin_base import PluginBase, SingerCommand, _ConfigInput

from singer_xero.errors import ConfigurationProblem, Problem, suggested
from singer_xero.json_input import json_file
from singer_xero.settings import environment, invalid, kinds_of, listed, remember_settings
from singer_xero.version import DISTRIBUTION

# Faults of the machine, not of this program: a full, broken or read-only disk, too many open files.
_MACHINE = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS,
    errno.EIO, errno.EMFILE, errno.ENFILE, errno.EACCES,
}  # fmt: skip


class OneLineErrors(SingerCommand):
    """A command that reports an error that the user can fix in one line, with exit code 1.

    Only a bug ends in a traceback.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command."""
        from singer_xero.api.errors import XeroError

        try:
            return super().main(*args, **kwargs)
        except (Problem, XeroError) as problem:
            self.logger.error("%s", problem)
            sys.exit(1)
        except (MapExpressionError, StreamMapConfigError) as problem:
            self.logger.error("stream_maps: %s", problem)
            sys.exit(1)
        except OSError as problem:
            if problem.errno not in _MACHINE:
                raise
            place = f"{problem.filename}: " if problem.filename else ""
            self.logger.error("%s%s.", place, problem.strerror)
            sys.exit(1)


class XeroPlugin(PluginBase):
    """Reads the settings of tap and target: files first, then the environment, each checked by name."""

    package_name = DISTRIBUTION

    @property
    def _env_var_config(self) -> dict[str, Any]:
        """Settings from the environment; unlike the SDK's reader, errors name the variable."""
        schema = dict(self.config_jsonschema)
        self.append_builtin_config(schema)
        prefix = self.name.upper().replace("-", "_")
        return environment(prefix, schema["properties"], os.environ, empty=True)

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        schema = dict(self.config_jsonschema)
        self.append_builtin_config(schema)
        settings = schema["properties"]
        remember_settings(self.config, settings)
        for name, setting in settings.items():
            if "default" in setting:
                self._config.setdefault(name, setting["default"])
            if isinstance(self._config.get(name), str) and {"array", "string"} <= kinds_of(setting):
                self._config[name] = listed(name, self._config[name])
        problem = invalid(self.config, schema)
        for name in self.config.keys() - settings.keys():
            meant = suggested(name, settings)
            self.logger.warning("The setting %s is unknown and ignored%s", name, meant)
        if problem and raise_errors:
            raise ConfigurationProblem(f"Settings: {problem}.")
        return [problem] if problem else []

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:  # noqa: ARG003
        """Read the files of `--config`; later ones override earlier ones, and `ENV` stands for the environment."""
        files = [json_file(path, "config file") for path in value if path != "ENV"]
        return _ConfigInput({k: v for file in files for k, v in file.items()}, "ENV" in value)

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Build the command line, with one-line errors."""
        command = super().get_singer_command()
        return OneLineErrors(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=command.params,
            help=command.help,
            logger=cls.logger,
        )
