"""EMAIL_URL: the mail server in one line. No models here, because the settings import this."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["email_settings"]

_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def email_settings(environ: Mapping[str, str], host: str) -> dict[str, Any]:
    """Django's EMAIL_... settings; raises ValueError, without the password, if EMAIL_URL is
    invalid.

    `smtps://user:password@mail.example.net` is TLS from the start (port 465), `smtp+tls://` is
    STARTTLS (587), `smtp://` is neither (25). Without EMAIL_URL no mail can be sent.
    """
    chosen: dict[str, Any] = {
        "EMAIL_TIMEOUT": 15,
        "DEFAULT_FROM_EMAIL": environ.get("LEVITY_EMAIL_FROM") or f"levity@{host}",
    }
    chosen["SERVER_EMAIL"] = chosen["DEFAULT_FROM_EMAIL"]
    url = environ.get("EMAIL_URL", "").strip()
    if not url:
        return {**chosen, "EMAIL_HOST": ""}
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        if not parts.hostname or parts.scheme not in _PORTS:
            raise ValueError
    except (ValueError, KeyError):
        raise ValueError(
            "EMAIL_URL: expected smtps://user:password@host:465, smtp+tls://user:password@host:587 "
            "or smtp://host:25 (special characters in the password percent-encoded)"
        ) from None
    return {
        **chosen,
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
    }
