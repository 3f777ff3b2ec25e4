import { versionsOf, type ChatNode, type Conversation } from '../../../stores/chats/conversation.js'
import { useChats } from '../../../stores/hooks.js'
import { strings } from '../../../strings.js'
import { IconButton } from '../../../ui/controls/icon-button.js'
import styles from './message.module.css'

const { chat: words } = strings

/** Leads to the other versions of a message, where there are any. */
export function Versions({ conversation, node }: { conversation: Conversation; node: ChatNode }) {
  const chats = useChats()
  const versions = versionsOf(conversation, node)
  if (versions.length < 2) return null
  const index = versions.findIndex(({ id }) => id === node.id)
  const [before, after] = [versions[index - 1], versions[index + 1]]
  return (
    <span className={styles['versions']}>
      <IconButton
        icon="back"
        label={words.earlier}
        disabled={before === undefined}
        onClick={() => before !== undefined && chats.show(conversation.id, before.id)}
      />
      {words.version(index + 1, versions.length)}
      <IconButton
        icon="forward"
        label={words.later}
        disabled={after === undefined}
        onClick={() => after !== undefined && chats.show(conversation.id, after.id)}
      />
    </span>
  )
}
