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

/** Why the stand-in does not run here. */
export const noStandIn =
  process.platform === 'linux'
    ? noChromium
    : 'The stand-in plays every system on Linux, with its tray, file modes and AppImages: NOT TESTED on this one'

/** Where the specs of the desktop app run. */
export const KINDS = [
  { kind: 'the stand-in', launch: launchStandIn, skip: noStandIn, hasTrays: true },
  { kind: 'the real Electron', launch: launchElectron, skip: noElectron, hasTrays: false },
] as const

/** A folder of one test, with everything the app writes. */
export interface Place {
  dir: string
  /** Flags of a node that concerns nobody else; in the mode `node` peers may join it. */
  words: string[]
  /** Its folder and ports: beside a link on the command line no flag counts. */
  env: Record<string, string>
  remove(): void
}

/** Whether the desktop has a tray is the test's choice, not the machine's. */
export function makePlace(options: { tray: boolean; mode?: 'standalone' | 'node' }): Place {
  const dir = mkdtempSync(join(tmpdir(), 'ocf-desktop-'))
  const ports = ['PORT', 'API_PORT', 'TCPPORT', 'WSPORT', 'UDPPORT'].map((name) => [`OCF_${name}`, '0'])
  return {
    dir,
    words: [`--mode=${options.mode ?? 'standalone'}`],
    env: {
      ...withTrayHost(dir, options.tray),
      ...Object.fromEntries(ports),
      XDG_CONFIG_HOME: join(dir, 'config'),
      OCF_P2P_HOST: '127.0.0.1',
      OCF_DATA_DIR: join(dir, 'node'),
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}

/** Waits until the window shows a running node. */
export async function shown(desktop: Desktop): Promise<string> {
  const baseUrl = desktop.page.getByTestId('base-url')
  // The window is there before the node has started.
  await baseUrl.waitFor({ timeout: 60_000 })
  return await baseUrl.innerText()
}
