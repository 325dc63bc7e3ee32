"use strict";
// Plays faces with their sound: every take in a picture of its own, all of them at the time of one clock,
// which is the sound's where there is one. Curves of the take that is chosen lie below.
(() => {
  const shown = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const BLOCKED = "The browser does not play sound before you press Play.";
  const fail = (text) => {
    $("state").textContent = text;
    $("state").hidden = false;
  };
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const clockText = (s) => `${Math.floor(s / 60)}:${(s % 60).toFixed(2).padStart(5, "0")}`;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const sound = $("sound");
  const seconds = shown.seconds;
  // Without sound, the page's own clock: where it stood when it was last started or moved.
  const own = { at: 0, since: 0, runs: false };
  const now = () => {
    if (sound) return Math.min(sound.currentTime, seconds);
    return Math.min(own.at + (own.runs ? ((performance.now() - own.since) / 1000) * rate() : 0), seconds);
  };
  const rate = () => Number($("rate").value);
  const runs = () => (sound ? !sound.paused && !sound.ended : own.runs);
  const seek = (s) => {
    const to = Math.min(Math.max(s, 0), seconds);
    if (sound) sound.currentTime = to;
    own.at = to;
    own.since = performance.now();
    fresh = true;
  };
  const pause = () => {
    own.at = now();
    own.runs = false;
    if (sound) sound.pause();
  };
  const play = () => {
    if (now() >= seconds - 1e-3) seek(0);
    own.since = performance.now();
    own.runs = true;
    if (!sound) return;
    sound.play().then(
      () => { if ($("state").textContent === BLOCKED) $("state").hidden = true; },
      // Who pauses before the sound has begun aborts it.
      (error) => { if (error.name !== "AbortError") fail(BLOCKED); },
    );
  };

  let renderer;
  let fresh = true;
  const views = [];

  const light = (scene) => {
    scene.add(new THREE.HemisphereLight(0xffffff, 0x8a7f78, 1.6));
    for (const [x, y, z, power] of [[-0.7, 0.6, 0.8, 2.2], [0.6, 0.1, 0.9, 0.7], [0.5, 0.5, -1, 0.6]]) {
      const lamp = new THREE.DirectionalLight(0xffffff, power);
      lamp.position.set(x, y, z);
      scene.add(lamp);
    }
  };

  const add = async (take) => {
    const figure = document.createElement("figure");
    const canvas = document.createElement("canvas");
    const caption = document.createElement("figcaption");
    caption.textContent = shown.takes.length > 1 ? take.name : "";
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Animated face, ${take.name}`);
    canvas.tabIndex = 0;
    figure.append(canvas, caption);
    $("takes").append(figure);
    const gltf = await new THREE.GLTFLoader().parseAsync(bytes(take.glb).buffer, "");
    const scene = new THREE.Scene();
    scene.add(gltf.scene);
    // Bounds at rest cut off what joints and targets move.
    gltf.scene.traverse((node) => { node.frustumCulled = false; });
    light(scene);
    const mixer = new THREE.AnimationMixer(gltf.scene);
    const actions = gltf.animations.map((clip) => mixer.clipAction(clip).play());
    const camera = new THREE.PerspectiveCamera(22, 1, 0.05, 20);
    const box = new THREE.Box3().setFromObject(gltf.scene);
    const middle = box.getCenter(new THREE.Vector3());
    const height = box.max.y - box.min.y;
    const controls = new THREE.OrbitControls(camera, canvas);
    controls.target.copy(middle);
    camera.position.set(middle.x, middle.y, middle.z + height * 2.9);
    controls.enablePan = false;
    controls.minDistance = height;
    controls.maxDistance = height * 8;
    controls.addEventListener("change", () => { fresh = true; });
    controls.update();
    views.push({ canvas, scene, mixer, actions, camera });
  };

  const draw = (time) => {
    for (const { canvas, scene, mixer, actions, camera } of views) {
      const size = Math.max(Math.round(canvas.clientWidth * Math.min(devicePixelRatio, 2)), 16);
      if (canvas.width !== size || canvas.height !== size) canvas.width = canvas.height = size;
      renderer.setSize(size, size, false);
      // `mixer.setTime` would begin anew after the last frame, which is shown until the end.
      for (const action of actions) action.time = Math.min(time, action.getClip().duration);
      mixer.update(0);
      renderer.render(scene, camera);
      const context = canvas.getContext("2d");
      context.clearRect(0, 0, size, size);
      context.drawImage(renderer.domElement, 0, 0, size, size);
    }
  };

  const chosen = () => [...document.querySelectorAll("#names input:checked")].map((box) => box.value);
  const plot = (time) => {
    const canvas = $("curves");
    const width = Math.max(Math.round(canvas.clientWidth * devicePixelRatio), 16);
    const height = Math.round(canvas.clientHeight * devicePixelRatio);
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    const take = shown.takes[Number($("take").value)];
    const pad = 6 * devicePixelRatio;
    const x = (s) => (s / seconds) * width;
    const names = chosen();
    const values = names.flatMap((name) => take.curves[name] ?? []);
    const low = values.reduce((a, b) => Math.min(a, b), 0);
    const high = values.reduce((a, b) => Math.max(a, b), 1);
    const y = (value) => height - pad - ((value - low) / (high - low)) * (height - 2 * pad);
    context.lineWidth = devicePixelRatio;
    context.strokeStyle = colour("--line");
    for (const level of [low, high]) {
      context.beginPath();
      context.moveTo(0, y(level));
      context.lineTo(width, y(level));
      context.stroke();
    }
    context.lineWidth = 2 * devicePixelRatio;
    for (const name of names) {
      const line = take.curves[name];
      if (!line) continue;
      context.strokeStyle = colour(`--s${names.indexOf(name) % 9}`);
      context.beginPath();
      line.forEach((value, frame) => context.lineTo(x(frame / take.fps), y(value)));
      context.stroke();
    }
    context.strokeStyle = colour("--text");
    context.beginPath();
    context.moveTo(x(time), 0);
    context.lineTo(x(time), height);
    context.stroke();
  };

  const paintNames = () => {
    const names = chosen();
    for (const label of document.querySelectorAll("#names label")) {
      const number = names.indexOf(label.firstChild.value);
      label.className = number < 0 ? "choice" : `choice s${number % 9}`;
    }
    fresh = true;
  };
  const listNames = () => {
    const before = new Set(chosen());
    const take = shown.takes[Number($("take").value)];
    const names = Object.keys(take.curves);
    const wanted = before.size ? before : new Set(names.filter((name) => shown.first.includes(name)));
    $("names").replaceChildren(...names.map((name) => {
      const label = document.createElement("label");
      label.className = "choice";
      const box = document.createElement("input");
      box.type = "checkbox";
      box.value = name;
      box.checked = wanted.has(name);
      box.addEventListener("change", paintNames);
      label.append(box, name);
      return label;
    }));
    paintNames();
  };

  const step = () => {
    const time = now();
    if (runs() || fresh) {
      fresh = false;
      if (!sound && time >= seconds) pause();
      draw(time);
      plot(time);
      $("time").value = String(time);
      $("clock").textContent = `${clockText(time)} / ${clockText(seconds)}`;
      $("play").textContent = runs() ? "Pause" : "Play";
    }
    requestAnimationFrame(step);
  };

  const begin = async () => {
    try {
      renderer = new THREE.WebGLRenderer({ antialias: true, alpha: true, preserveDrawingBuffer: true });
    } catch {
      fail("This browser shows no 3D pictures (WebGL).");
      return;
    }
    renderer.toneMapping = THREE.ACESFilmicToneMapping;
    $("time").max = String(seconds);
    $("play").addEventListener("click", () => { if (runs()) pause(); else play(); fresh = true; });
    $("time").addEventListener("input", (event) => seek(Number(event.target.value)));
    $("rate").addEventListener("change", () => {
      own.at = now();
      own.since = performance.now();
      if (sound) sound.playbackRate = rate();
    });
    const seekAt = (event) => seek((event.offsetX / event.target.clientWidth) * seconds);
    $("curves").addEventListener("pointerdown", seekAt);
    $("curves").addEventListener("pointermove", (event) => { if (event.buttons) seekAt(event); });
    document.addEventListener("keydown", (event) => {
      if (event.code === "Space" && !/INPUT|SELECT|BUTTON/.test(event.target.tagName)) {
        event.preventDefault();
        $("play").click();
      }
    });
    for (const kind of ["play", "pause", "ended", "seeked"]) {
      if (sound) sound.addEventListener(kind, () => { fresh = true; });
    }
    new ResizeObserver(() => { fresh = true; }).observe(document.body);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { fresh = true; });
    shown.takes.forEach((take, index) => $("take").append(new Option(take.name, String(index))));
    $("take").addEventListener("change", listNames);
    $("take").parentElement.hidden = shown.takes.length < 2;
    listNames();
    try {
      await Promise.all(shown.takes.map(add));
    } catch (error) {
      fail(`The face cannot be shown: ${error.message}`);
      return;
    }
    fresh = true;
    requestAnimationFrame(step);
    // For whoever drives the page from outside.
    window.talk = { seek, now, play, pause, ready: true };
  };
  begin();
})();
