// What this browser remembers. A browser that refuses to remember still works.

export function kept(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(`quietline.${name}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(`quietline.${name}`, JSON.stringify(value));
  } catch {
    // Private windows may refuse: then it holds until the page is left.
  }
}
