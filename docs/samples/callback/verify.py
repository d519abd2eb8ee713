"""How a business system checks a callback of the platform (§7.3): see docs/callbacks.md. Python 3.10 or later."""

import base64
import hashlib
import hmac
import json
import re
import sys

TOLERANCE_SECONDS = 300


def verify(body: bytes, secrets: list[str], now: int) -> dict[str, str] | None:
    """Returns the fields of a genuine, recent callback, and None for anything else.

    body is what arrived, byte for byte; secrets are the callback secrets held (whsec_…); now is in seconds since 1970.
    Only fields that the signature covers are returned, so an empty one counts as absent.
    """
    fields = parse(body)
    if fields is None:
        return None
    signs = [fields.pop(name, "").encode() for name in ("sign", "sign_previous")]
    signed = {key: value for key, value in fields.items() if value}
    # Python orders text by code points, which is the order of its UTF-8 bytes.
    text = "&".join(f"{key}={signed[key]}" for key in sorted(signed)).encode()
    genuine = any(
        hmac.compare_digest(sign, hmac.new(key, text, hashlib.sha256).hexdigest().encode())
        for key in map(key_of, secrets)
        if key is not None
        for sign in signs
    )
    timestamp = signed.get("timestamp", "")
    recent = re.fullmatch("[0-9]{1,18}", timestamp) and abs(now - int(timestamp)) <= TOLERANCE_SECONDS
    return signed if genuine and recent else None


def key_of(secret: str) -> bytes | None:
    """A secret that is not whsec_ and base64 has no key, and nothing is genuine by it."""
    if not secret.startswith("whsec_"):
        return None
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True) or None
    except ValueError:
        return None


def parse(body: bytes) -> dict[str, str] | None:
    """Reads a JSON object of strings, in UTF-8 and with each key once."""
    try:
        fields = json.loads(body.decode(), object_pairs_hook=object_of_strings)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def object_of_strings(pairs: list[tuple[str, object]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for key, value in pairs:
        if key in fields or not isinstance(value, str):
            raise ValueError("not an object of strings, each key once")
        (key + value).encode()  # a surrogate that stands alone is not Unicode text: UnicodeEncodeError, a ValueError
        fields[key] = value
    return fields


def main() -> None:
    """Reads lines of now, secrets joined by commas, and base64 of the body, separated by tabs."""
    for line in sys.stdin:
        now, secrets, body = line.rstrip("\n").split("\t")
        fields = verify(base64.b64decode(body), secrets.split(","), int(now))
        print("invalid" if fields is None else "valid")


if __name__ == "__main__":
    main()
