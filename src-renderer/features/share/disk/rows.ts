import { DISK_APP_NAMES, type DiskModel } from '#shared/contract/sharing/disk-models.js'
import type { EngineState, ServedModel } from '#shared/contract/sharing/engine.js'

/** A model on the disk, served or not. */
export interface DiskRow {
  id: string
  name: string
  /** `4.1 GB`’s bytes; null for a served file that no scan has seen. */
  sizeBytes: number | null
  contextLength: number | null
  quantisation: string | null
  from: string
  /** Why it can't be served; null when it can. */
  problem: string | null
  served: ServedModel | undefined
}

/** The models that a scan found, and those that are served from elsewhere. */
export function rowsOf({ disk, served }: Pick<EngineState, 'disk' | 'served'>): DiskRow[] {
  const found = disk.models.map((model) => rowOf(model, servedAs(model, served)))
  const known = new Set(found.flatMap((row) => (row.served === undefined ? [] : [row.served.id])))
  const others = served.filter(({ id }) => !known.has(id))
  return [
    ...others.map((model) => ({
      ...{ id: model.id, name: model.name, served: model, problem: null, from: '' },
      ...{ sizeBytes: null, contextLength: null, quantisation: null },
    })),
    ...found,
  ]
}

function servedAs(model: DiskModel, served: readonly ServedModel[]): ServedModel | undefined {
  return served.find(({ path }) => model.places.some((place) => place.path === path))
}

function rowOf(model: DiskModel, served: ServedModel | undefined): DiskRow {
  const { id, name, sizeBytes, contextLength, quantisation, problem, places } = model
  const from = [...new Set(places.map(({ app }) => DISK_APP_NAMES[app]))].join(', ')
  return { id, name, sizeBytes, contextLength, quantisation, problem, from, served }
}
