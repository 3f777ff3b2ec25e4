; What the app has written for the person, beyond what the installer did, goes with the app. An update keeps it.
!macro customUnInstall
  ${ifNot} ${isUpdated}
    ; The start at login, and Task Manager's word about it. Electron names both after the app's id.
    DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Run" "${APP_ID}"
    DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run" "${APP_ID}"

    ; The links, where they still lead to this installation and not to another copy of the app.
    ReadRegStr $R0 HKCU "Software\Classes\ocf\shell\open\command" ""
    StrCpy $R1 '"$INSTDIR\'
    StrLen $R2 $R1
    StrCpy $R0 $R0 $R2
    ${if} $R0 == $R1
      DeleteRegKey HKCU "Software\Classes\ocf"
    ${endIf}

    ; The command `ocf`, which the app has written where the person wanted it.
    Delete "$LOCALAPPDATA\Microsoft\WindowsApps\ocf.cmd"
  ${endIf}
!macroend
