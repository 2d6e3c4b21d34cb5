// Writes a text only where it differs: what did not change must not flicker.

export function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
