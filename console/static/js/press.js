// What moves away between press and release is never clicked: whoever would move it waits.

const MOST_HELD_MS = 5000;
const waiting = new Set();
let pressed = false;

function release() {
  pressed = false;
  for (const go of waiting) go();
  waiting.clear();
}

addEventListener("pointerdown", () => { pressed = true; }, { capture: true });
for (const end of ["pointerup", "pointercancel"]) {
  // The click comes after this event and before the next turn.
  addEventListener(end, () => setTimeout(release), { capture: true });
}

// Resolves once no pointer is pressed, or after a time nobody presses for.
export function released() {
  if (!pressed) return Promise.resolve();
  return new Promise((done) => {
    waiting.add(done);
    setTimeout(done, MOST_HELD_MS);
  });
}
