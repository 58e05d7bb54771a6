"""Queries to the W&B server, by the client's public API. Every error becomes a SweepsError of one sentence."""

from __future__ import annotations

import re

from sweeps.errors import SweepsError
from sweeps.mirror.client import brief
from sweeps.mirror.environment import find_key, import_client

TIMEOUT = 20  # seconds per request
PAGE = 500  # runs per request


class Server:
    """The server that the environment names, with the key that `find_key` returns.

    Attributes:
        url: its address.
    """

    def __init__(self) -> None:
        """Log in, which needs a key.

        Raises:
            SweepsError: there is no key, the server refuses it, or cannot be reached.
        """
        self._wandb = import_client()
        self.url = str(self._wandb.setup().settings.base_url)
        key = find_key(self._wandb)
        if key is None:
            raise SweepsError(f"There is no W&B key for {self.url}: `wandb login` stores one, or set WANDB_API_KEY.")
        self._key = key.api_key
        self.check()

    def check(self) -> None:
        """Request the account of the key, to see that server and key work. Raises as `__init__` does."""
        try:
            self._api = self._wandb.Api(api_key=self._key, timeout=TIMEOUT)
            self._entity = self._api.default_entity
        except Exception as error:
            raise self._error(error) from error

    def runs(self, project: str, entity: str, group: str) -> set[str]:
        """Ids of the runs that the server has in a group; empty if there is no such project.

        Raises:
            SweepsError: the request failed.
        """
        path = f"{entity or self._entity}/{project}"
        try:
            return {run.id for run in self._api.runs(path, filters={"group": group}, per_page=PAGE)}
        except ValueError as error:
            if "Could not find project" in str(error):
                return set()
            raise self._error(error) from error
        except Exception as error:
            raise self._error(error) from error

    def clean(self, error: Exception | str) -> str:
        """An error in one line, without the key."""
        text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        return brief(text.replace(self._key, "***"))

    def _error(self, error: Exception) -> SweepsError:
        refused = re.search(r"\b(401|403)\b|not logged in", str(error))
        what = "refuses the key" if refused else "cannot be used"
        return SweepsError(f"The W&B server {self.url} {what}: {self.clean(error)}.")
