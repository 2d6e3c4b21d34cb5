// Shortcuts. None fires while typing, nor with a modifier held.

const help = document.getElementById("help");

export function typing(event) {
  return Boolean(event.target.closest?.("input, textarea, select, [contenteditable]"));
}

function links() {
  return [...document.querySelectorAll("#rows .reference a")];
}

function move(step) {
  const all = links();
  if (!all.length) return;
  const at = all.findIndex((one) => one.closest("tr").contains(document.activeElement));
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step));
  all[next].focus();
  all[next].closest("tr").scrollIntoView({ block: "nearest" });
}

const ACTS = {
  j: () => move(1),
  ArrowDown: () => move(1),
  k: () => move(-1),
  ArrowUp: () => move(-1),
  ".": () => document.getElementById("meanwhile")?.click(),
  n: () => document.getElementById("note-text")?.focus(),
  "?": () => help.showModal(),
  Escape: () => { if (location.pathname !== "/") location.assign("/"); },
};

export function start() {
  document.getElementById("help-open").addEventListener("click", () => help.showModal());
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || typing(event) || help.open) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key.startsWith("Arrow") && !document.getElementById("rows")) return;
    const act = ACTS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
