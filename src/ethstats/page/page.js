"use strict";
// Asks for all nodes every two seconds and writes what differs into the page. Only text is ever set, never markup.

const byId = (id) => document.getElementById(id);
const rows = new Map();
let nodes = [];
let answered = 0; // when the server last answered, by this clock
let ahead = 0; // how far the server's clock is ahead of this one, in seconds

const clock = () => Date.now() / 1000;
const seconds = (count) => {
  const s = Math.max(0, Math.round(count));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  if (s < 172800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
};
const short = (hash) => `${hash.slice(2, 8)}…${hash.slice(-4)}`;

function set(element, text, kind, title) {
  if (element.textContent !== text) element.textContent = text;
  if (kind !== undefined && element.className !== kind) element.className = kind;
  if (title !== undefined && element.title !== title) element.title = title;
}

// "Geth/v1.13.15-stable-c5ba367e/linux-amd64/go1.22.2" becomes "Geth 1.13.15".
function client(text) {
  const found = /^([^/]+)\/(?:[^/]+\/)?v?(\d+(?:\.\d+)+)/.exec(text);
  return found ? `${found[1]} ${found[2]}` : text || "–";
}

function make(name) {
  const row = document.createElement("tr");
  const cell = (label, kind) => {
    const made = document.createElement(label ? "td" : "th");
    if (label) made.dataset.label = label;
    else made.scope = "row";
    if (kind) made.className = kind;
    row.append(made);
    return made;
  };
  const inside = (parent, kind) => {
    const made = document.createElement("span");
    made.className = kind;
    parent.append(made);
    return made;
  };
  const parts = { row, name: cell("") };
  parts.state = inside(cell("State"), "mark");
  parts.does = cell("Does");
  parts.client = cell("Client");
  const head = cell("Head", "head");
  parts.head = inside(head, "");
  parts.hash = inside(head, "hash");
  parts.behind = inside(head, "");
  parts.age = cell("Block age", "number");
  parts.peers = cell("Peers", "number");
  parts.latency = cell("Latency", "number");
  set(parts.name, name);
  return parts;
}

function show() {
  const time = clock() + ahead;
  const active = nodes.filter((node) => node.state === "active");
  const heads = active.map((node) => node.head).filter(Boolean);
  const best = heads.reduce((top, head) => (!top || head.number > top.number ? head : top), null);
  // Two hashes at one height, told by nodes that are active: a split (or, for a moment, a reorganisation). Marked are
  // those that are not with most.
  const votes = new Map();
  for (const head of heads) {
    if (!votes.has(head.number)) votes.set(head.number, new Map());
    const hashes = votes.get(head.number);
    hashes.set(head.hash, (hashes.get(head.hash) || 0) + 1);
  }
  const alone = (head) => {
    const own = votes.get(head.number).get(head.hash);
    return [...votes.get(head.number)].some(([hash, count]) => hash !== head.hash && count >= own);
  };

  set(byId("active"), nodes.length ? `${active.length} of ${nodes.length}` : "0");
  set(byId("head"), best ? String(best.number) : "–");
  set(byId("age"), best ? seconds(time - best.time) + " ago" : "–");
  set(byId("sealing"), String(active.filter((node) => node.sealing).length));
  byId("empty").hidden = nodes.length > 0;

  for (const node of nodes) {
    if (!rows.has(node.name)) rows.set(node.name, make(node.name));
    const parts = rows.get(node.name);
    const kind = { active: "good", stale: "warn", offline: "bad" }[node.state];
    const silent = node.state === "active" ? "" : ` ${seconds(time - node.last_seen)}`;
    if (parts.row.className !== node.state) parts.row.className = node.state;
    set(parts.state, node.state + silent, `mark ${kind}`, `last heard ${new Date(node.last_seen * 1000).toLocaleString()}`);
    set(parts.client, client(node.client), undefined, node.client);
    set(parts.peers, node.peers === null ? "–" : String(node.peers));
    set(parts.head, node.head ? String(node.head.number) : "–");
    set(parts.hash, node.head ? short(node.head.hash) : "", undefined, node.head ? node.head.hash : "");
    const behind = node.head && best ? best.number - node.head.number : 0;
    if (node.head && node.state === "active" && alone(node.head)) set(parts.behind, "other hash", "mark bad behind");
    else if (behind > 0) set(parts.behind, `${behind} behind`, `mark behind ${behind > 2 ? "bad" : "warn"}`);
    else set(parts.behind, "", "");
    set(parts.age, node.head ? seconds(time - node.head.time) : "–");
    set(parts.latency, node.latency_ms === null ? "–" : `${node.latency_ms} ms`);
    set(parts.does, node.syncing ? "syncing" : node.sealing ? "sealing" : "following");
  }
  const body = byId("nodes");
  const wanted = nodes.map((node) => rows.get(node.name).row);
  if (wanted.length !== body.children.length || wanted.some((row, i) => row !== body.children[i])) body.replaceChildren(...wanted);
  for (const name of rows.keys()) if (!nodes.some((node) => node.name === name)) rows.delete(name);

  const lost = answered && clock() - answered > 7;
  document.body.classList.toggle("lost", Boolean(lost));
  byId("alarm").hidden = !lost;
  if (lost) set(byId("alarm"), `The stats server has not answered for ${seconds(clock() - answered)}; what is shown is old.`);
  if (answered) set(byId("freshness"), lost ? "" : "Live");
}

async function ask() {
  try {
    const response = await fetch("api/nodes", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(response.statusText);
    const date = Date.parse(response.headers.get("date"));
    nodes = await response.json();
    answered = clock();
    // The header has whole seconds: only a clock that is really off is corrected.
    ahead = Math.abs(date / 1000 - answered) > 2 ? date / 1000 - answered : 0;
    show();
  } catch {
    if (!answered) answered = clock() - 8;
  } finally {
    setTimeout(ask, 2000);
  }
}

ask();
setInterval(show, 1000);
