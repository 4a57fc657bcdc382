#!/usr/bin/env python3
"""Writes template_cases.yml anew: asks ansible-core what each of its texts gives.

Needs ansible-core 2.19 in the Python that runs it; nothing in the build or in the tests does. Give new texts as further
arguments or add them to the file by hand as `- {"text": "..."}`; `when` instead of `text` is a condition.
"""
import json
import pathlib
import re
import sys

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

FILE = pathlib.Path(__file__).with_name("template_cases.yml")
HEAD = """\
# What ansible-core 2.19.14 makes of these texts and conditions with `vars`. Written by template_cases.py, which asked it;
# `error` is the undefined name it complains of, or `true` for any other mistake. Do not edit the answers by hand.
"""


def trust(value):
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, list):
        return [trust(item) for item in value]
    if isinstance(value, dict):
        return {trust(key): trust(item) for key, item in value.items()}
    return value


def plain(value):
    return json.loads(json.dumps(value, default=str))


def ask(case, variables):
    templar = Templar(loader=DataLoader(), variables=trust(variables))
    try:
        if "when" in case:
            return {"when": case["when"], "value": templar.evaluate_conditional(trust(case["when"]))}
        return {"text": case["text"], "value": plain(templar.template(trust(case["text"])))}
    except Exception as error:  # whatever it is, it is Ansible's answer
        name = re.search(r"'([\w.]+)' is undefined", str(error))
        kind = "when" if "when" in case else "text"
        return {kind: case[kind], "error": name.group(1) if name else True}


def main():
    init_plugin_loader()
    table = yaml.safe_load(FILE.read_text())
    cases = table["cases"] + [{"text": text} for text in sys.argv[1:]]
    lines = [HEAD + "vars:\n"]
    for name, value in table["vars"].items():
        lines.append(f"  {name}: {json.dumps(value, ensure_ascii=False)}\n")
    lines.append("cases:\n")
    for case in cases:
        lines.append(f"  - {json.dumps(ask(case, table['vars']), ensure_ascii=False)}\n")
    FILE.write_text("".join(lines))


main()
