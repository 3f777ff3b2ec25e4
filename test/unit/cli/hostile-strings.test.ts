import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CallName } from '#shared/contract/index.js'
import { AppError } from '#shared/errors.js'
import { createFakeSharing } from '../../contract/fake-sharing.js'
import { cli } from './cli-fixture.js'

/** What a terminal acts on, or no one sees: none of it may come out, but for line ends and tabs. */
const HARMFUL = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u
const ESCAPE = '\u001b'
/** The colours that this program uses itself. */
const OWN_COLOURS = new RegExp(`${ESCAPE}\\[(?:0|1|22|31|32|33|36|90)m`, 'g')

/** Written into every text that a stranger may choose. */
const THEIRS = 'THEIRS'

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom('\u001b[2J', '\u001b]0;x\u0007', '\u009b31m', '\u001b[8m', '\r', '\n', '\b', '\u007f'),
      fc.constantFrom('\u202e', '\u2066', '\u200b', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u2028', '\u{e0041}'),
      fc.constantFrom('\ud800', '\u3164', '\u{1f469}\u200d\u{1f4bb}', 'e\u0301', 'مدل', 'model', ' ', "'", '$(id)'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => parts.join(''))

/** The same answer with a hostile text wherever a stranger may write. */
function poisoned(value: unknown, text: string): unknown {
  if (typeof value === 'string') return value.replaceAll(THEIRS, text)
  if (Array.isArray(value)) return value.map((entry) => poisoned(entry, text))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, poisoned(entry, text)]))
}

const sharing = createFakeSharing()
const provider = { peerId: THEIRS, self: false, connected: true, trusted: true, visibility: 'everyone', load: null }
const check = { id: 'x', state: 'bad', fact: THEIRS, meaning: THEIRS, fix: THEIRS }
const person = {
  peerId: THEIRS,
  label: THEIRS,
  givenName: THEIRS,
  ownName: THEIRS,
  trustedBy: 'hand',
  connected: false,
}
const server = {
  ...{ address: THEIRS, host: THEIRS, port: 1, kind: 'ollama', name: THEIRS, version: THEIRS, state: 'ready' },
  ...{ problem: THEIRS, models: [{ id: THEIRS }], load: null, typed: false, sharedAs: null, remembered: null },
}
const share = {
  ...{ id: THEIRS, name: THEIRS, address: THEIRS, port: 1, status: 'connected', problem: THEIRS },
  ...{ models: [THEIRS], choices: [{ id: THEIRS, ticked: true, visibility: 'me' }], names: [{ name: THEIRS }] },
}
const scan = {
  ...{ scanning: false, seen: 1, read: 1, finishedAtMs: 0, problem: THEIRS },
  models: [
    {
      ...{ id: THEIRS, name: THEIRS, places: [{ app: 'folder', path: THEIRS }], architecture: THEIRS },
      ...{ parameters: THEIRS, contextLength: 1, quantisation: THEIRS, sizeBytes: 1, files: 1, problem: THEIRS },
    },
  ],
}
const engine = {
  ...{ state: 'missing', version: THEIRS, backend: null, source: THEIRS, doneBytes: 0, totalBytes: 0 },
  ...{ offers: [{ backend: 'cpu', downloadBytes: 1, packages: 1 }], sizeBytes: null, problem: THEIRS },
}
const invite = {
  ...{ id: THEIRS, name: THEIRS, state: 'open', uses: 1, usesLeft: 0, usedBy: [THEIRS] },
  ...{ madeAtMs: 0, expiresAtMs: 0 },
}
const none = { requests: 0, tokensIn: 0, tokensOut: 0 }
const ANSWERS: Partial<Record<CallName, unknown>> = {
  'node.status': {
    ...{ peerId: THEIRS, version: THEIRS, mode: 'node', startedAtMs: 0, gatewayUrl: 'http://127.0.0.1:1' },
    ...{ multiaddrs: [THEIRS], peers: 1, paths: [{ path: 'relayed', peers: 1 }], knownPeers: 1 },
    ...{ models: { available: 1, shared: 1 }, requestsToday: { in: 0, out: 0, local: 0, unanswered: 0 } },
    state: { kind: 'connected', path: 'direct', cause: { check: 'x', sentence: THEIRS } },
    notices: [{ id: 'shares-upgraded', sentence: THEIRS }],
  },
  'models.list': [
    {
      id: THEIRS,
      providers: [provider],
      local: false,
      shared: false,
      visibility: 'me',
      servers: [],
      contextLength: 1e6,
    },
  ],
  'peers.list': [
    {
      ...{ peerId: THEIRS, connected: true, standing: 'proven', paths: [], multiaddrs: [THEIRS], direction: null },
      ...{ relays: [THEIRS], connectedAtMs: 0, offers: [`llm:model=${THEIRS}`, THEIRS], version: THEIRS },
    },
  ],
  'people.list': [person],
  'people.nearby': [{ peerId: THEIRS, name: THEIRS, address: THEIRS, sinceMs: 0, connected: true, trusted: true }],
  'people.pairings': [
    { peerId: THEIRS, name: THEIRS, address: THEIRS, direction: 'incoming', state: 'compare', code: '123 456' },
  ],
  'people.invites': [invite],
  'people.invite': { invite, text: THEIRS, link: THEIRS, reach: 'lan' },
  'people.revokeInvite': { revoked: invite },
  'people.untrust': { untrusted: person, openInviteId: THEIRS },
  'disk.scan': scan,
  'engine.get': { disk: scan, install: engine, served: [{ id: THEIRS, name: THEIRS, path: THEIRS }] },
  'engine.serve': { name: THEIRS, visibility: 'me' },
  'people.ownName': { name: THEIRS, isDefault: true, editable: true },
  'people.trust': { person },
  'detection.scan': [server],
  'detection.type-in': server,
  'detection.forget': {},
  'shares.list': [share],
  'shares.add': share,
  'shares.remove': { untilRestart: true, problem: null },
  'services.list': [
    { id: THEIRS, name: 'llm', address: THEIRS, published: true, models: [{ name: THEIRS, visibility: 'me' }] },
  ],
  'doctor.run': { atMs: 0, peerId: THEIRS, checks: [check, { ...check, state: 'ok' }] },
  'doctor.peer': { atMs: 0, peerId: THEIRS, checks: [check] },
  'limits.get': { ...sharing.admission.usage(), refused: [{ code: THEIRS, count: 1 }] },
  'pause.get': {
    paused: true,
    reasons: [{ cause: 'manual', sentence: THEIRS, untilMs: null }],
    running: 1,
    cutAtMs: null,
  },
  'pause.set': {
    paused: true,
    reasons: [{ cause: 'manual', sentence: THEIRS, untilMs: 1 }],
    running: 1,
    cutAtMs: 1,
  },
  'pause.resume': {
    paused: true,
    reasons: [{ cause: 'x', sentence: THEIRS, untilMs: null }],
    running: 0,
    cutAtMs: null,
  },
  'settings.list': [{ name: 'limits.queue', value: THEIRS, originLabel: THEIRS, group: '', origin: 'default' }],
  'ledger.summary': sharing.ledger.summary(),
  'ledger.rows': [
    { day: THEIRS, model: THEIRS, peer: THEIRS, requests: 1, failed: 0, tokensIn: 1, tokensOut: 1, tokensEstimated: 1 },
  ],
  'logs.recent': [
    {
      seq: 1,
      atMs: 0,
      level: 'info',
      component: THEIRS,
      message: THEIRS,
      fields: JSON.stringify({ [THEIRS]: THEIRS }),
    },
  ],
  'keys.own': { key: null },
  'keys.list': {
    required: false,
    keys: [
      { id: THEIRS, name: THEIRS, createdDay: THEIRS, lastUsedDay: THEIRS, usage: { today: none, sinceStart: none } },
    ],
  },
  'keys.revoke': { revoked: { name: THEIRS } },
  'network.leave': { sentence: THEIRS, restartNeeded: false },
  'network.get': {
    ...{ privateName: THEIRS, nextPrivateName: null, known: THEIRS, joined: [THEIRS] },
    choices: [{ name: THEIRS, title: THEIRS, runBy: THEIRS, meaning: THEIRS, problem: null }],
  },
  'network.join': { kind: 'unknown', state: 'failed', sentence: THEIRS, canSwitch: true, peerId: null },
  'identity.get': { peerId: THEIRS, algorithm: THEIRS, source: THEIRS },
}

const COMMANDS: string[][] = [
  ...[
    ['status'],
    ['models'],
    ['peers'],
    ['people'],
    ['doctor'],
    ['doctor', 'PEER'],
    ['detect'],
    ['limits'],
    ['resume'],
  ],
  ...[['ledger'], ['logs'], ['keys'], ['network'], ['name'], ['pair'], ['share'], ['share', '1', '--all'], ['unshare']],
  ...[['join', 'x'], ['trust', 'x'], ['chat'], ['launch', 'claude', '--print'], ['launch', 'claude', '--model', 'x']],
  ...[['completion', '--', 'chat', ''], ['identity'], ['block'], ['block', 'x'], ['unblock', 'x'], ['test', 'x']],
  ...[['invite'], ['invite', '--list'], ['invite', '--revoke', 'x'], ['untrust', 'x'], ['leave'], ['pause']],
  ...[['models', '--on-disk'], ['engine'], ['serve', 'x'], ['serve', 'x', '--stop'], ['keys', 'revoke', 'x']],
]
const JSON_TOO = new Set(['status', 'models', 'peers', 'people', 'detect', 'limits', 'network', 'logs', 'keys', 'pair'])

async function shown(words: string[], given: Parameters<typeof cli>[0]): Promise<string> {
  const { run, output, errors } = cli(given)
  await run(...words)
  return `${output()}${errors()}`.replaceAll(OWN_COLOURS, '')
}

describe('strings of strangers at the command line', () => {
  test.each(COMMANDS.map((words) => [words.join(' '), words] as const))(
    'ocf %s shows hostile names and sentences without harm, on a terminal and in a pipe',
    async (_name, words) => {
      await fc.assert(
        fc.asyncProperty(hostile, fc.boolean(), async (text, tty) => {
          const answers = poisoned(ANSWERS, text) as typeof ANSWERS
          expect(await shown(words, { answers, tty })).not.toMatch(HARMFUL)
          if (JSON_TOO.has(words[0] ?? ''))
            expect(await shown([...words, '--json'], { answers, tty })).not.toMatch(HARMFUL)
        }),
        { numRuns: 25 },
      )
    },
  )

  test('ocf shows a hostile error of the node without harm', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, fc.boolean(), async (text, tty) => {
        for (const error of [new AppError('upstream_failed', text), new Error(text)]) {
          const answers = { 'peers.list': () => Promise.reject(error) }
          expect(await shown(['peers'], { answers, tty })).not.toMatch(HARMFUL)
        }
      }),
      { numRuns: 50 },
    )
  })

  test('ocf shows hostile words of its own line without harm', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        for (const words of [
          [text],
          ['status', text],
          ['status', `--${text}`],
          ['start', '--port', text],
          ['limits', text],
        ]) {
          expect(await shown(words, {})).not.toMatch(HARMFUL)
        }
      }),
      { numRuns: 50 },
    )
  })

  test('what is printed as JSON still means what the node answered', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const answers = poisoned(ANSWERS, text) as typeof ANSWERS
        const { run, output } = cli({ answers, tty: true })
        await run('models', '--json')
        expect(JSON.parse(output())).toEqual(JSON.parse(JSON.stringify(answers['models.list'])))
      }),
    )
  })

  test('names that differ by marks that no one sees look different', async () => {
    const ids = ['llama3', 'llama\u200b3', 'llama\u{e0033}3', '\u202ellama3']
    const models = ids.map((id) => ({ ...(ANSWERS['models.list'] as object[])[0], id }))
    const text = await shown(['models'], { answers: { 'models.list': models } })
    for (const seen of ['llama3 ', 'llama\\u200b3', 'llama\\udb40\\udc333', '\\u202ellama3'])
      expect(text).toContain(seen)
  })
})
