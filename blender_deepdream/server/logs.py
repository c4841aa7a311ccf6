# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's log on standard error, for people or as JSON lines. Nothing in it is secret, or shows a picture."""

from __future__ import annotations

import json
import logging
import sys
import time

FACTS = ("job", "kind", "state", "seconds", "token")
"""What a line may tell besides its message: `log.info(..., extra={"job": ...})`."""


class JsonLines(logging.Formatter):
    """One object a line: time (UTC), level, from, message, what FACTS names, and the error's traceback, if any."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "from": record.name.rpartition(".")[2],
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FACTS if hasattr(record, name)}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_to_stderr(*, as_json: bool, who: str) -> None:
    """From now on; who: which of our processes this is."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(f"%(levelname)s {who}: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
