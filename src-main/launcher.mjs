#!/usr/bin/env node
// The `ocf` command. Plain JavaScript for any Node: it finds a Node that can run the program (22 or newer, see
// docs/decisions/0002) and, for `ocf app`, Electron where its binary and a display are there.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const OLDEST_NODE = 22
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const headless = join(root, 'out', 'main', 'headless.js')
const args = process.argv.slice(2)

// Other users of this machine can read the list of processes: an invite or a key in it is taken out at once.
if (args.some((word) => /ocf[1-9][\w-]{8}|ocf-net\d|ocf:\/\/join/i.test(word))) process.title = 'ocf'

/** The Node of the project's own dependencies, wherever npm put it. */
function bundledNode() {
  try {
    const packageJson = createRequire(import.meta.url).resolve('node/package.json')
    const binary = join(dirname(packageJson), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return existsSync(binary) ? binary : undefined
  } catch {
    return undefined // not installed: a packed installation relies on the Node it is started with
  }
}

/** Electron's binary, without asking the package itself, which would start to download it. */
function electronBinary() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('electron/package.json'))
    const name = readFileSync(join(folder, 'path.txt'), 'utf8')
    const binary = join(process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(folder, 'dist'), name)
    return existsSync(binary) ? binary : undefined
  } catch {
    return undefined // no path.txt: the binary was never downloaded
  }
}

function hasDisplay() {
  if (process.platform !== 'linux') return true
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)
}

/**
 * Why Chromium's sandbox can't work here, with what to do; undefined when it can. Electron ends at once where it can't, and
 * the sandbox is never left out: it is what keeps a page from this account.
 */
function whyNoSandbox(electron) {
  // A person who says so on the command line has decided.
  if (process.platform !== 'linux' || args.includes('--no-sandbox')) return undefined
  if (process.getuid() === 0) {
    return { cause: 'Electron does not run as root', remedy: 'Start it as an ordinary user.' }
  }
  const helper = join(dirname(electron), 'chrome-sandbox')
  if (isRootsSetuid(helper)) return undefined
  const { status, error } = spawnSync('unshare', ['--user', '--map-root-user', 'true'], {
    stdio: 'ignore',
    timeout: 5000,
  })
  // Without that program there is nothing to go by: Electron will say.
  if (status === 0 || error?.code === 'ENOENT') return undefined
  return {
    cause:
      'this system keeps programs from user namespaces, which Chromium’s sandbox needs (Ubuntu 23.10 and later do)',
    remedy: `Install the .deb, which brings the permission along; or allow it for this copy: sudo chown root:root '${helper}' && sudo chmod 4755 '${helper}'`,
  }
}

/** Whether the sandbox's helper is what it has to be where there are no user namespaces: root's, and setuid. */
function isRootsSetuid(helper) {
  const stats = statSync(helper, { throwIfNoEntry: false })
  return stats !== undefined && stats.uid === 0 && (stats.mode & 0o4001) === 0o4001
}

/** Runs a program in place of this one: same terminal, same signals, same exit code. It ends when this process dies. */
function become(command, commandArgs) {
  const child = spawn(command, commandArgs, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`ocf: ${command} could not be started: ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1))
}

/** A user that no database knows has no home. It gets the one Docker gives it: what can't be written there says so. */
function ensureHome() {
  try {
    homedir()
  } catch {
    process.env.HOME = '/'
  }
}

/** Where the system keeps what a program can make again. */
function cacheDir() {
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env
  if (process.platform === 'win32') return join(LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'ocf', 'Cache')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'ocf')
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'ocf')
}

async function runHeadless(headlessArgs) {
  const major = Number(process.versions.node.split('.')[0])
  if (major >= OLDEST_NODE) {
    process.argv = [process.argv[0], headless, ...headlessArgs]
    // A third of the time to start is compiling; from the second start on it is read. Where that can't be, nothing happens.
    nodeModule.enableCompileCache?.(join(cacheDir(), 'compiled'))
    await import(pathToFileURL(headless).href)
    return
  }
  const node = bundledNode()
  if (node === undefined) {
    process.stderr.write(
      `ocf: needs Node ${OLDEST_NODE} or newer, this is ${process.version}. Run npm install, or update Node.\n`,
    )
    process.exit(1)
  }
  become(node, [headless, ...headlessArgs])
}

if (!existsSync(headless)) {
  process.stderr.write('ocf: the program is not built yet. Run npm install (or npm run build) first.\n')
  process.exit(1)
}

ensureHome()
const isForHelp = args.some((word) => ['-h', '--help', '--help-all'].includes(word))
if (args[0] === 'app' && !isForHelp) {
  const electron = electronBinary()
  const missing = [
    ...(electron === undefined ? ["Electron's binary is not installed (npx install-electron gets it)"] : []),
    ...(hasDisplay() ? [] : ['there is no display']),
  ]
  const noSandbox = missing.length === 0 ? whyNoSandbox(electron) : undefined
  if (noSandbox !== undefined) missing.push(noSandbox.cause)
  if (missing.length === 0) become(electron, [root, ...args.slice(1)])
  else {
    const remedy = noSandbox === undefined ? '' : `${noSandbox.remedy}\n`
    process.stderr.write(
      `No desktop window: ${missing.join(' and ')}. Starting the node without one; below it says how to open its dashboard in a browser.\n${remedy}`,
    )
    await runHeadless(['start', ...args.slice(1)])
  }
} else await runHeadless(args)
