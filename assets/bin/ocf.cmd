@echo off
rem The command ocf of an installed Open Compute: the app itself, without a window (docs/decisions/0030).
setlocal
if /i "%~1"=="app" goto window
rem A batch file waits for the program, which writes to this console.
"%~dp0..\Open Compute.exe" --cli %*
exit /b %ERRORLEVEL%
:window
start "" "%~dp0..\Open Compute.exe" %2 %3 %4 %5 %6 %7 %8 %9
