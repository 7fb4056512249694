#!/usr/bin/env python3
"""build.py [FOLDER]

Writes the alerts in other languages below FOLDER, by default next to this file: `es/alerts.rules.yml` is Spanish. Each has the
alerts of alerts.rules.yml with the texts of its catalogue in `texts`, and links to the runbook and the dashboards of its
language. The files are committed: run this after changing the alerts or a catalogue, a test compares. Needs PyYAML, which is
Debian's python3-yaml.

A catalogue has each text beside its English. So a text that is missing, left over or translated from another English ends the
build, and so does a figure or a name that only one of both has.
"""

import copy
import pathlib
import re
import sys

import yaml

HERE = pathlib.Path(__file__).resolve().parent
TEXTS = ("summary", "description")
EXPRESSION = re.compile(r"{{.*?}}")
# Words that a template says itself, as in {{ or $labels.instance "any exporter" }}.
WORDS = re.compile(r'"[\w,.]+( [\w,.]+)+"')


class Dumper(yaml.SafeDumper):
    """Lists are indented, no text is shortened to a reference, and one of several lines stays so."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data):
        return True

    def represent_str(self, text):
        return self.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Dumper.add_representer(str, Dumper.represent_str)


def expressions(text):
    """What Prometheus fills into a text."""
    return {WORDS.sub('""', found) for found in EXPRESSION.findall(text)}


def translated(english, catalogue, language):
    """The groups in the language, and what is wrong with its catalogue."""
    groups, wrong, used = copy.deepcopy(english), [], set()
    for rule in (rule for group in groups["groups"] for rule in group["rules"]):
        name, annotations = rule["alert"], rule["annotations"]
        for kind in TEXTS:
            text = catalogue.get(name, {}).get(kind, {})
            used.add((name, kind))
            if text.get("en") != annotations[kind]:
                wrong.append(f"{name}: the {kind} is {'of another English' if text else 'missing'}; translate: {annotations[kind]}")
            elif not text.get(language):
                wrong.append(f"{name}: the {kind} is missing")
            elif differing := expressions(text["en"]) ^ expressions(text[language]):
                wrong.append(f"{name}: only one language of the {kind} has {' and '.join(sorted(differing))}")
            else:
                annotations[kind] = text[language]
        annotations["runbook_url"] = annotations["runbook_url"].replace("/docs/", f"/docs/{language}/")
        if "dashboard_url" in annotations:
            annotations["dashboard_url"] = re.sub(r"(/d/wolkvox-\w+)", rf"\1-{language}", annotations["dashboard_url"])
    there = {(name, kind) for name, texts in catalogue.items() for kind in texts}
    wrong += [f"{name}: the {kind} is left over" for name, kind in sorted(there - used)]
    return groups, wrong


def build(language, texts):
    """The file of rules of a language, from the text of its catalogue."""
    english = yaml.safe_load((HERE / "alerts.rules.yml").read_text(encoding="utf-8"))
    groups, wrong = translated(english, yaml.safe_load(texts), language)
    if wrong:
        raise SystemExit("\n".join([f"alerts/texts/{language}.yml:", *(f"  {one}" for one in wrong)]))
    written = yaml.dump(groups, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return "# Made by alerts/build.py from alerts.rules.yml and texts; changes here are lost.\n" + written


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for catalogue in sorted((HERE / "texts").glob("*.yml")):
        language = catalogue.stem
        written = build(language, catalogue.read_text(encoding="utf-8"))
        (folder / language).mkdir(parents=True, exist_ok=True)
        (folder / language / "alerts.rules.yml").write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
