"""Takes out of ICU's data what Martlet never uses: languages, regions and character sets.

    trim_icu.py DATA SYMBOL >DATA.s

Foundation is linked for the YAML reader, and brings 34 MB of ICU data with it. ICU is made to be
given less, and falls back to its root locale for what is not there. What is kept: everything that
belongs to no language (time zones, normalization, rules of breaking text), the root locale, and
English. The layout is that of ICU's own packages (a header, a table of offsets, names, items).
"""

import re
import struct
import sys

LANGUAGE = re.compile(r"(?:.*/)?([a-z]{2,3})(?:_\w+)?\.res")
KEPT = {"en", "en_US", "en_US_POSIX", "en_001"}
DROPPED = (".cnv", ".dict", ".lstm", ".spp", "/unames.icu", "/translit/", "/rbnf/", ".cfu")


def is_kept(name):
    if any(name.endswith(ending) or ending in name for ending in DROPPED):
        return False
    match = LANGUAGE.fullmatch(name)
    return match is None or name.rsplit("/", 1)[-1].removesuffix(".res") in KEPT


def items(data, base):
    count = struct.unpack_from("<I", data, base)[0]
    table = [struct.unpack_from("<II", data, base + 4 + 8 * index) for index in range(count)]
    ends = [start for _, start in table[1:]] + [len(data) - base]
    for (name, start), end in zip(table, ends):
        text = data[base + name : data.index(0, base + name)].decode("ascii")
        yield text, data[base + start : base + end]


def package(header, kept):
    """Offsets are counted from the end of the header on; items lie at multiples of 16."""
    names, name_offsets = b"", []
    for name, _ in kept:
        name_offsets.append(4 + 8 * len(kept) + len(names))
        names += name.encode("ascii") + b"\0"
    start = 4 + 8 * len(kept) + len(names)
    table, bodies = struct.pack("<I", len(kept)), b""
    padding = -(start + len(header)) % 16
    for (_, body), name_offset in zip(kept, name_offsets):
        table += struct.pack("<II", name_offset, start + padding + len(bodies))
        bodies += body + bytes(-len(body) % 16)
    return header + table + names + bytes(padding) + bodies


def main():
    path, symbol = sys.argv[1:]
    with open(path, "rb") as file:
        data = file.read()
    size, magic1, magic2 = struct.unpack_from("<HBB", data)
    if (magic1, magic2) != (0xDA, 0x27) or data[12:16] != b"CmnD":
        sys.exit(f"{path}: not a package of ICU data")
    kept = [(name, body) for name, body in items(data, size) if is_kept(name)]
    trimmed = package(data[:size], kept)
    print('.section .rodata.icu, "a", @progbits\n.balign 16')
    print(f".global {symbol}\n.type {symbol}, @object\n{symbol}:")
    for offset in range(0, len(trimmed), 32):
        print(".byte " + ",".join(map(str, trimmed[offset : offset + 32])))
    print(f".size {symbol}, {len(trimmed)}\n.section .note.GNU-stack, \"\", @progbits")
    print(f"ICU data: {len(kept)} items, {len(trimmed) / 1e6:.1f} MB", file=sys.stderr)


main()
