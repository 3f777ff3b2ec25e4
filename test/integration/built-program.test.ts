import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
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

const holds = (text: string, name: string): boolean => text.includes(`\n// node_modules/${name}/`)

test('a command that talks to a node loads none of libp2p, nor the gateway', () => {
  const text = loadedWith(headless)
  expect(holds(text, 'commander')).toBe(true)
  for (const name of ['libp2p', '@libp2p/kad-dht', 'yjs', 'koa']) expect(holds(text, name), name).toBe(false)
})

test('QUIC, UPnP and updates are no part of what a node loads at its start', () => {
  const [, name] = /import\("(\.\/chunks\/run-headless-node-[^"]+)"\)/.exec(readFileSync(headless, 'utf8')) ?? []
  const text = loadedWith(join(dirname(headless), name!))
  expect(holds(text, 'libp2p')).toBe(true)
  for (const other of ['@chainsafe/libp2p-quic', '@libp2p/upnp-nat', 'electron-updater']) {
    expect(holds(text, other), other).toBe(false)
  }
})

test('the built program asks for no package but those that cannot be a part of it', () => {
  const files = readdirSync(dirname(headless), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.js'),
  )
  const asked = files.flatMap((name) => {
    const text = readFileSync(join(dirname(headless), name), 'utf8')
    return [...importedBy(text), ...names(text, /\b(?:__require(?:\$\d+)?|import)\("([^"]+)"\)/g)]
  })
  const packages = asked.filter((name) => !name.startsWith('.') && !isBuiltin(name))
  expect([...new Set(packages)].sort()).toEqual(['classic-level', 'electron', 'protobufjs/minimal', 'supports-color'])
})
