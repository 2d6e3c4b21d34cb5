// Times on the screen: the server's clock, not this computer's, and local time in London.

import { ago, remaining, waiting } from "./words.js";

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

// data-since: time that grows. data-until: time that is left. data-ago: how long ago.
export function tick(element) {
  const { since, until, ago: before } = element.dataset;
  let text;
  if (since) text = waiting(now() - Date.parse(since));
  else if (until) text = remaining(Date.parse(until) - now());
  else if (before) text = ago(now() - Date.parse(before));
  else return;
  if (until) element.classList.toggle("over", Date.parse(until) < now());
  if (element.textContent !== text) element.textContent = text;
}

// A thousand rows tick; only those on the screen are worth it.
const near = new Set();
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) near.delete(target);
    else {
      near.add(target);
      tickIn(target);
    }
  }
}, { rootMargin: "200px" });

export function tickWhenSeen(row) {
  seen.observe(row);
}

function tickIn(root) {
  for (const element of root.querySelectorAll("[data-since], [data-until], [data-ago]")) tick(element);
}

function tickAll() {
  for (const root of document.querySelectorAll(".top, .incident, .overview")) tickIn(root);
  for (const row of near) {
    if (row.isConnected) tickIn(row);
    else near.delete(row);
  }
  const at = document.getElementById("clock");
  if (at) at.textContent = zoned.format(now());
}

setInterval(tickAll, 250);
