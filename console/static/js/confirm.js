// Asks once more before something ends or is lowered, and for a reason where one is
// needed. Resolves to { reason }, or to null when the handler goes back.

const dialog = document.getElementById("once-more");
const form = dialog.querySelector("form");
const reason = document.getElementById("once-more-reason");
const field = document.getElementById("once-more-field");
const refusal = document.getElementById("once-more-refusal");

export function confirm({ title, text, act, asks = "none", said = "" }) {
  document.getElementById("once-more-title").textContent = title;
  document.getElementById("once-more-text").textContent = text;
  document.getElementById("once-more-act").textContent = act;
  field.hidden = asks === "none";
  document.getElementById("once-more-optional").hidden = asks !== "optional";
  reason.value = said;
  refuse("");
  dialog.showModal();
  (asks === "none" ? document.getElementById("once-more-act") : reason).focus();
  return new Promise((done) => {
    const finish = (answer) => {
      form.removeEventListener("submit", submitted);
      dialog.removeEventListener("close", closed);
      dialog.close();
      done(answer);
    };
    const submitted = (event) => {
      event.preventDefault();
      if (event.submitter?.value === "back") return finish(null);
      const why = reason.value.trim();
      if (asks === "needed" && !why) return refuse("Say why: a reason is needed.");
      finish({ reason: why });
    };
    const closed = () => finish(null);
    form.addEventListener("submit", submitted);
    dialog.addEventListener("close", closed);
  });
}

function refuse(sentence) {
  refusal.querySelector(".text").textContent = sentence;
  refusal.hidden = !sentence;
  reason.setAttribute("aria-invalid", String(Boolean(sentence)));
  if (sentence) reason.focus();
}
