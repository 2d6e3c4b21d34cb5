// Times on the screen: the server's clock, not this computer's, and local time in London.

import { waiting } from "./words.js";

let offset = Date.parse(document.documentElement.dataset.now) - Date.now();

const local = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Europe/London", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const zoned = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Europe/London", hour: "2-digit", minute: "2-digit", second: "2-digit",
  timeZoneName: "short",
});

export function now() {
  return Date.now() + offset;
}

export function heard(at) {
  offset = Date.parse(at) - Date.now();
}

export function clock(at) {
  return local.format(typeof at === "string" ? Date.parse(at) : at);
}

export function tick(element) {
  const since = element.dataset.since;
  if (!since) return;
  const text = waiting(now() - Date.parse(since));
  if (element.textContent !== text) element.textContent = text;
}

function tickAll() {
  for (const element of document.querySelectorAll("[data-since]")) tick(element);
  const at = document.getElementById("clock");
  if (at) at.textContent = zoned.format(now());
}

setInterval(tickAll, 250);
