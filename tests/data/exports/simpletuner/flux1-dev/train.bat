@echo off
rem Start this in this folder, with its environment active.
chcp 65001 >nul
cd /d /data/exports/ohwx
simpletuner ^
  train
if errorlevel 1 exit /b 1
