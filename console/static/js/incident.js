// One incident, growing while it is read: the page takes the parts that changed, and
// leaves what is typed, opened or focused as it is.

import * as call from "./call.js";
import { feed } from "./feed.js";
import * as note from "./note.js";
import { released } from "./press.js";
import { set } from "./text.js";
import { keys } from "./words.js";

const { reference } = document.getElementById("incident").dataset;
const PARTS = ["summary", "answers", "keys", "ask", "who", "location", "grade", "details", "outcome", "complete"];
const list = document.getElementById("entries");
let reading = false;
let again = false;
let atEnd = true; // the newest entry shows, unless somebody scrolled back to read

function swap(name, fresh) {
  const old = document.querySelector(`[data-part-of="${name}"]`);
  const next = fresh.querySelector(`[data-part-of="${name}"]`);
  if (!old || !next || old.outerHTML === next.outerHTML) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  for (const one of old.querySelectorAll("details[open]")) {
    const same = one.id && next.querySelector(`#${one.id}`);
    if (same) same.open = true;
  }
  for (const one of old.querySelectorAll("select[id]")) {
    const same = next.querySelector(`#${one.id}`);
    if (same && one.value) same.value = one.value;
  }
  old.replaceWith(next);
  if (focused) (document.getElementById(focused) ?? document.getElementById("main")).focus({ preventScroll: true });
}

// Entries keep their place in the page; a late one goes in where it belongs.
function growTimeline(fresh) {
  const shown = new Map([...list.children].map((one) => [one.dataset.id, one]));
  let next = list.firstElementChild;
  for (const one of [...fresh.querySelector("#entries").children]) {
    const known = shown.get(one.dataset.id);
    if (known && known.innerHTML === one.innerHTML) {
      if (known === next) next = next.nextElementSibling;
      else list.insertBefore(known, next);
    } else {
      one.classList.add("arrived");
      if (known === next) next = next?.nextElementSibling ?? null;
      known?.remove();
      list.insertBefore(one, next);
    }
    shown.delete(one.dataset.id);
  }
  for (const gone of shown.values()) gone.remove();
  if (atEnd) toEnd();
}

function toEnd() {
  list.scrollTop = list.scrollHeight;
}

async function read() {
  if (reading) {
    again = true;
    return;
  }
  reading = true;
  try {
    const answer = await fetch(`/incidents/${reference}/record`, {
      headers: { "X-Requested-With": "fetch" }, cache: "no-store",
    });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    await released();
    for (const part of PARTS) swap(part, fresh);
    growTimeline(fresh);
    call.follow();
  } catch {
    // The notice says that the connection is lost; the next change reads again.
  } finally {
    reading = false;
    if (again) {
      again = false;
      read();
    }
  }
}

// What the caller presses stands here before the rest of the page is read again.
function showAtOnce(incident) {
  const pressed = document.querySelector(".all-keys");
  if (pressed) set(pressed, keys(incident.keys));
}

feed.addEventListener("board", ({ detail }) => {
  if (detail && detail.reference !== reference) return;
  if (detail) showAtOnce(detail);
  read();
});
call.start(reference, read);
note.start(reference, read);
list.addEventListener("scroll", () => {
  atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
}, { passive: true });
new ResizeObserver(() => { if (atEnd) toEnd(); }).observe(list);
toEnd();
document.documentElement.dataset.ready = "";
