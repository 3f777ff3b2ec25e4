import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { builtFile } from '../fixtures/built.js'

// The files of the program and what they import; each module in them has its path as a comment before it.

const headless = builtFile('main', 'headless.js')

const names = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name]) => name!)
const importedBy = (text: string): string[] =>
  names(text, /^(?:import|export) (?:[^"'`]* from )?"([^"]+)"(?: with \{[^}]*\})?;$/gm)

/** The text of a file and of those that are loaded with it. */
function loadedWith(entry: string): string {
  const files = new Set([entry])
  let text = ''
  for (const file of files) {
    const own = readFileSync(file, 'utf8')
    text += own
    for (const name of importedBy(own)) if (name.startsWith('.')) files.add(join(dirname(file), name))
  }
  return text
}

/** The file that another one loads later, by the beginning of its name. */
function loadedLater(from: string, name: string): string {
  const [, found] = new RegExp(`import\\("(\\./(?:chunks/)?${name}-[^"]+)"\\)`).exec(readFileSync(from, 'utf8')) ?? []
  if (found === undefined) throw new Error(`${from} loads no ${name}.`)
  return join(dirname(from), found)
}
const commandLine = loadedLater(headless, 'command-line')
const wholeProgram = builtFile('main', 'program.cjs')

const holds = (text: string, name: string): boolean => text.includes(`\n// node_modules/${name}/`)

test('a command that talks to a node loads none of libp2p, nor the gateway', () => {
  const text = loadedWith(headless) + loadedWith(commandLine)
  expect(holds(text, 'commander')).toBe(true)
  for (const name of ['libp2p', '@libp2p/kad-dht', 'yjs', 'koa']) expect(holds(text, name), name).toBe(false)
})

test('QUIC, UPnP and updates are no part of what a node loads at its start', () => {
  const text = loadedWith(loadedLater(commandLine, 'run-headless-node'))
  expect(holds(text, 'libp2p')).toBe(true)
  for (const other of ['@chainsafe/libp2p-quic', '@libp2p/upnp-nat', 'electron-updater']) {
    expect(holds(text, other), other).toBe(false)
  }
})

test('undici, and HTTP/2 with it, are loaded when something of undici is first used', () => {
  const told = 'process.once("exit", () => console.log(process.moduleLoadList.includes("NativeModule http2")))'
  const words = ['--import', `data:text/javascript,${told}`, headless, '--version']
  expect(spawnSync(process.execPath, words, { encoding: 'utf8' }).stdout).toMatch(/^[\d.]+\nfalse\n$/)
})

test('the built program asks for no package but those that cannot be a part of it', () => {
  const files = readdirSync(dirname(headless), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.js'),
  )
  const asked = files.flatMap((name) => {
    const text = readFileSync(join(dirname(headless), name), 'utf8')
    return [...importedBy(text), ...names(text, /\b(?:__require(?:\$\d+)?|import)\("([^"]+)"\)/g)]
  })
  asked.push(...names(readFileSync(wholeProgram, 'utf8'), /\b(?:(?:__)?require(?:\$\d+)?|import)\("([^"]+)"\)/g))
  const packages = asked.filter((name) => !name.startsWith('.') && !isBuiltin(name))
  expect([...new Set(packages)].sort()).toEqual(['classic-level', 'electron', 'protobufjs/minimal', 'supports-color'])
})

test('its sources are ASCII, or Node would keep each character as two bytes', () => {
  const files = ['main', join('main', 'chunks')].flatMap((folder) =>
    readdirSync(builtFile(folder))
      .filter((name) => /\.c?js$/.test(name))
      .map((name) => builtFile(folder, name)),
  )
  expect(files.filter((file) => readFileSync(file).some((byte) => byte > 0x7f))).toEqual([])
})

// The folder is the launcher's, which is Linux's here.
test.runIf(process.platform === 'linux')(
  'what was compiled is kept for the next start, without the launcher too',
  () => {
    const cache = mkdtempSync(join(tmpdir(), 'ocf-cache-'))
    try {
      // Vitest names a cache of its own in the environment.
      spawnSync(process.execPath, [headless, '--version'], { env: { HOME: cache, XDG_CACHE_HOME: cache } })
      expect(readdirSync(join(cache, 'ocf', 'compiled'))).toHaveLength(1)
    } finally {
      rmSync(cache, { recursive: true })
    }
  },
)
