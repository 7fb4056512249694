#!/usr/bin/env python3
"""check_spanish.py

Holds each page in Spanish beside its English: section by section they have the same level, alerts, figures, code, list items and
rows of tables; the same blocks of code but for comments; and the same links, to pages in Spanish where there are any. So a
change of a page in English is missed only where nothing but words change. Then the check itself is checked, by spoilt pages.
"""

import collections
import pathlib
import re
import sys

from lib.exposition import require
from lib.servers import Checks

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = {ROOT / "README.md": ROOT / "README.es.md"}
PAGES |= {ROOT / "docs" / page.name: page for page in sorted((ROOT / "docs/es").glob("*.md"))}
# The line of a page that says in which languages there is what.
LANGUAGES = 2
# What is another thing in Spanish: files of rules, pictures.
IN_SPANISH = {
    "docs/img/dashboard-overview-dark.png": "docs/img/dashboard-now-es-light.png",
    "docs/img/status-desktop.png": "docs/img/status-es-desktop.png",
    "docs/img/status-phone.png": "docs/img/status-es-phone.png",
    "`/usr/share/wolkvox_exporter/dashboards`": "`/usr/share/wolkvox_exporter/dashboards/es`",
    "rule_files: [/usr/share/wolkvox_exporter/alerts/*.rules.yml]": "rule_files:\n"
    "     - /usr/share/wolkvox_exporter/alerts/recording.rules.yml\n"
    "     - /usr/share/wolkvox_exporter/alerts/thresholds.rules.yml\n"
    "     - /usr/share/wolkvox_exporter/alerts/es/alerts.rules.yml",
}


def split(text):
    """The blocks of code without comments, and for each section its heading and its lines outside of blocks."""
    blocks, sections, fenced = [], [("", [])], False
    lines = text.splitlines()
    for line in lines[:LANGUAGES] + lines[LANGUAGES + 1 :]:
        if line.strip().startswith("```"):
            fenced = not fenced
            if fenced:
                blocks.append([line.strip()])
        elif fenced:
            line = re.sub(r"(^|\s)#.*", "", line).rstrip()
            blocks[-1] += [line] if line else []
        elif line.startswith("#"):
            sections.append((line, []))
        else:
            sections[-1][1].append(line)
    return blocks, sections


def anchors(text):
    """As GitHub makes them of headings."""
    titles = [heading.lstrip("#").strip().lower() for heading, _ in split(text)[1]]
    return [re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles]


def links(page, lines):
    """Where the links lead, those to headings by the heading's number: in the other language it has another name."""
    text = re.sub(r"`[^`]*`", "", "\n".join(lines))
    for link in re.findall(r'\]\(([^)]+)\)|(?:src|href)="([^"]+)"', text):
        target, _, anchor = "".join(link).partition("#")
        if "://" in target:
            yield target, anchor
            continue
        path = (page.parent / target).resolve() if target else page
        wanted = PAGES.get(path, path) if page in PAGES else path
        if anchor and wanted in PAGES.values():
            names = anchors(path.read_text())
            require(anchor in names, f"{page.name}: no heading is #{anchor} of {target}")
            anchor = names.index(anchor)
        yield str(wanted.relative_to(ROOT)), anchor


def facts(page, heading, lines):
    text = "\n".join(lines)
    prose = re.sub(r"`[^`]*`|\]\([^)]*\)|<[^>]*>|://\S+", " ", text)
    return {
        "level": len(heading) - len(heading.lstrip("#")),
        "alerts": collections.Counter(re.findall(r"\bWolkvox[A-Z]\w+", heading + text)),
        "code": collections.Counter(re.findall(r"`([^`]+)`", text)),
        # 1,000 is 1.000 in some countries.
        "figures": collections.Counter(re.sub(r"\D", "", figure) for figure in re.findall(r"\d[\d.,]*", prose)),
        "items and rows": collections.Counter(re.findall(r"^ *(-|\d+\.|\|)(?=[ -])", text, re.M)),
        "links": collections.Counter(links(page, lines)),
    }


def differing(english, spanish, page, translation):
    """What of the pages, given as texts, is not the same."""
    for here, there in IN_SPANISH.items():
        english = english.replace(here, there)
    (blocks, sections), (other_blocks, other_sections) = split(english), split(spanish)
    if len(sections) != len(other_sections):
        headings, others = ({heading for heading, _ in each} for each in (sections, other_sections))
        return [f"sections: only in English {sorted(headings - others)}, only in Spanish {sorted(others - headings)}"]
    found = []
    for (heading, lines), (other_heading, other_lines) in zip(sections, other_sections):
        one, other = facts(page, heading, lines), facts(translation, other_heading, other_lines)
        for kind in one:
            if one[kind] != other[kind]:
                missing, more = (one[kind] - other[kind], other[kind] - one[kind]) if kind != "level" else (one[kind], other[kind])
                found.append(f"{kind} of {heading or 'the beginning'}: only in English {missing}, only in Spanish {more}")
    found += [f"a block of code: {one} and {other}" for one, other in zip(blocks, other_blocks) if one != other]
    return found + [f"{len(blocks)} and {len(other_blocks)} blocks of code"] * (len(blocks) != len(other_blocks))


def check_page(page, translation):
    require(page.exists(), f"{translation.relative_to(ROOT)} has no page in English")
    english, spanish = page.read_text(), translation.read_text()
    for text, here, there in ((english, page, translation), (spanish, translation, page)):
        targets = re.findall(r"\]\(([^)#]+)\)", text.splitlines()[LANGUAGES])
        require(there in [(here.parent / target).resolve() for target in targets], f"{here.name} does not begin with a link to the other language")
    found = differing(english, spanish, page, translation)
    require(not found, "\n  ".join([f"{translation.relative_to(ROOT)} is not beside its English:", *found]))


def check_mistakes():
    page, first = ROOT / "docs/runbook.md", ROOT / "docs/first-day.md"
    for what, where, pattern, other in (
        ("level", page, r"^## (Wolkvox\w+)$", r"### \1"),
        ("sections", page, r"^## Wolkvox\w+\n", ""),
        ("alerts", page, r"^## Wolkvox(\w+)$", r"## \1"),
        ("code", page, r"`amtool ", "`amtol "),
        ("figures", page, r" 1 %", " 2 %"),
        ("items and rows", page, r"^- \*\*.*\n", ""),
        ("links", first, r"\]\(runbook.md\)", "](../runbook.md)"),
        ("block of code", first, r"America/Bogota", "America/Lima"),
    ):
        english, spanish = where.read_text(), PAGES[where].read_text()
        spoilt = re.sub(pattern, other, spanish, count=1, flags=re.M)
        require(spoilt != spanish, f"nothing to spoil: {pattern}")
        found = differing(english, spoilt, where, PAGES[where])
        require(any(what in one.split(":")[0] for one in found), f"{pattern} is not seen in {where.name}: {found}")


def main():
    check = Checks()
    require(len(PAGES) >= 3, f"pages {PAGES}")
    for page, translation in PAGES.items():
        check(f"{translation.relative_to(ROOT)} is beside {page.relative_to(ROOT)}", check_page, page, translation)
    check("planted mistakes are found", check_mistakes)
    return check.verdict()


if __name__ == "__main__":
    sys.exit(main())
