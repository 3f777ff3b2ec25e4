/** The setting `demo-model`. */
export type DemoMode = 'auto' | 'on' | 'off'

/** What is known about real models on this machine. */
export interface DemoFacts {
  /** A real model has been shared from this machine before: the demo model has stepped aside for good. */
  realServiceEverShared: boolean
  /** A real service is registered now. */
  realServiceRegistered: boolean
  /** A model server runs here, though nobody has shared it yet. */
  realServerFoundLocally: boolean
}

/** Whether the built-in demo model is offered: never against the owner's word, and otherwise only to who has nothing real. */
export function shouldOfferDemo(mode: DemoMode, facts: DemoFacts): boolean {
  if (mode !== 'auto') return mode === 'on'
  return !facts.realServiceEverShared && !facts.realServiceRegistered && !facts.realServerFoundLocally
}
