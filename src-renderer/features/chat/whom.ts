import type { ModelView } from '#shared/contract/models/models.js'
import type { ChatSettings } from '../../stores/chats/conversation.js'
import { canSee } from '../../stores/model-use.js'

/** What a conversation with a model begins with. */
export function settingsFor(model: string): ChatSettings {
  return { model, provider: null, system: '', temperature: null, maxTokens: null }
}

/** Models by how likely they answer: those of this computer, then of connected peers; in each by name. */
export function preferred(models: readonly ModelView[]): ModelView[] {
  const rankOf = ({ local, providers }: ModelView): number =>
    local ? 0 : providers.some(({ self, connected }) => self || connected) ? 1 : 2
  return models.toSorted((a, b) => rankOf(a) - rankOf(b) || a.id.localeCompare(b.id, 'en'))
}

/** Pictures can be sent where nothing is known of the model, and not where it is known that it can’t see. */
export function canSeeOf(models: readonly ModelView[] | undefined, id: string): boolean {
  const model = models?.find((one) => one.id === id)
  return model === undefined || canSee(model) !== false
}
