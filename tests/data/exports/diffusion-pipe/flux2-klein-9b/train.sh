#!/bin/sh
# Start this in the folder of diffusion-pipe, with its environment active.
set -e
NCCL_P2P_DISABLE=1 NCCL_IB_DISABLE=1 deepspeed \
  --num_gpus=1 \
  train.py \
  --deepspeed \
  --config \
  /data/exports/ohwx/train.toml
