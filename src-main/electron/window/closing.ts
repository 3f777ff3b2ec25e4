/** What closing the window depends on. */
export interface ClosingFacts {
  platform: NodeJS.Platform
  /** There is a tray the person can come back from. */
  hasTray: boolean
  closeToTray: boolean
  /** The person was told that the node keeps running. */
  closeToTrayTold: boolean
}

/**
 * What closing the last window does. `ask`: say once that the node can keep running, and let the person choose.
 * Without a tray closing is quitting: a node that can't be seen can't be stopped. On macOS the Dock is that way back.
 */
export function whatClosingDoes(facts: ClosingFacts): 'quit' | 'keep' | 'ask' {
  if (facts.platform === 'darwin') return 'keep'
  if (!facts.hasTray) return 'quit'
  if (!facts.closeToTrayTold) return 'ask'
  return facts.closeToTray ? 'keep' : 'quit'
}
