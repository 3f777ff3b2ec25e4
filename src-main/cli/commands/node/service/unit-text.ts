/** What the system starts. */
export interface ServiceCommand {
  /** Program and arguments; paths are absolute. */
  words: readonly [string, ...string[]]
}

/** The name of the unit, the agent and the task. */
export const SERVICE_NAME = 'open-compute'
/** The agent's name at launchd. */
export const LAUNCHD_LABEL = 'org.opencompute.node'

const DESCRIPTION = 'Open Compute node'
/** The node ends within five seconds; then it is cut. */
const STOP_SECONDS = 15
const RESTART_SECONDS = 5
/** What the node exits with when its settings are wrong: a restart would not help. */
const USAGE = 2

/** A unit for the user's own systemd. */
export function systemdUnit({ words }: ServiceCommand): string {
  return `[Unit]
Description=${DESCRIPTION}
After=network-online.target

[Service]
ExecStart=${words.map(systemdWord).join(' ')}
Restart=on-failure
RestartSec=${RESTART_SECONDS}
RestartPreventExitStatus=${USAGE}
TimeoutStopSec=${STOP_SECONDS}

[Install]
WantedBy=default.target
`
}

/** In quotes, with the signs escaped that systemd replaces there: `%h`, `$HOME`. */
function systemdWord(word: string): string {
  const escaped = word
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
  return `"${escaped}"`
}

/** A launch agent: it starts at login, and again after a crash. */
export function launchdPlist({ words }: ServiceCommand, logFile: string): string {
  const text = (value: string): string => `<string>${xml(value)}</string>`
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  ${text(LAUNCHD_LABEL)}
  <key>ProgramArguments</key>
  <array>
${words.map((word) => `    ${text(word)}`).join('\n')}
  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>${RESTART_SECONDS * 2}</integer>
  <key>ExitTimeOut</key>
  <integer>${STOP_SECONDS}</integer>
  <key>StandardErrorPath</key>
  ${text(logFile)}
</dict>
</plist>
`
}

/** A task for the Windows task scheduler: from login on, without an end, started again after a failure. */
export function windowsTask({ words }: ServiceCommand, user: string): string {
  const [program, ...args] = words
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>${DESCRIPTION}</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>${xml(user)}</UserId>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${xml(user)}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <Hidden>true</Hidden>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${xml(program)}</Command>
      <Arguments>${xml(args.map(windowsWord).join(' '))}</Arguments>
    </Exec>
  </Actions>
</Task>
`
}

/** As programs on Windows split their command line: backslashes count double before a quote. */
const windowsWord = (word: string): string => `"${word.replaceAll(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`

const XML_ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

const xml = (text: string): string => text.replaceAll(/[&<>"']/g, (sign) => XML_ENTITIES[sign] ?? sign)
