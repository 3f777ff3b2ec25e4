import type { PauseRuleView } from '#shared/contract/sharing/pause.js'
import { dataOf } from '../../../stores/feed-store.js'
import { useClient, useFeed, useSettings } from '../../../stores/hooks.js'
import { linkTo } from '../../../stores/route.js'
import { strings } from '../../../strings.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Card } from '../../../ui/layout/card.js'
import { Badge } from '../../../ui/text/badge.js'
import styles from './rules-card.module.css'

const { share: words } = strings

/** The rules that pause sharing, and what each sees now. */
export function RulesCard() {
  const pause = dataOf(useFeed('pause'))
  if (pause === undefined) return null
  return (
    <Card title={words.rules} flush>
      <ul>
        {pause.rules.map((rule) => (
          <Rule key={rule.cause} rule={rule} />
        ))}
      </ul>
    </Card>
  )
}

function Rule({ rule }: { rule: PauseRuleView }) {
  return (
    <li className={styles['rule']}>
      <div className={styles['text']}>
        <p className={styles['name']}>{words.ruleName[rule.cause]}</p>
        <p className={styles['sees']}>{rule.sentence}</p>
      </div>
      {rule.enabled && <Holds holds={rule.holds} />}
      <Switch rule={rule} />
    </li>
  )
}

function Holds({ holds }: { holds: boolean | null }) {
  if (holds === null) return <Badge>{words.holdsUnknown}</Badge>
  return holds ? <Badge tone="warn">{words.holds}</Badge> : <Badge tone="good">{words.holdsNot}</Badge>
}

/** Rules with no more to say than yes or no are switched here; the others have their place in the settings. */
function Switch({ rule }: { rule: PauseRuleView }) {
  const client = useClient()
  const { busy, run } = useAction()
  const { state, reload } = useSettings()
  const setting = dataOf(state)?.find(({ name }) => name === rule.setting)
  const name = words.ruleName[rule.cause]
  if (setting?.kind !== 'boolean') {
    return (
      <a className={styles['link']} href={linkTo('settings', rule.setting)} aria-label={`${words.ruleSet}: ${name}`}>
        {words.ruleSet}
      </a>
    )
  }
  const change = async (enabled: boolean): Promise<void> => {
    await client.call('settings.set', { name: rule.setting, value: String(enabled) })
    reload()
  }
  return (
    <input
      type="checkbox"
      role="switch"
      className={styles['switch']}
      aria-label={name}
      checked={rule.enabled}
      disabled={busy}
      onChange={({ target }) =>
        run(() => change(target.checked), (target.checked ? words.ruleOn : words.ruleOff)(name))
      }
    />
  )
}
