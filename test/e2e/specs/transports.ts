import { rm } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { lendChromium, noChromium } from '../../fixtures/chromium/launch.js'
import type { Desktop } from '../../fixtures/electron-stand-in/launch.js'
import { startNodeProcess } from '../../fixtures/node-process.js'
import { KINDS, makePlace, shown } from '../desktop-app.js'

/** A node of the mode `node` on loopback, new and empty, and the page that shows it. */
export interface Dashboard {
  /** The page as it is now: a restart may bring another one. */
  page(): Page
  /** Base address of the node's gateway as it is now, without `/v1`. */
  gateway(): string
  /** The node ends without any notice and is back; fails unless a person is told so. */
  crash(): Promise<void>
  close(): Promise<void>
}

/** A way from the page to its node. */
export interface Transport {
  title: string
  /** Why it can't be used here; undefined when it can. */
  skip: string | undefined
  open(): Promise<Dashboard>
}

/** Every way the same specs run on: HTTP from a browser, and IPC within the desktop app. */
export const TRANSPORTS: readonly Transport[] = [
  { title: 'a browser and a headless node', skip: noChromium, open: openInBrowser },
  ...KINDS.map(({ kind, skip, launch }) => ({
    title: `the desktop app in ${kind}`,
    skip,
    open: () => openDesktop(launch),
  })),
]

const FLAGS = ['--demo-model', 'off', '--mode', 'node']

async function openInBrowser(): Promise<Dashboard> {
  let node = await startNodeProcess({ flags: FLAGS })
  const { dataDir } = node
  const browser = await lendChromium()
  const page = await browser.context.newPage()
  const show = async (): Promise<void> => {
    await page.goto(node.dashboard)
    await page.getByTestId('base-url').waitFor()
  }
  await show()
  return {
    page: () => page,
    gateway: () => node.gateway,
    async crash() {
      await node.kill()
      await page.getByRole('alert').getByText('The node is not answering').waitFor()
      // The page knows its node by this port.
      const port = new URL(node.dashboard).port
      node = await startNodeProcess({ dataDir, flags: [...FLAGS, '--api-port', port] })
      // Its link lasts, so the open page goes on without being opened again.
      await page.getByRole('alert').getByText('The node is not answering').waitFor({ state: 'detached' })
    },
    async close() {
      await browser.close()
      await node.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function openDesktop(launch: (typeof KINDS)[number]['launch']): Promise<Dashboard> {
  const place = makePlace({ tray: false, mode: 'node' })
  const words = [...place.words, '--demo-model=off']
  let desktop: Desktop
  let gateway = ''
  const start = async (more: readonly string[] = []): Promise<void> => {
    desktop = await launch([...words, ...more], place.env)
    gateway = (await shown(desktop)).replace(/\/v1$/, '')
  }
  await start()
  return {
    page: () => desktop.page,
    gateway: () => gateway,
    async crash() {
      await desktop.inMain(({ app }) => {
        app.relaunch = (options) => void process.stderr.write(`again: ${JSON.stringify(options?.args)}\n`)
        setImmediate(() => {
          throw new Error('the test makes it fail')
        })
      })
      expect(await desktop.exited).toBe(1)
      // What the system would be asked to start is started by the test.
      const again = JSON.parse(/again: (.*)/.exec(desktop.stderr())?.[1] ?? '[]') as string[]
      expect(again).toEqual(expect.arrayContaining([...words, '--restarted=1']))
      await desktop.close()
      await start(['--restarted=1'])
      if (desktop.kind === 'stand-in') {
        await expect
          .poll(() => desktop.stderr(), { timeout: 20_000 })
          .toContain('notification Open Compute was restarted')
      }
    },
    async close() {
      await desktop.close()
      place.remove()
    },
  }
}
