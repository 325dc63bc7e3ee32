// What the viewer uses of three.js: `make viewer` bundles it into three.js beside this file.
export {
  ACESFilmicToneMapping, AnimationMixer, Box3, DirectionalLight, HemisphereLight, PerspectiveCamera, REVISION, Scene,
  Vector3, WebGLRenderer,
} from "three";
export { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
export { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
