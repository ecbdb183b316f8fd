#!/bin/sh
# Start this in this folder, with its environment active.
set -e
cd /data/exports/ohwx
simpletuner \
  train
