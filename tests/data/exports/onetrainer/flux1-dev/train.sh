#!/bin/sh
# Start this in the folder of OneTrainer, with its environment active.
set -e
python \
  scripts/train.py \
  --config-path=/data/exports/ohwx/onetrainer.json
