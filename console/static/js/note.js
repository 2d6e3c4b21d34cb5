// The note box, which loses nothing: not by a refusal, not by a lost connection, not
// by a sign-out in between.

const FETCH = { headers: { "X-Requested-With": "fetch" }, cache: "no-store" };
const form = document.getElementById("note");
const text = document.getElementById("note-text");
const refusal = document.getElementById("note-refusal");
const saved = document.getElementById("note-saved");
let unsaved = "";

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
  const answer = await fetch(location.pathname, { cache: "no-store" });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const token = fresh.querySelector("#note [name=csrf_token]");
  if (token) form.elements.csrf_token.value = token.value;
  return Boolean(token);
}

function send() {
  return fetch(form.action, { ...FETCH, method: "POST", body: new FormData(form) });
}

async function save(read) {
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
}

export function start(reference, read) {
  const handler = document.querySelector(".who").textContent;
  // A draft is its writer's: whoever signs in next at this desk must not save it as their own.
  unsaved = `note ${handler} ${reference}`;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(read);
  });
  text.addEventListener("input", () => {
    draft(text.value);
    saved.textContent = "";
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  if (!text.value) text.value = draft();
}
