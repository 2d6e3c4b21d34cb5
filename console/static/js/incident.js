// One incident, growing while it is read; and the note box, which loses nothing.

import { feed } from "./feed.js";

const page = document.getElementById("incident");
const reference = page.dataset.reference;
const handler = document.querySelector(".who").textContent;
// A draft is its writer's: whoever signs in next at this desk must not save it as their own.
const unsaved = `note ${handler} ${reference}`;
const address = `/incidents/${reference}`;
const form = document.getElementById("note");
const text = document.getElementById("note-text");
const refusal = document.getElementById("note-refusal");
const saved = document.getElementById("note-saved");
const FETCH = { headers: { "X-Requested-With": "fetch" }, cache: "no-store" };
let reading = false;
let again = false;

function swap(name, fresh) {
  const old = document.querySelector(`[data-part-of="${name}"]`);
  const next = fresh.querySelector(`[data-part-of="${name}"]`);
  if (old && next && old.outerHTML !== next.outerHTML) old.replaceWith(next);
}

// Entries keep their place in the page; a late one goes in where it belongs.
function growTimeline(fresh) {
  const list = document.getElementById("entries");
  const shown = new Map([...list.children].map((one) => [one.dataset.id, one]));
  let next = list.firstElementChild;
  for (const one of [...fresh.querySelector("#entries").children]) {
    const known = shown.get(one.dataset.id);
    if (known && known.innerHTML === one.innerHTML) {
      if (known === next) next = next.nextElementSibling;
      else list.insertBefore(known, next);
    } else {
      one.classList.add("arrived");
      known?.remove();
      if (known === next) next = next?.nextElementSibling ?? null;
      list.insertBefore(one, next);
    }
    shown.delete(one.dataset.id);
  }
  for (const gone of shown.values()) gone.remove();
}

async function read() {
  if (reading) {
    again = true;
    return;
  }
  reading = true;
  try {
    const answer = await fetch(`${address}/record`, FETCH);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of ["summary", "keys", "complete"]) swap(part, fresh);
    growTimeline(fresh);
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

function refuse(sentence) {
  refusal.querySelector(".text").textContent = sentence;
  refusal.hidden = !sentence;
  text.setAttribute("aria-invalid", String(Boolean(sentence)));
  if (sentence) text.focus();
}

function draft(value) {
  try {
    if (value === undefined) return sessionStorage.getItem(unsaved) ?? "";
    if (value) sessionStorage.setItem(unsaved, value);
    else sessionStorage.removeItem(unsaved);
  } catch {
    // A browser that keeps nothing still sends notes.
  }
  return value;
}

// After another sign-in the form's token is no longer good; the page has the new one.
async function renewToken() {
  const answer = await fetch(address, { cache: "no-store" });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const token = fresh.querySelector("#note [name=csrf_token]");
  if (token) form.elements.csrf_token.value = token.value;
  return Boolean(token);
}

function send() {
  return fetch(form.action, { ...FETCH, method: "POST", body: new FormData(form) });
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  if (button.disabled) return;
  button.disabled = true;
  saved.textContent = "";
  const sent = text.value;
  try {
    let answer = await send();
    if (answer.status === 400 && (await renewToken())) answer = await send();
    const said = await answer.json();
    if (answer.ok) {
      if (text.value === sent) text.value = "";
      draft(text.value);
      refuse("");
      saved.textContent = "Saved.";
      await read();
    } else {
      refuse(said.error);
    }
  } catch {
    refuse("The note did not reach the console and is not saved. It stays here; save it again.");
  } finally {
    button.disabled = false;
  }
});
text.addEventListener("input", () => {
  draft(text.value);
  saved.textContent = "";
});

if (!text.value) text.value = draft();
feed.addEventListener("board", (event) => {
  if (!event.detail || event.detail.reference === reference) read();
});
