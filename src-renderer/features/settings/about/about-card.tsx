import { dataOf } from '../../../stores/feed-store.js'
import { useFeed } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Card } from '../../../ui/layout/card.js'
import { Facts } from '../../../ui/layout/facts.js'
import { TimeAgo } from '../../../ui/text/time-ago.js'
import { Licences } from './licences.js'
import { UpdateRow } from './update-row.js'

const { settings: words } = strings

/** Version, mode and the licences of what it is made of. */
export function AboutCard() {
  const status = dataOf(useFeed('status'))
  if (status === undefined) return null
  const facts = [
    { name: words.version, value: status.version },
    { name: strings.update.label, value: <UpdateRow /> },
    { name: words.mode, value: strings.modes[status.mode] },
    { name: words.started, value: <TimeAgo atMs={status.startedAtMs} /> },
    { name: words.licences, value: <Licences /> },
  ]
  return (
    <Card title={words.about}>
      <Facts facts={facts} />
    </Card>
  )
}
