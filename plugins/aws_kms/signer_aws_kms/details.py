"""What an answer tells beside its status: the JSON in it, the request's id, the server's clock, when to come again."""

import datetime as dt
import json
import re
from email.utils import parsedate_to_datetime
from typing import Any

from signer_aws_kms.answer import Answer

_LONGEST_TEXT = 400  # characters of a text of the server's
_LONGEST_RETRY_AFTER = 3600.0
_SECONDS = r"\d{1,9}(\.\d{1,9})?"


def parsed_json(answer: Answer) -> dict[str, Any] | None:
    """The JSON object that is the answer's body, or None. Operations that have nothing to tell have an empty body."""
    if not answer.body:
        return {}
    try:
        parsed = json.loads(answer.body.decode())
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def request_id(answer: Answer) -> str:
    """AWS's id of the request, which its support asks for."""
    return plain(answer.headers.get("x-amzn-requestid", "")) or "without id"


def retry_after(answer: Answer) -> float | None:
    """The seconds that the server asks to wait, an hour at most: it tells them, or the time when they are over."""
    text = answer.headers.get("retry-after", "")
    if re.fullmatch(_SECONDS, text, re.ASCII):
        seconds = float(text)
    else:
        then, now = _date(text), server_date(answer)
        if then is None or now is None:
            return None
        seconds = max(0.0, then - now)
    return min(seconds, _LONGEST_RETRY_AFTER)


def server_date(answer: Answer) -> float | None:
    """The server's clock, in seconds since the epoch."""
    return _date(answer.headers.get("date", ""))


def _date(text: str) -> float | None:
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=dt.UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def plain(text: str) -> str:
    """``text`` as one printable line of bearable length."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT]}…"
