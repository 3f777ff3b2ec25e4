import type { ModelView } from '#shared/contract/models/models.js'

/** The model for the examples: one of this computer, else one whose peer is connected, else any. */
export function modelForExamples(models: readonly ModelView[]): string | undefined {
  const connected = (model: ModelView): boolean => model.providers.some((provider) => provider.connected)
  return (models.find((model) => model.local) ?? models.find(connected) ?? models[0])?.id
}
