import type { OwnStatus, OwnStatusSource } from '../node-table/index.js'
import type { Admission } from './access/index.js'

/** What peers hear when they ask how busy this node is: the places of its admission and why it is closed, if it is. */
export function createOwnStatus(needs: { admission: () => Pick<Admission, 'usage' | 'closed'> }): OwnStatusSource {
  return {
    current(): OwnStatus {
      const admission = needs.admission()
      const { closed } = admission
      const { slots, queue } = admission.usage()
      return {
        slotsTotal: slots.total,
        slotsFree: Math.max(0, slots.total - slots.used),
        queueLength: queue.used,
        paused: closed === undefined ? null : closed.message,
      }
    },
  }
}
