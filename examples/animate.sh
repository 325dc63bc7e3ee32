#!/usr/bin/env bash
# Three performances of one line, as motion for your own rig and as video; then how far apart they are.
set -euo pipefail
speech=${1:-examples/hello.wav}
out=${2:-out}
talk animate "$speech" --sigma 0.1 --takes 3 --seed 7 --out "$out/face.npz" --out "$out/face.mp4"
talk score "$out"/face.take*.npz --audio "$speech" --json
