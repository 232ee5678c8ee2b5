#!/usr/bin/env python3
"""The blocks of the documents: what a reader copies, cut out of them, so that the text itself is what is tested.

In Markdown a fenced block's kind is the word behind its fence; an indented one is a shell recipe (sh), or with "$ " in front
a command and what it prints (console). In a man page a .Bd -literal block is the latter, or YAML.
"""

import glob
import os
import re
import sys
from dataclasses import dataclass

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCUMENTS = ["README.md", "docs/*.md", "docs/man/*", "hooks/README.md", "manifests/README.md", "examples/*/README.md"]


@dataclass(frozen=True)
class Block:
    document: str  # from the checkout's root
    line: int
    kind: str
    text: str

    def __str__(self):
        return f"{self.document}:{self.line}: {self.text.splitlines()[0][:60]}"


def documents():
    """By their names from the checkout's root."""
    return [name for pattern in DOCUMENTS for name in sorted(glob.glob(pattern, root_dir=CHECKOUT))]


def text_of_document(name):
    with open(os.path.join(CHECKOUT, name)) as file:
        return file.read()


def blocks():
    """All there are."""
    return [block for name in documents() for block in in_document(name, text_of_document(name))]


def block(document, beginning):
    """The one of a document that begins so."""
    found = [block for block in blocks() if block.document == document and block.text.startswith(beginning)]
    assert len(found) == 1, f"{document}: {len(found)} blocks begin with {beginning!r}, expected 1"
    return found[0]


def in_document(name, text):
    lines = text.splitlines()
    return list(in_markdown(name, lines) if name.endswith(".md") else in_man_page(name, lines))


def shell_kind(text):
    return "console" if text.startswith("$ ") else "sh"


def in_markdown(name, lines):
    i = 0
    while i < len(lines):
        start = i
        if fence := re.match(r"( *)```(.*)", lines[i]):
            while not re.fullmatch(r" *```", lines[i := i + 1]):
                pass
            yield Block(name, start + 1, fence[2] or "no kind", text_of(lines[start + 1 : i]))
        elif lines[i].startswith("    ") and (i == 0 or not lines[i - 1]):
            while i < len(lines) and (lines[i].startswith("    ") or not lines[i]):
                i += 1
            text = text_of(lines[start:i])
            yield Block(name, start + 1, shell_kind(text), text)
            continue
        i += 1


def in_man_page(name, lines):
    for start, line in enumerate(lines):
        if line.startswith(".Bd -literal"):
            text = text_of(lines[start + 1 : lines.index(".Ed", start)]).replace("\\-", "-").replace("\\e", "\\")
            kind = shell_kind(text)
            yield Block(name, start + 1, "yaml" if kind == "sh" else kind, text)


def text_of(lines):
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:] for line in lines).strip("\n") + "\n"


if __name__ == "__main__":
    # For scripts: its text
    print(block(*sys.argv[1:]).text, end="")
