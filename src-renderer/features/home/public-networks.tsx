import { useCallback, useEffect, useState } from 'react'
import type { JoinResult as Outcome, NetworkView } from '#shared/contract/network/join.js'
import { useClient } from '../../stores/hooks.js'
import { linkTo } from '../../stores/route.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/controls/button.js'
import { useAction } from '../../ui/feedback/use-action.js'
import { JoinResult } from '../../ui/join/join-result.js'
import styles from './first-run-card.module.css'

const { first: words } = strings.home

/** The public networks that this version knows, each with what joining means. */
export function PublicNetworks() {
  const client = useClient()
  const { busy, run } = useAction()
  const [network, setNetwork] = useState<NetworkView>()
  const [result, setResult] = useState<{ name: string; outcome: Outcome }>()
  const load = useCallback(() => run(async () => setNetwork(await client.call('network.get', {}))), [client, run])
  useEffect(load, [load])
  const join = (name: string): void =>
    run(async () =>
      setResult({ name, outcome: await client.call('network.join', { text: name, switchNetwork: false }) }),
    )
  if (result !== undefined && !busy) {
    const { name, outcome } = result
    return (
      <JoinResult
        sentence={outcome.sentence}
        isGood={outcome.state !== 'failed'}
        isJoined={outcome.state === 'joined'}
        onAgain={() => join(name)}
        onClose={() => setResult(undefined)}
      />
    )
  }
  const choices = network?.choices ?? []
  return (
    <>
      <p>{words.publicText}</p>
      {choices.map(({ name, title, runBy, meaning }) => (
        <div key={name} className={styles['choice']}>
          <h3>{title}</h3>
          <p>{words.publicChoice(runBy, meaning)}</p>
          <Button disabled={busy} onClick={() => join(name)}>
            {words.publicJoin(title)}
          </Button>
        </div>
      ))}
      <p>
        {words.publicOther} <a href={linkTo('settings', 'bootstrap.sources')}>{words.publicAction}</a>
      </p>
    </>
  )
}
