// The line that tells what came of a deed. It stays until the next one: a race lost
// at 03:00 must still be there when the eye comes to it.

import { clock, now } from "./time.js";

const line = document.getElementById("told");
let count = 0;

// What stands there now; `clear` takes away only that, and nothing told since.
export function standing() {
  return count;
}

export function clear(told) {
  if (told === count) tell("", true);
}

export function tell(text, well = false) {
  count += 1;
  line.textContent = text ? `${clock(now())} ${text}` : "";
  line.hidden = !text;
  line.classList.toggle("told-refused", !well);
}
