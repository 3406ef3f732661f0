"""Takes out of ICU's data what Martlet never uses: languages, regions and character sets.

    trim_icu.py DATA TRIMMED

Foundation is linked for the YAML reader, and brings 34 MB of ICU data with it. ICU is made to be
given less, and falls back to its root locale for what is not there. What is kept, of the root
locale and of English: calendars and numbers, time zones, normalization, rules of breaking text; no
names of languages, regions and units, no order of sorting by language, no character sets. The
layout is that of ICU's own packages (a header, a table of offsets, names, items). What is not laid
out so, or lacks what has to stay, is refused: the image is not built then.
Docs/Decisions/0020-image-without-ballast.md weighs it.
"""

import re
import struct
import sys

LANGUAGE = re.compile(r"(?:.*/)?([a-z]{2,3})(?:_\w+)?\.res")
KEPT = {"en", "en_US", "en_US_POSIX", "en_001"}
DROPPED = (
    *(".cnv", ".dict", ".lstm", ".spp", ".cfu", "/unames.icu", "/line_"),
    *("/translit/", "/rbnf/", "/coll/", "/lang/", "/region/", "/unit/"),
)
# Without these ICU, and with it Foundation, would fail in place of falling back.
NEEDED = {"root.res", "en.res", "zoneinfo64.res", "supplementalData.res", "likelySubtags.res"}


def is_kept(name):
    if any(part in name for part in DROPPED):
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
    source, target = sys.argv[1:]
    with open(source, "rb") as file:
        data = file.read()
    size, magic1, magic2 = struct.unpack_from("<HBB", data)
    if (magic1, magic2) != (0xDA, 0x27) or data[12:16] != b"CmnD":
        sys.exit(f"{source}: not a package of ICU data")
    everything = list(items(data, size))
    kept = [(name, body) for name, body in everything if is_kept(name)]
    names = {name.split("/", 1)[-1] for name, _ in kept}
    missing = NEEDED - names
    if missing or len(kept) > len(everything) / 2:
        sys.exit(f"{source}: not laid out as expected; missing: {sorted(missing)}")
    trimmed = package(data[:size], kept)
    if [name for name, _ in items(trimmed, size)] != [name for name, _ in kept]:
        sys.exit(f"{source}: what was written does not read back")
    with open(target, "wb") as file:
        file.write(trimmed)
    print(f"ICU data: {len(kept)} of {len(everything)} items, {len(trimmed) / 1e6:.1f} MB")


main()
