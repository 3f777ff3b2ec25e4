import { readdirSync } from 'node:fs'

/**
 * The rooms of src-main from the bottom up. A file may import from its own room, from the others of its level and from
 * the levels before it; docs/architecture.md says what each is for.
 */
export const MAIN_LAYERS = [
  ['base', 'logging'],
  ['config', 'http-client'],
  ['p2p'],
  ['node-table'],
  ['demo-model', 'disk-models', 'people'],
  ['joining'],
  ['services'],
  ['go-network'],
  ['chats', 'engine', 'telemetry'],
  ['gateway'],
  ['doctor'],
  ['api'],
  ['cli', 'electron'],
  ['compose'],
  ['demo'],
  ['command-line.ts'],
  // The hosts: they only start what is composed.
  ['main.ts', 'headless.ts'],
].map((level) => level.map((room) => `src-main/${room.replace(/\.ts$/, '')}`))

/** What other rooms may import besides a room's index. */
export const MAIN_OPEN = [
  // Rooms without an index: each file is a part of its own.
  'base',
  'cli',
  'compose',
  'electron',
  // The other host: the installed app runs it for the command `ocf`.
  'headless',
  'command-line',
  // The caller's side of the control interface, for programs that are no node.
  'api/client',
].map((path) => `src-main/${path}`)

/** Pages share nothing with each other: what two of them need lies in stores or ui. */
export const PAGES = 'src-renderer/features'

const pages = readdirSync(new URL('../../src-renderer/features', import.meta.url)).map((page) => `features/${page}`)

/** The rooms of the renderer, from the bottom up. */
export const RENDERER_LAYERS = [['strings'], ['client'], ['stores', 'ui'], pages, ['frame'], ['main']].map((level) =>
  level.map((room) => `src-renderer/${room}`),
)
