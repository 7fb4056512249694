"""The dashboards in another language: the same queries, other words.

A catalogue has each English text once, sentence by sentence, in the order of the dashboards. What it lacks, and what no dashboard
says any more, is a mistake.
"""

import json
import pathlib
import re
import tomllib
from typing import Any

from .style import Json

SENTENCES = re.compile(r"(?<=\.) (?=[A-Z(`0-9])|(?<=[Ll]ines:) (?=[A-Z])")
# What is the same everywhere: labels, variables, numbers with units, figures of one letter.
NEUTRAL = re.compile(r"(\$\{?[\w.]+\}?|\{\{\w+\}\}|[\d.,%+≥–—\s-]|\bs\b|\bh\b|·|\u200b)*")


class Catalogue:
    """Translates, and remembers what was looked for."""

    def __init__(self, path: pathlib.Path, source: str) -> None:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        self.language, self.source = path.stem, source
        self.texts = {text: other for table in tables.values() for text, other in table.items()}
        if sum(map(len, tables.values())) != len(self.texts):
            raise SystemExit(f"{path.name}: a text is there twice")
        self.used: set[str] = set()
        self.missing: dict[str, None] = {}

    def __call__(self, text: str) -> str:
        """One text: a title, a name, or sentences."""
        return " ".join(self.sentence(one) for one in SENTENCES.split(text))

    def sentence(self, text: str) -> str:
        if NEUTRAL.fullmatch(text):
            return text
        if found := re.fullmatch(r"Source: (.*)", text):
            return f"{self.source}: {found[1]}"
        self.used.add(text)
        if text not in self.texts:
            self.missing[text] = None
        return self.texts.get(text, text)

    def legend(self, text: str) -> str:
        """Words of a legend; labels, and the operation at its end, stay."""
        kept = re.split(r"(\{\{\w+\}\}|\$\{?[\w.]+\}?| · )", text)
        return "".join(part if number % 2 else self.words(part) for number, part in enumerate(kept))

    def words(self, text: str) -> str:
        stripped = text.strip()
        return text.replace(stripped, self(stripped)) if stripped else text

    def check(self) -> None:
        """Ends the build where the catalogue and the dashboards differ."""
        unused = [text for text in self.texts if text not in self.used]
        if self.missing or unused:
            lines = [f"  {text!r} is missing" for text in self.missing] + [f"  {text!r} is not used" for text in unused]
            raise SystemExit("\n".join([f"texts/{self.language}.toml:", *lines]))


def translated(dashboard: Json, say: Catalogue) -> Json:
    """A dashboard of its own in the language of the catalogue, with links among those of the language."""
    suffix = f"-{say.language}"
    # Not a deep copy, in which panels would share the parts that they share here, and those would be translated twice.
    other = json.loads(json.dumps(dashboard))
    other["uid"] += suffix
    other["title"] = "Wolkvox / " + say(dashboard["title"].removeprefix("Wolkvox / "))
    other["description"] = say(dashboard["description"])
    for link in other["links"]:
        link["title"], link["url"] = say(link["title"]), link["url"] + suffix
    for variable in other["templating"]["list"]:
        if variable["label"]:
            variable["label"] = say(variable["label"])
    for annotation in other["annotations"]["list"]:
        annotation["name"] = say(annotation["name"])
        annotation["titleFormat"] = say.legend(annotation["titleFormat"])
    for panel in other["panels"]:
        translate_panel(panel, say, suffix)
    return other


def translate_panel(panel: Json, say: Catalogue, suffix: str) -> None:
    panel["title"] = say(panel["title"])
    if "description" in panel:
        panel["description"] = say(panel["description"])
    for target in panel.get("targets", []):
        target["legendFormat"] = say.legend(target["legendFormat"])
    config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
    if "noValue" in config["defaults"]:
        config["defaults"]["noValue"] = say(config["defaults"]["noValue"])
    translate_mappings(config["defaults"].get("mappings", []), say)
    for override in config["overrides"]:
        if found := re.fullmatch(r"/\^(.*)(\( · \|.*)", override["matcher"]["options"]):
            field = re.sub(r"\\(.)", r"\1", found[1])
            override["matcher"]["options"] = f"/^{re.escape(say.legend(field))}{found[2]}"
        for one in override["properties"]:
            one["value"] = translate_property(one["id"], one["value"], say, suffix)
    for one in panel.get("options", {}).get("sortBy", []):
        one["displayName"] = say(one["displayName"])


def translate_property(key: str, value: Any, say: Catalogue, suffix: str) -> Any:
    if key == "displayName":
        return say.legend(value)
    if key == "noValue":
        return say(value)
    if key == "mappings":
        translate_mappings(value, say)
    if key == "links":
        for link in value:
            link["title"] = say(link["title"])
            link["url"] = re.sub(r"^(/d/[\w-]+)", rf"\1{suffix}", link["url"])
    return value


def translate_mappings(mappings: list[Json], say: Catalogue) -> None:
    for mapping in mappings:
        for one in mapping["options"].values():
            one["text"] = say(one["text"])
