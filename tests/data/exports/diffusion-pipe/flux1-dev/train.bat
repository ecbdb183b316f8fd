@echo off
rem Start this in the folder of diffusion-pipe, with its environment active.
chcp 65001 >nul
set "NCCL_P2P_DISABLE=1"
set "NCCL_IB_DISABLE=1"
deepspeed ^
  "--num_gpus=1" ^
  train.py ^
  --deepspeed ^
  --config ^
  /data/exports/ohwx/train.toml
if errorlevel 1 exit /b 1
