// What the caller hears: the voice of the browser, the tones of the keys, the ringing. Can be muted.

const TONES = {
  1: [697, 1209], 2: [697, 1336], 3: [697, 1477],
  4: [770, 1209], 5: [770, 1336], 6: [770, 1477],
  7: [852, 1209], 8: [852, 1336], 9: [852, 1477],
  "*": [941, 1209], 0: [941, 1336], "#": [941, 1477],
};
const LOUDNESS = 0.05;

export class Sounds {
  #on = true;
  #audio = null;
  #ringing = null;

  get on() { return this.#on; }

  set on(on) {
    this.#on = on;
    if (!on) this.quiet();
  }

  // A key's tone, short and soft.
  key(key) { this.#tone(TONES[key] ?? [], 0, 0.12); }

  // The ringing of a British telephone: two short rings, again and again.
  ring() {
    this.stopRinging();
    const twice = () => {
      this.#tone([400, 450], 0, 0.4);
      this.#tone([400, 450], 0.6, 0.4);
    };
    twice();
    this.#ringing = setInterval(twice, 3000);
  }

  stopRinging() {
    clearInterval(this.#ringing);
    this.#ringing = null;
  }

  say(words, language) {
    if (!this.#on || !("speechSynthesis" in window)) return;
    const said = new SpeechSynthesisUtterance(words);
    said.lang = language;
    said.rate = 0.95;
    window.speechSynthesis.speak(said);
  }

  // The first key stops the prompt, and so does the end of the call.
  hush() {
    if ("speechSynthesis" in window) window.speechSynthesis.cancel();
  }

  quiet() {
    this.hush();
    this.stopRinging();
  }

  #tone(frequencies, after, seconds) {
    if (!this.#on || !("AudioContext" in window)) return;
    this.#audio ??= new AudioContext();
    if (this.#audio.state === "suspended") this.#audio.resume();
    const from = this.#audio.currentTime + after;
    for (const frequency of frequencies) {
      const tone = this.#audio.createOscillator();
      const loudness = this.#audio.createGain();
      tone.frequency.value = frequency;
      loudness.gain.setValueAtTime(0, from);
      loudness.gain.linearRampToValueAtTime(LOUDNESS, from + 0.01);
      loudness.gain.setValueAtTime(LOUDNESS, from + seconds - 0.02);
      loudness.gain.linearRampToValueAtTime(0, from + seconds);
      tone.connect(loudness).connect(this.#audio.destination);
      tone.start(from);
      tone.stop(from + seconds);
    }
  }
}
