import type { ServedModel } from '#shared/contract/sharing/engine.js'

/** What the front tells Prometheus of the served models. */
export function metricsOf(served: readonly ServedModel[]): string {
  const gauge = (name: string, help: string, valueOf: (model: ServedModel) => number): string =>
    [
      `# HELP ocf_engine_${name} ${help}`,
      `# TYPE ocf_engine_${name} gauge`,
      ...served.map((model) => `ocf_engine_${name}{model=${JSON.stringify(model.name)}} ${valueOf(model)}`),
      '',
    ].join('\n')
  return [
    gauge('slots', 'Requests it takes at once; 0 while it is not in memory.', ({ running }) => running?.slots ?? 0),
    gauge('slots_busy', 'Requests it works on.', ({ running }) => running?.busySlots ?? 0),
    gauge('memory_bytes', 'Memory of its process.', ({ running }) => running?.memoryBytes ?? 0),
  ].join('')
}
