import type { ServiceRecord } from '#shared/records.js'
import { IDENTITY_GROUP_BUDGET_BYTES } from './constants.js'
import type { LocalService } from '../index.js'
import { sizeOf } from './published-models.js'

/**
 * This node's services as its own row of the node table tells them: published and connected ones only. All of their
 * identity groups together stay within the room of a row; what does not fit is counted in `leftOut`, never sent.
 */
export function toServiceRecords(
  services: readonly LocalService[],
  hardware: ServiceRecord['hardware'],
  budgetBytes: number = IDENTITY_GROUP_BUDGET_BYTES,
  options: { paused?: boolean } = {},
): { records: ServiceRecord[]; leftOut: number } {
  let room = budgetBytes
  let leftOut = 0
  const records = services.filter(isPublic).map((service): ServiceRecord => {
    const groups = service.identityGroups.filter((entry) => {
      const size = sizeOf([entry])
      if (size > room) {
        leftOut += 1
        return false
      }
      room -= size
      return true
    })
    const { name, host, port } = service
    // Only what is `connected` is routed to; the entries stay, so that the network knows what is merely paused.
    const status = options.paused === true ? 'paused' : service.status
    return { name, hardware, status, host, port: String(port), identity_group: groups }
  })
  return { records, leftOut }
}

function isPublic(service: LocalService): boolean {
  return service.published && service.status === 'connected'
}
