import { dataOf } from '../../stores/feed-store.js'
import { useClient, useSettings } from '../../stores/hooks.js'
import { linkTo } from '../../stores/route.js'
import { strings } from '../../strings.js'
import { useAction } from '../../ui/feedback/use-action.js'
import { Segmented } from '../../ui/inputs/segmented.js'
import styles from './first-run-card.module.css'

const { first: words } = strings.home
const SETTING = 'use.reach'

type Reach = keyof typeof words.reach
const REACHES = (Object.keys(words.reach) as Reach[]).map((value) => ({ value, label: words.reach[value] }))

/** Who may answer what this computer's apps send: the setting `use.reach`, in force at once. */
export function StrangersQuestion() {
  const client = useClient()
  const { run } = useAction()
  const { state, reload } = useSettings()
  const value = dataOf(state)?.find(({ name }) => name === SETTING)?.value
  const change = async (reach: Reach): Promise<void> => {
    await client.call('settings.set', { name: SETTING, value: reach })
    reload()
  }
  return (
    <div className={styles['answer']}>
      <h3>{words.strangers}</h3>
      <Segmented
        label={words.strangers}
        options={REACHES}
        value={REACHES.find((option) => option.value === value)?.value}
        onChange={(reach) => run(() => change(reach), words.reachSaid[reach])}
      />
      <p>
        {words.strangersText} <a href={linkTo('settings', SETTING)}>{words.strangersAction}</a>
      </p>
    </div>
  )
}
