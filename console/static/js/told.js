// The line that tells what came of a deed. It stays until the next one: a race lost
// at 03:00 must still be there when the eye comes to it.

import { clock, now } from "./time.js";

const line = document.getElementById("told");

export function tell(text, well = false) {
  line.textContent = text ? `${clock(now())} ${text}` : "";
  line.hidden = !text;
  line.classList.toggle("told-refused", !well);
}
