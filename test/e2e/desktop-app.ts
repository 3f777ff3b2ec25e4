import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noChromium } from '../fixtures/chromium/launch.js'
import { findElectron, launchElectron, launchStandIn, type Desktop } from '../fixtures/electron-stand-in/launch.js'
import { withTrayHost } from '../fixtures/tray-host.js'

const noElectron =
  findElectron() === undefined
    ? 'Electron’s binary is not on this machine (npx install-electron gets it): NOT TESTED in the real Electron'
    : undefined
if (process.env['OCF_REQUIRE_ELECTRON'] === '1' && noElectron !== undefined) throw new Error(noElectron)

/** Where the specs of the desktop app run. */
export const KINDS = [
  { kind: 'the stand-in', launch: launchStandIn, skip: noChromium, hasTrays: true },
  { kind: 'the real Electron', launch: launchElectron, skip: noElectron, hasTrays: false },
] as const

/** A folder of one test, with everything the app writes. */
export interface Place {
  dir: string
  /** The words of a node that concerns nobody else; in the mode `node` peers may join it. */
  words: string[]
  env: Record<string, string>
  remove(): void
}

/** Whether the desktop has a tray is the test's choice, not the machine's. */
export function makePlace(options: { tray: boolean; mode?: 'standalone' | 'node' }): Place {
  const dir = mkdtempSync(join(tmpdir(), 'ocf-desktop-'))
  const ports = ['port', 'api-port', 'tcpport', 'wsport', 'udpport'].map((name) => `--${name}=0`)
  return {
    dir,
    words: [
      `--mode=${options.mode ?? 'standalone'}`,
      ...ports,
      '--p2p-host=127.0.0.1',
      `--data-dir=${join(dir, 'node')}`,
    ],
    env: { ...withTrayHost(dir, options.tray), XDG_CONFIG_HOME: join(dir, 'config') },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}

/** Waits until the window shows a running node. */
export async function shown(desktop: Desktop): Promise<string> {
  const baseUrl = desktop.page.getByTestId('base-url')
  await baseUrl.waitFor()
  return await baseUrl.innerText()
}
