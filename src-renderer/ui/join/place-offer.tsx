import { useState } from 'react'
import type { JoinResult as Outcome } from '#shared/contract/network/join.js'
import { useClient } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Button } from '../controls/button.js'
import { Notice } from '../feedback/notice.js'
import { useAction } from '../feedback/use-action.js'
import { JoinResult } from './join-result.js'
import styles from './join.module.css'

const { join: words } = strings.people

/** A text that is no invite: it may be where a node is, or a network. Nobody is trusted by it, and it is asked first. */
export function PlaceOffer({ text, onClose }: { text: string; onClose: () => void }) {
  const client = useClient()
  const { busy, run } = useAction()
  const [result, setResult] = useState<Outcome>()
  const join = (switchNetwork: boolean): void =>
    run(async () => setResult(await client.call('network.join', { text, switchNetwork })))
  if (busy) {
    return (
      <div className={styles['progress']}>
        <span className={styles['spinner']} aria-hidden="true" />
        <p role="status">{words.looking}</p>
      </div>
    )
  }
  if (result === undefined || result.canSwitch) {
    const switches = result?.canSwitch === true
    return (
      <div className={styles['offer']}>
        {switches ? <Notice tone="warn">{result.sentence}</Notice> : <h3>{words.isPlace}</h3>}
        <p className={styles['soft']}>{words.placeMeans}</p>
        <div className={styles['buttons']}>
          <Button primary icon="check" onClick={() => join(switches)}>
            {switches ? words.confirmSwitch : words.confirmPlace}
          </Button>
          <Button onClick={onClose}>{words.later}</Button>
        </div>
      </div>
    )
  }
  return (
    <JoinResult
      sentence={result.sentence}
      isGood={result.state !== 'failed'}
      isJoined={result.state === 'joined'}
      onAgain={() => join(false)}
      onClose={onClose}
    />
  )
}
