import type { ModelView } from '#shared/contract/models/models.js'
import type { PeerView } from '#shared/contract/network/peers.js'
import { PATHS_BEST_FIRST } from '#shared/path-order.js'
import { useFavourites } from '../../stores/favourites.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { canChat, isReachable, peersById } from '../../stores/model-use.js'
import { linkTo } from '../../stores/route.js'
import { strings } from '../../strings.js'
import { Card } from '../../ui/layout/card.js'
import { Badge } from '../../ui/text/badge.js'
import { DemoBadge } from '../../ui/text/demo-badge.js'
import { LongName } from '../../ui/text/long-name.js'
import { PathBadge } from '../../ui/text/path-badge.js'
import styles from './home-page.module.css'

const { usable: words } = strings.home
/** More than these are a page of their own. */
const SHOWN = 6

/** The models one can use now: favourites first, then those of this computer, then the best connected. */
export function UsableModels() {
  const models = dataOf(useFeed('models')) ?? []
  const peers = peersById(dataOf(useFeed('peers')) ?? [])
  const favourites = useFavourites(({ ids }) => ids)
  const rankOf = (model: ModelView): number => {
    const favourite = favourites.indexOf(model.id)
    if (favourite !== -1) return favourite - favourites.length
    return model.local ? 0 : 1 + PATHS_BEST_FIRST.indexOf(pathTo(model, peers) ?? 'relayed')
  }
  const usable = models
    .filter((model) => isReachable(model, peers))
    .sort((a, b) => rankOf(a) - rankOf(b) || a.id.localeCompare(b.id, 'en'))
  if (usable.length === 0) return null
  return (
    <Card title={words.title} aside={<a href={linkTo('models')}>{words.all(models.length)}</a>} flush>
      <ul className={styles['models']}>
        {usable.slice(0, SHOWN).map((model) => (
          <li key={model.id}>
            <a className={styles['model']} href={linkTo('models', model.id)} title={model.id}>
              <LongName name={model.id} />
            </a>
            <span className={styles['badges']}>
              <DemoBadge model={model.id} />
              <Where model={model} peers={peers} />
            </span>
            <a href={canChat(model) ? linkTo('chat', model.id) : linkTo('models', model.id)}>
              {canChat(model) ? words.chat : words.open}
            </a>
          </li>
        ))}
      </ul>
    </Card>
  )
}

function Where({ model, peers }: { model: ModelView; peers: ReadonlyMap<string, PeerView> }) {
  if (model.local) return <Badge tone="accent">{strings.models.here}</Badge>
  const path = pathTo(model, peers)
  return path === undefined ? <Badge>{strings.models.noPath}</Badge> : <PathBadge path={path} />
}

/** The best kind of connection to any of its providers. */
function pathTo({ providers }: ModelView, peers: ReadonlyMap<string, PeerView>) {
  const open = providers.flatMap(({ peerId }) => peers.get(peerId)?.paths.slice(0, 1) ?? [])
  return PATHS_BEST_FIRST.find((path) => open.includes(path))
}
