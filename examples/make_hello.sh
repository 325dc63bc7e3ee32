#!/usr/bin/env bash
# Makes examples/hello.wav with flite's free voice slt: text and sound are ours.
set -euo pipefail
cd "$(dirname "$0")"
flite -voice slt -o hello.wav -t "Hello. My name is Ada. I am a face that was made from nothing but code, \
and every word you hear moves my lips."
