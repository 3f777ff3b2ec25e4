/**
 * What a command of the owner's does not inherit: this program's own variables, among them its secrets, and what runtime
 * and service manager meant for this process alone. The rest stays, as no list could name what a model server may need:
 * CUDA_VISIBLE_DEVICES, HF_HOME, proxies, whatever its owner has set for it.
 */
const OWN = [
  /^(OCF|AXIOM|ELECTRON|CHROME|APPIMAGE|LISTEN)_/i,
  /^npm_/,
  /^NODE_(OPTIONS|CHANNEL_.*|UNIQUE_ID|COMPILE_CACHE|V8_COVERAGE|DEBUG.*|REPL_.*)$/i,
  /^(APPIMAGE|APPDIR|ARGV0|OWD|NOTIFY_SOCKET|WATCHDOG_(USEC|PID)|INVOCATION_ID|JOURNAL_STREAM|CREDENTIALS_DIRECTORY)$/i,
]

/** The environment of this process without what is its own. */
export function inheritedEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OWN.some((pattern) => pattern.test(name))))
}
