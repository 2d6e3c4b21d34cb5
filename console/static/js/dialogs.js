// The questions that take more than a yes: connect to whom, hand over to whom, correct
// what. A refusal leaves the dialog's words where they are.

import { feed } from "./feed.js";

let act = async () => ({ ok: false });
const by = (id) => document.getElementById(id);

export function open(id) {
  const names = (feed.duty ?? []).map((name) => new Option(name, name));
  by("colleagues").replaceChildren(...names);
  by(id).showModal();
}

let correcting = "";

export function correct(button) {
  const entry = button.closest(".entry");
  const quote = entry.querySelector(".quote")?.textContent;
  if (correcting !== button.dataset.correct) by("correction-text").value = "";
  correcting = button.dataset.correct;
  by("correction-of").textContent = quote ?? entry.querySelector(".what").textContent;
  by("correction").showModal();
}

function refuse(id, sentence) {
  const place = by(`${id}-refusal`);
  place.querySelector(".text").textContent = sentence;
  place.hidden = !sentence;
}

function onSubmit(id, send) {
  const dialog = by(id);
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (event.submitter?.value === "back") return dialog.close();
    if (await send()) dialog.close();
  });
}

export function start(sending) {
  act = sending;
  onSubmit("connect", async () => {
    const chosen = by("connect").querySelector("[name=to]:checked").value;
    let to = chosen;
    if (chosen === "other") to = by("connect-name").value.trim();
    if (chosen === "service") to = by("connect-service").value;
    if (!to) {
      by("connect-name").focus();
      return false;
    }
    by("connect").close();
    if (chosen === "conference") await act("conference", {}, "The caller goes into a muted conference.");
    else await act("connect", { to }, "Connecting. Keys cannot be heard while it lasts.");
    return false;
  });
  by("connect-name").addEventListener("input", () => {
    by("connect").querySelector("[value=other]").checked = true;
  });
  by("connect-service")?.addEventListener("input", () => {
    by("connect").querySelector("[value=service]").checked = true;
  });
  onSubmit("hand-over", async () => {
    const content = { to: by("hand-over-to").value.trim(), reason: by("hand-over-reason").value.trim() };
    if (!content.to) {
      refuse("hand-over", "Give the colleague’s name.");
      by("hand-over-to").focus();
      return false;
    }
    const answer = await act("hand-over", content, `Handed to ${content.to}.`);
    refuse("hand-over", answer.ok ? "" : answer.error ?? "");
    return answer.ok;
  });
  onSubmit("correction", async () => {
    const text = by("correction-text").value;
    const answer = await act("corrections", { entry: correcting, text }, "Correction saved.");
    refuse("correction", answer.ok ? "" : answer.error ?? "");
    if (answer.ok) by("correction-text").value = "";
    return answer.ok;
  });
}
