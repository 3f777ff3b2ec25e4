import { expect, test } from 'vitest'
import type { DiskModel } from '#shared/contract/sharing/disk-models.js'
import type { ServedModel } from '#shared/contract/sharing/engine.js'
import { ALICE, BOB } from '../../contract/fake-node.js'
import { openPalette } from '../fake-dashboard.js'
import { settle, startWalk } from './walk.js'

const HTML = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
/** Turns its end about, has a mark that takes no room, and is as long as an id may be. */
const ODD = `Qwen\u202e3\u200b${HTML}${'W'.repeat(100)}`
/** Marks that may stand in no text that is shown: they turn or hide what is beside them. */
const MARKS = '[\\u202a-\\u202e\\u2066-\\u2069\\u200b\\u2060\\ufeff]'

const walk = startWalk((node) => {
  const { needs, traffic } = node
  const { ledger, detector, shares } = needs.sharing
  node.offer(ALICE, 'llm', [`model=${ODD}`])
  const list = needs.models.list.bind(needs.models)
  const facts = { kind: 'chat' as const, parameters: '7B', quantization: 'Q4', contextTokens: 8192 }
  needs.models.list = () => list().map((model) => (model.id === ODD ? { ...model, facts } : model))
  needs.gpus.read = () =>
    Promise.resolve({
      known: true,
      value: [{ name: ODD, total_memory: 24_564, used_memory: 9_830, busyPercent: 63, celsius: 58 }],
    })
  const row = { requests: 1, failed: 0, tokensIn: 1, tokensOut: 9, tokensEstimated: 0 }
  ledger.rows = () => [{ day: new Date().toISOString().slice(0, 10), model: ODD, peer: ODD, ...row }]
  const [[server], [share]] = [detector.servers(), shares.list()]
  const model = { ...server!.models[0]!, id: ODD, quantisation: ODD, parameters: ODD }
  detector.servers = () => [
    { ...server!, name: ODD, version: ODD, models: [model] },
    { ...server!, address: '127.0.0.1:9', port: 9, name: ODD, state: 'needs-key', problem: ODD, sharedAs: null },
  ]
  shares.list = () => [{ ...share!, name: ODD, problem: ODD, choices: [], names: [], models: [ODD] }]
  const started = { direction: 'out', service: 'llm', method: 'POST', route: ODD } as const
  traffic.begin({ id: 'odd', ...started, model: ODD, peer: ALICE, key: ODD }).finish({ status: 502, error: ODD })
  node.writeLog(ODD, 'warn')
  const check = { id: 'x', state: 'bad', fact: ODD, meaning: ODD, fix: ODD, brief: ODD } as const
  Object.assign(needs.doctor!, {
    live: { ...needs.doctor!.live, state: () => ({ checks: [check], asking: null, askedAtMs: null }) },
  })
  // Models on the disk, and how running them fares.
  const { disk, engine } = needs.engine
  const found: DiskModel = {
    ...{ id: 'disk', name: ODD, places: [{ app: 'folder', path: ODD }], architecture: ODD, parameters: ODD },
    ...{ contextLength: 8192, quantisation: ODD, sizeBytes: 1e9, files: 1, hasChatTemplate: true, embedding: false },
    ...{ projector: false, problem: ODD },
  }
  const scan = { ...disk.state(), finishedAtMs: 1, models: [found], problem: ODD }
  const install = { ...engine.state().install, source: ODD, problem: ODD }
  const running = {
    contextTokens: 8192,
    slots: 4,
    busySlots: 1,
    gpuLayers: 0,
    backend: 'cpu',
    memoryBytes: 1e9,
  } as const
  const served: ServedModel = {
    ...{ id: 'served', name: ODD, path: ODD, visibility: 'everyone', state: 'failed', problem: ODD },
    ...{ running: { ...running, note: ODD }, measured: null, measuring: false },
    settings: { contextTokens: null, slots: null, gpuLayers: null, keepLoaded: false },
  }
  disk.state = () => scan
  engine.state = () => ({ disk: scan, install, served: [served], serviceId: null, budgetBytes: 8e9 })
  // Networks, people, keys, and why sharing is paused.
  const { pause } = needs.sharing
  const paused = { ...pause.state(), paused: true, reasons: [{ cause: 'program', sentence: ODD, untilMs: null }] }
  pause.state = () => paused as ReturnType<typeof pause.state>
  const [key] = needs.apiKeys.list()
  needs.apiKeys.list = () => [{ ...key!, name: ODD }]
  const { people } = needs
  const [friend, invite, nearby] = [people.list()[0]!, people.invites()[0]!, people.pairing.nearby()[0]!]
  people.list = () => [friend, { ...friend, peerId: BOB, label: ODD, ownName: ODD }]
  people.invites = () => [{ ...invite, name: ODD }]
  people.pairing.nearby = () => [{ ...nearby, name: ODD, address: ODD }]
  const view = needs.joining.view.bind(needs.joining)
  needs.joining.view = () => ({
    ...view(),
    ...{ privateName: ODD, known: ODD, joined: [ODD] },
    choices: view().choices.map((choice) => ({ ...choice, title: ODD, runBy: ODD, meaning: ODD })),
  })
  const read = needs.history.read.bind(needs.history)
  needs.history.read = (range) => ({ ...read(range), errors: [{ code: ODD, count: 2 }] })
  needs.bootstrapper.status = () => [
    { source: ODD, setting: 'bootstrap.sources', state: 'failed', addresses: 0, reason: ODD, askedAtMs: undefined },
  ]
})

const PLACES = [
  ...['home', 'chat', 'chat/~compare', 'share', 'share/~ledger', 'models', 'network', 'traffic', 'traffic/odd'],
  ...[
    'network/invite',
    'settings',
    'settings/~advanced',
    `network/${BOB}`,
    `models/${encodeURIComponent(ODD)}`,
    `network/${ALICE}`,
  ],
]

/** Nothing of a name was run, turned or hidden, and nothing but tables and texts that scroll reaches beyond the window. */
async function hold(name: string): Promise<void> {
  for (const [width, height] of [
    [1280, 800],
    [390, 844],
  ] as const) {
    await walk.page.setViewportSize({ width, height })
    const found = (): Promise<unknown> =>
      walk.page.evaluate((marks) => {
        const texts: string[] = []
        // What stands in a field or a list of the browser is drawn by the browser, each in a line of its own.
        const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
        for (let node = nodes.nextNode(); node !== null; node = nodes.nextNode()) {
          const parent = node.parentElement
          if (parent?.closest('option, textarea, script') !== null) continue
          if (new RegExp(marks, 'u').test(node.textContent ?? '')) texts.push(parent.outerHTML.slice(0, 90))
        }
        const beyond = [...document.querySelectorAll<HTMLElement>('main *, dialog *')]
          .filter((element) => element.closest('table, svg, pre, [role=log], .visually-hidden') === null)
          .filter((element) => {
            // What a parent cuts with three dots is drawn no further than the parent.
            let seen = element.getBoundingClientRect().right
            const page = element.closest('main, dialog')
            for (
              let parent = element.parentElement;
              parent !== page && parent !== null;
              parent = parent.parentElement
            ) {
              if (getComputedStyle(parent).overflowX === 'hidden')
                seen = Math.min(seen, parent.getBoundingClientRect().right)
            }
            return seen > window.innerWidth + 1
          })
          .map((element) => `${element.tagName} ${element.className}`)
        const images = document.querySelectorAll('img[src="x"]').length
        return { hacked: 'hacked' in window, images, marks: [...new Set(texts)], beyond: [...new Set(beyond)] }
      }, MARKS)
    await expect
      .poll(found, { message: `${name} at ${width}`, timeout: 3000 })
      .toEqual({ hacked: false, images: 0, marks: [], beyond: [] })
  }
  await walk.page.setViewportSize({ width: 1280, height: 800 })
}

test.each(PLACES)('names and sentences of strangers run nothing, hide nothing and move nothing: %s', async (place) => {
  await walk.dashboard.goTo(`#/${place}`)
  await settle(walk.page)
  await hold(place)
})

test('the palette lists names of strangers as text', async () => {
  await walk.open('#/home')
  await openPalette(walk.page)
  await walk.page.keyboard.type('qwen')
  await walk.page.getByRole('listbox').getByRole('option').first().waitFor()
  await hold('palette')
  await walk.page.keyboard.press('Escape')
})
