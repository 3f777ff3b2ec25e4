import type { KeptChats } from '../../chats/index.js'
import type { SettingsSource } from '../../config/index.js'
import type { Handlers } from '../dispatch.js'

/** `settings.list` and `settings.set`. */
export function createSettingsHandlers(needs: {
  settings: Pick<SettingsSource, 'list' | 'save'>
}): Pick<Handlers, 'settings.list' | 'settings.set'> {
  return {
    'settings.list': () => needs.settings.list(),
    'settings.set': ({ name, value }) => needs.settings.save(name, value),
  }
}

/** What the topic of kept chats reads and changes. */
export interface ChatsNeeds {
  chats: Pick<KeptChats, 'load' | 'save' | 'forget'>
}

/** `chats.*`: what is kept where the setting `chats.keep` says so. */
export function createChatsHandlers({
  chats,
}: ChatsNeeds): Pick<Handlers, 'chats.load' | 'chats.save' | 'chats.forget'> {
  return {
    'chats.load': () => chats.load(),
    'chats.save': ({ conversations }) => chats.save(conversations),
    async 'chats.forget'() {
      await chats.forget()
      return {}
    },
  }
}
