// Calls of an officer's people are put in front of them at once, on whatever page they
// are, until they open them or put the notice away. What they have not seen yet is the
// store's to say: the feed only says when to ask.

import { feed } from "./feed.js";

const FETCH = { headers: { "X-Requested-With": "fetch" }, cache: "no-store" };
const SOON_MS = 100;
const AGAIN_MS = 3000;

const place = document.getElementById("told-calls");
const me = document.querySelector(".who")?.textContent;
let asking = null;
let said = null; // what was there when the page opened is not news

function say(references) {
  const fresh = said === null ? [] : references.filter((one) => !said.has(one));
  said = new Set(references);
  if (!fresh.length) return;
  document.getElementById("say-now").textContent = `A call of one of your people: ${fresh.join(", ")}.`;
}

async function read() {
  asking = null;
  try {
    const answer = await fetch("/contacts/calls", FETCH);
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const shown = place.contains(document.activeElement) ? document.activeElement.closest("[data-told]") : null;
    place.replaceChildren(...fresh.body.children);
    if (shown) place.querySelector(`[data-told="${shown.dataset.told}"] a`)?.focus();
    say([...place.querySelectorAll("[data-told]")].map((one) => one.dataset.told));
  } catch {
    later(AGAIN_MS);
  }
}

function later(wait) {
  asking ??= setTimeout(read, wait);
}

async function putAway(form) {
  form.querySelector("button").disabled = true;
  try {
    await fetch(form.action, { ...FETCH, method: "POST", body: new FormData(form) });
  } finally {
    later(0);
  }
}

export function start() {
  if (!place) return;
  feed.addEventListener("board", ({ detail }) => {
    const changed = detail ? [detail] : [...feed.incidents.values()];
    if (changed.some((one) => one.work?.contacts?.includes(me))) later(SOON_MS);
  });
  place.addEventListener("submit", (event) => {
    event.preventDefault();
    putAway(event.target);
  });
  read();
}
