"""Renders a table as HTML. Strains processor and the allocator with many small texts.

Owns a template engine of a few lines on the standard library (the benchmark it is named after uses the library
`chameleon`, which is not needed here). Must never put a text into a page unescaped.
"""

import hashlib
import html
import re

TEMPLATE = """<table class="${style}">
{% for row in rows %}<tr>{% for cell in row %}<td>${cell}</td>{% end %}</tr>
{% end %}</table>
"""


def parse(template):
    """A tree of texts, fields `("field", name)` and loops `("loop", name, list, body)`."""
    stack = [[]]
    for piece in re.split(r"(\{%.*?%\}|\$\{.*?\})", template):
        if piece.startswith("${"):
            stack[-1].append(("field", piece[2:-1].strip()))
        elif piece.startswith("{%"):
            words = piece[2:-2].split()
            if words[0] == "for":
                loop = ("loop", words[1], words[3], [])
                stack[-1].append(loop)
                stack.append(loop[3])
            else:
                stack.pop()
        elif piece:
            stack[-1].append(piece)
    return stack[0]


def render(tree, scope, out):
    """Appends what a tree gives with these variables."""
    for node in tree:
        if isinstance(node, str):
            out.append(node)
        elif node[0] == "field":
            out.append(html.escape(str(scope[node[1]])))
        else:
            _, name, items, body = node
            for item in scope[items]:
                render(body, {**scope, name: item}, out)


def main(args):
    rows, columns = args.get("rows", 100), args.get("columns", 10)
    for name, value in [("rows", rows), ("columns", columns)]:
        if not isinstance(value, int) or not 1 <= value <= 10_000:
            raise ValueError(f"{name} must be a whole number from 1 to 10000, not {value!r}")
    table = [[f"<{row}> & {column}" for column in range(columns)] for row in range(rows)]
    out = []
    render(parse(TEMPLATE), {"style": "wide", "rows": table}, out)
    page = "".join(out)
    return {"bytes": len(page), "sha256": hashlib.sha256(page.encode()).hexdigest()}
