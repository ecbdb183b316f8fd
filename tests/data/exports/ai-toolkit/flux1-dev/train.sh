#!/bin/sh
# Start this in the folder of ai-toolkit, with its environment active.
set -e
python \
  run.py \
  /data/exports/ohwx/ai-toolkit.yaml
