#!/usr/bin/env bash
# Takes of your own as training clips: made, checked, packed and counted.
# FOLDER holds sound and motion files of the same name (docs/formats.md); without one a take is made of hello.wav.
set -euo pipefail
out=${2:-out}
takes=${1:-$out/takes}
if [ ! -e "$takes" ]; then
  mkdir -p "$takes/ada"
  cp examples/hello.wav "$takes/ada/hello.wav"
  talk animate examples/hello.wav --out "$takes/ada/hello.npz" --quiet
  printf 'id,speaker,emotion,intensity,split\nada/hello,ada,happy,0.5,train\n' > "$takes/labels.csv"
fi
talk preprocess folder "$takes" --out "$out/clips" --licence "CC0-1.0" --smooth --json > "$out/clips.json"
talk preprocess check "$out/clips" --json > "$out/check.json" # ends the script when a clip is broken
talk preprocess shards "$out/clips" --out "$out/shards" --json > "$out/shards.json"
talk preprocess stats "$out/clips"
