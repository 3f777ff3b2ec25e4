import type { SettingView } from '#shared/contract/settings.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Card } from '../../ui/card.js'
import { Facts } from '../../ui/facts.js'
import { TimeAgo } from '../../ui/time-ago.js'
import { Licences } from './licences.js'
import { UpdateRow } from './update-row.js'

const { settings: words } = strings

/** Version, mode, identity and the licences of what it is made of. */
export function AboutCard({ settings }: { settings: readonly SettingView[] | undefined }) {
  const status = dataOf(useFeed('status'))
  if (status === undefined) return null
  const folder = settings?.find(({ name }) => name === 'data-dir')?.value ?? ''
  const facts = [
    { name: words.version, value: status.version },
    { name: strings.update.label, value: <UpdateRow /> },
    { name: words.mode, value: strings.modes[status.mode] },
    { name: words.started, value: <TimeAgo atMs={status.startedAtMs} /> },
    ...(folder === '' ? [] : [{ name: words.identity, value: words.identityHint(folder) }]),
    { name: words.licences, value: <Licences /> },
  ]
  return (
    <Card title={words.about}>
      <Facts facts={facts} />
    </Card>
  )
}
