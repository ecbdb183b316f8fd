@echo off
rem Start this in the folder of OneTrainer, with its environment active.
chcp 65001 >nul
python ^
  scripts/train.py ^
  "--config-path=/data/exports/ohwx/onetrainer.json"
if errorlevel 1 exit /b 1
