@echo off
rem Start this in the folder of ai-toolkit, with its environment active.
chcp 65001 >nul
python ^
  run.py ^
  /data/exports/ohwx/ai-toolkit.yaml
if errorlevel 1 exit /b 1
