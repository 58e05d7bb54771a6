"""The texts about several experiments, one after another, for a report of all of them."""

from __future__ import annotations

from collections.abc import Mapping

from sweeps.report.document import readme


def joined(texts: Mapping[str, str | None], *, title: bool) -> str | None:
    """The texts as one, each under a heading with the name of its experiment and the title of the text.

    Args:
        texts: Markdown by experiment, None where there is none.
        title: whether a title that names all experiments comes first.

    Returns:
        Markdown; None without a text and a title.
    """
    parts, level = ([f"# {' and '.join(texts)}"], "##") if title else ([], "###")
    for name, text in texts.items():
        own, body = readme(text or "")
        if own or body:
            parts.append("\n\n".join(filter(None, (f"{level} {name}{f': {own}' if own else ''}", body))))
    return "\n\n".join(parts) or None
