// Dark, light, or as this computer says. A cookie, so that the first paint is right.

const ORDER = ["dark", "light", "system"];
const WORDS = { dark: "dark", light: "light", system: "as the computer" };
const A_YEAR_S = 31536000;

export function start() {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const chosen = () => root.dataset.theme ?? (root.dataset.room === "live" ? "dark" : "system");
  const show = () => { button.querySelector(".condition").textContent = WORDS[chosen()]; };
  button.addEventListener("click", () => {
    const next = ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length];
    root.dataset.theme = next;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `quietline_theme=${next}; Path=/; Max-Age=${A_YEAR_S}; SameSite=Strict${secure}`;
    show();
  });
  show();
}
