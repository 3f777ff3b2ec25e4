import type { PauseRuleView } from '#shared/contract/sharing/pause.js'
import { dataOf } from '../../../stores/feed-store.js'
import { useClient, useFeed, useSettings } from '../../../stores/hooks.js'
import { linkTo } from '../../../stores/route.js'
import { strings } from '../../../strings/all.js'
import { toast } from '../../../ui/feedback/toasts.js'
import { sentenceOf } from '../../../ui/feedback/use-action.js'
import { Switch } from '../../../ui/inputs/switch.js'
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
        <p className={styles['sees']}>{seenBy(rule)}</p>
      </div>
      {rule.enabled && <Holds holds={rule.holds} />}
      <RuleSwitch rule={rule} />
    </li>
  )
}

/** What a rule sees; where this machine can't tell, that comes before whether it is on. */
function seenBy({ cause, enabled, canTell, sentence }: PauseRuleView): string {
  if (!canTell && !enabled) return words.ruleUnable[cause] ?? words.holdsUnknown
  return enabled ? sentence : words.ruleOff
}

function Holds({ holds }: { holds: boolean | null }) {
  if (holds === null) return <Badge>{words.holdsUnknown}</Badge>
  return holds ? <Badge tone="warn">{words.holds}</Badge> : <Badge>{words.holdsNot}</Badge>
}

/** Rules with no more to say than yes or no are switched here; the others have their place in the settings. */
function RuleSwitch({ rule }: { rule: PauseRuleView }) {
  const client = useClient()
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
  const change = async (enabled: boolean): Promise<boolean> => {
    try {
      await client.call('settings.set', { name: rule.setting, value: String(enabled) })
    } catch (error) {
      toast('bad', sentenceOf(error))
      return false
    }
    reload()
    return true
  }
  // What would do nothing can be switched off, and not on.
  return <Switch label={name} checked={rule.enabled} disabled={!rule.canTell && !rule.enabled} onChange={change} />
}
