"use strict";
// An A/B study: shows one pair of videos after the other, keeps the answers, and offers them as one JSON file.
(() => {
  const study = JSON.parse(document.getElementById("data").textContent);
  const KEY = `talk-study-${study.id}`;
  const main = document.getElementById("main");
  const status = document.getElementById("status");

  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const show = (title, ...children) => {
    const heading = make("h1", { tabindex: "-1" }, title);
    main.replaceChildren(heading, ...children);
    heading.focus();
    window.scrollTo(0, 0);
  };

  // A reload, by accident or not, goes on where it ended. Some browsers keep nothing for pages on a disk.
  const load = () => {
    try { return JSON.parse(localStorage.getItem(KEY)); } catch { return null; }
  };
  const save = () => {
    try { localStorage.setItem(KEY, JSON.stringify(state)); } catch { /* the answers stay in memory */ }
  };
  const newRater = () =>
    Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const chosenForm = (rater) => {
    const asked = /form=(\d+)/.exec(location.hash);
    const number = asked ? Number(asked[1]) : parseInt(rater.slice(0, 8), 16);
    return number % study.forms.length;
  };
  const begin = () => {
    const rater = newRater();
    return { rater, code: "", form: chosenForm(rater), started: "", answers: [] };
  };
  let state = load() ?? begin();

  const source = (step, side) =>
    step.late === side ? study.late[step.clip] : study.videos[step[side]][step.clip];

  const intro = () => {
    const code = make("input", { id: "code", type: "text", maxlength: "60", autocomplete: "off" });
    code.value = state.code;
    const start = make("button", { type: "button", id: "start" }, "Start");
    start.addEventListener("click", () => {
      state.code = code.value.trim();
      state.started = new Date().toISOString();
      save();
      trial();
    });
    const count = study.forms[state.form].length;
    show(
      study.title,
      make("p", {}, `You will see ${count} pairs of short videos of a talking face, with sound. Please use ` +
        "headphones or loudspeakers, and a quiet place."),
      make("ul", {},
        make("li", {}, "Watch both videos of a pair to their end; you may watch them again."),
        make("li", {}, "Then answer every question. There are no right or wrong answers about your impression; " +
          "choose the middle if you see no difference."),
        make("li", {}, "A few pairs check that you can hear and read the instructions. Answers of people who " +
          "miss them are left out."),
        make("li", {}, "At the end you download a file with your answers. Nothing is sent anywhere.")),
      make("p", {}, make("label", { for: "code" }, "Code of yours, if you were given one: "), code),
      start,
    );
  };

  const player = (step, side, name, seen, changed) => {
    const video = make("video", { controls: "", preload: "auto", playsinline: "", "aria-label": `Video ${name}` });
    video.src = source(step, side);
    const note = make("p", { class: "soft", id: `seen-${side}` }, "Not watched yet.");
    video.addEventListener("ended", () => {
      seen[side] += 1;
      note.textContent = `Watched ${seen[side]} ${seen[side] === 1 ? "time" : "times"}.`;
      changed();
    });
    return make("div", {}, make("h2", {}, `Video ${name}`), video, note);
  };

  const question = (asked, answers, changed) => {
    const legend = make("legend", {}, asked.text);
    const field = make("fieldset", {}, legend);
    study.scale.forEach((label, index) => {
      const id = `${asked.name}-${index + 1}`;
      const input = make("input", { type: "radio", id, name: asked.name, value: String(index + 1) });
      input.addEventListener("change", () => { answers[asked.name] = index + 1; changed(); });
      field.append(make("span", { class: "choice" }, input, make("label", { for: id }, label)));
    });
    return field;
  };

  const trial = () => {
    const steps = study.forms[state.form];
    const number = state.answers.length;
    if (number >= steps.length) { finish(); return; }
    const step = steps[number];
    const seen = { left: 0, right: 0 };
    const answers = {};
    const since = performance.now();
    const next = make("button", { type: "button", id: "next" }, "Next");
    const missing = make("p", { id: "missing", class: "soft", "aria-live": "polite" });
    const changed = () => {
      const open = study.questions.length - Object.keys(answers).length;
      const parts = [];
      if (!seen.left || !seen.right) parts.push("watch both videos to their end");
      if (open) parts.push(`answer ${open} more ${open === 1 ? "question" : "questions"}`);
      next.disabled = parts.length > 0;
      missing.textContent = parts.length ? `Still to do: ${parts.join(" and ")}.` : "Ready.";
    };
    next.addEventListener("click", () => {
      state.answers.push({
        step: number, kind: step.kind, clip: step.clip, left: step.left, right: step.right,
        late: step.late ?? null, want: step.want ?? null, answers,
        seconds: Math.round((performance.now() - since) / 100) / 10, plays: [seen.left, seen.right],
      });
      save();
      trial();
    });
    const told = step.kind === "told"
      ? [make("p", { class: "told" }, make("strong", {}, "Check of attention: "),
        `please watch both videos and answer every question with “${study.scale[step.want - 1]}”.`)]
      : [];
    status.textContent = `Pair ${number + 1} of ${steps.length}`;
    show(
      `Pair ${number + 1} of ${steps.length}`,
      make("progress", { max: String(steps.length), value: String(number), "aria-label": "Pairs done" }),
      ...told,
      make("div", { class: "pair" },
        player(step, "left", "A, left", seen, changed), player(step, "right", "B, right", seen, changed)),
      ...study.questions.map((asked) => question(asked, answers, changed)),
      missing, next,
    );
    changed();
  };

  const results = () => ({
    format: "talk-study-results", version: 1,
    study: {
      id: study.id, title: study.title, methods: study.methods, clips: study.clips,
      questions: study.questions.map((asked) => asked.name), seed: study.seed,
    },
    rater: state.rater, code: state.code, form: state.form, started: state.started,
    finished: state.finished, answers: state.answers,
  });

  const finish = () => {
    state.finished ??= new Date().toISOString();
    save();
    const text = JSON.stringify(results());
    const link = make("a", { id: "download", download: `study-${study.id}-${state.rater}.json`, class: "button" },
      "Download your answers");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const again = make("button", { type: "button", id: "again" }, "Start again as another person");
    again.addEventListener("click", () => {
      state = begin();
      save();
      intro();
    });
    status.textContent = "All pairs done";
    show(
      "Thank you",
      make("p", {}, "Please download the file and give it to whoever asked you."),
      make("p", {}, link),
      make("details", {}, make("summary", {}, "The answers as text, if the download does not work"),
        make("textarea", { id: "text", readonly: "", rows: "8", cols: "60", "aria-label": "Answers" }, text)),
      again,
    );
  };

  if (state.answers.length || state.started) trial(); else intro();
})();
