// Shortcuts. None fires while typing, nor with a modifier held, nor behind a dialog.

const help = document.getElementById("help");

const MOVES = new Set(["j", "k", "ArrowDown", "ArrowUp"]);

// A choice is no typing: its arrow keys are its own, all others are shortcuts.
export function typing(event) {
  return Boolean(event.target.closest?.("input:not([type=radio]), textarea, select, [contenteditable]"));
}

function links() {
  return [...document.querySelectorAll("#rows .reference a")].filter((one) => one.checkVisibility());
}

function move(step) {
  const all = links();
  if (!all.length) return;
  const at = all.findIndex((one) => one.closest("tr").contains(document.activeElement));
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step));
  all[next].focus();
  all[next].closest("tr").scrollIntoView({ block: "nearest" });
}

const acts = {
  j: () => move(1),
  ArrowDown: () => move(1),
  k: () => move(-1),
  ArrowUp: () => move(-1),
  ".": () => document.getElementById("meanwhile")?.click(),
  "?": () => help.showModal(),
  "/": () => document.getElementById("seek")?.focus(),
  Escape: () => { if (location.pathname !== "/") location.assign("/"); },
};

// A page adds the keys of its own.
export function on(keys, act) {
  for (const key of keys) acts[key] = act;
}

export function start() {
  document.getElementById("help-open").addEventListener("click", () => help.showModal());
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    if (typing(event)) {
      // Out of the box, with all that was typed still in it.
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const moves = document.getElementById("rows") && event.target.type !== "radio";
    if (event.key.startsWith("Arrow") && !moves) return;
    const act = acts[event.key];
    if (!act) return;
    // A key that is leant on asks one question, not twenty.
    if (event.repeat && !MOVES.has(event.key)) return;
    event.preventDefault();
    act(event.key);
  });
}
