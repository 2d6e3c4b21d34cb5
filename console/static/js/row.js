// One row of the live board, filled with what an incident says.

import { set } from "./text.js";
import { tick, tickWhenSeen } from "./time.js";
import { CONNECTIONS, URGENCIES, keys, masked, purpose, state, takes } from "./words.js";

const template = document.getElementById("row-template").content.firstElementChild;


function shape(element, name) {
  element.querySelector("use").setAttribute("href", `#shape-${name}`);
}

export function fill(row, incident) {
  const { word, shape: form } = URGENCIES[incident.urgency];
  const look = `urgency-${incident.urgency}`;
  if (!row.classList.contains(look)) row.className = `row ${look}`;
  row.classList.remove("gone");
  row.dataset.reference = incident.reference;
  shape(row.querySelector(".rank"), form);
  set(row.querySelector(".rank .word"), word);
  const wait = row.querySelector("time");
  wait.dataset.since = incident.started_at;
  wait.dateTime = incident.started_at;
  tick(wait);
  const link = row.querySelector(".reference a");
  link.href = `/incidents/${incident.reference}`;
  set(link, incident.reference);
  const tag = row.querySelector("[data-purpose]");
  set(tag, purpose(incident));
  tag.hidden = !tag.textContent;
  set(row.querySelector(".caller"), masked(incident));
  set(row.querySelector("[data-keys]"), keys(incident.keys));
  const line = row.querySelector(".connection");
  line.className = `connection connection-${incident.connection}`;
  shape(line, incident.connection);
  set(line.querySelector(".word"), CONNECTIONS[incident.connection]);
  set(row.querySelector("[data-reasons]"), incident.reasons.join(" · "));
  const of = row.querySelector("[data-state]");
  set(of, state(incident));
  of.hidden = !of.textContent;
  const claim = row.querySelector("[data-claim]");
  if (!claim) return; // a role that only reads
  const how = takes(incident);
  claim.hidden = !how;
  if (!how) return;
  set(claim, how);
  claim.setAttribute("aria-label", `${how} ${incident.reference}`);
}

export function made(incident) {
  const row = template.cloneNode(true);
  fill(row, incident);
  row.classList.add("arrived");
  tickWhenSeen(row);
  return row;
}
