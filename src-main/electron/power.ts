import type { Log } from '../logging/index.js'
import { known, unknown, type MachineFacts } from '../services/machine/index.js'

/** The part of Electron's `powerMonitor` that is used. */
export interface PowerSource {
  on(event: 'suspend' | 'resume', listener: () => void): unknown
  removeListener(event: 'suspend' | 'resume', listener: () => void): unknown
  /** Seconds without keyboard or pointer. */
  getSystemIdleTime(): number
  isOnBatteryPower(): boolean
}

/** Facts about this machine that Electron knows and Node does not. */
export function createShellFacts(
  power: PowerSource,
  session: string | undefined = process.env['XDG_SESSION_TYPE'],
): Pick<MachineFacts, 'userIdleMs' | 'onBattery'> {
  return {
    // Wayland hides input to other programs: 0 there would mean a person who never leaves.
    userIdleMs: () =>
      Promise.resolve(
        session === 'wayland'
          ? unknown('a Wayland desktop does not report when it is used')
          : known(power.getSystemIdleTime() * 1000),
      ),
    onBattery: () => Promise.resolve(known(power.isOnBatteryPower())),
  }
}

/** The node, as far as sleep concerns it. */
export interface Sleeper {
  /** Never rejects. */
  wakesUp(): Promise<void>
}

/** Notifies the node after the computer has slept. Returns a function that stops it. */
export function watchSleep(needs: {
  power: Pick<PowerSource, 'on' | 'removeListener'>
  node: Sleeper
  log: Log
}): () => void {
  const { power, node } = needs
  const log = needs.log.forComponent('shell')
  const onSuspend = (): void => log.info('the computer falls asleep')
  const onResume = (): void => {
    log.info('the computer woke up')
    void node.wakesUp()
  }
  power.on('suspend', onSuspend)
  power.on('resume', onResume)
  return () => {
    power.removeListener('suspend', onSuspend)
    power.removeListener('resume', onResume)
  }
}
