import { useState } from 'react'
import type { EngineBackend, EngineInstall } from '#shared/contract/sharing/engine.js'
import { useClient } from '../../../stores/hooks.js'
import { linkTo } from '../../../stores/route.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { Notice } from '../../../ui/feedback/notice.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Select } from '../../../ui/inputs/select.js'
import styles from './disk-card.module.css'

const { engine: words } = strings.engine

/** The engine: what fetching it costs, how far that is, or that it is there. */
export function EngineLine({ install }: { install: EngineInstall }) {
  return (
    <>
      {install.problem !== null && (
        <Notice
          tone="bad"
          // Nobody on this computer knows where it is fetched from: the person can say it.
          actions={
            install.source === '' ? <a href={linkTo('settings', 'engine.registry')}>{words.registry}</a> : undefined
          }
        >
          {install.problem}
        </Notice>
      )}
      <div className={styles['line']}>
        {install.state === 'missing' && <Missing install={install} />}
        {install.state === 'installing' && <Installing install={install} />}
        {install.state === 'installed' && <Installed install={install} />}
        {install.state === 'unsupported' && <p className={styles['soft']}>{words.unsupported}</p>}
      </div>
    </>
  )
}

function Missing({ install: { offers, source } }: { install: EngineInstall }) {
  const client = useClient()
  const { busy, run } = useAction()
  const [chosen, setChosen] = useState<EngineBackend>()
  const offer = offers.find(({ backend }) => backend === chosen) ?? offers[0]
  if (offer === undefined) return null
  const { backend } = offer
  const options = offers.map((one) => ({ value: one.backend, label: words.backend[one.backend] }))
  return (
    <>
      <p className={styles['soft']}>{words.needed(offer.downloadBytes, source)}</p>
      <span className={styles['actions']}>
        {options.length > 1 && (
          <Select label={words.backendLabel} options={options} value={backend} onChange={setChosen} />
        )}
        <Button disabled={busy} onClick={() => run(() => client.call('engine.install', { backend }))}>
          {words.install}
        </Button>
      </span>
    </>
  )
}

function Installing({ install: { doneBytes, totalBytes } }: { install: EngineInstall }) {
  const client = useClient()
  const { run } = useAction()
  return (
    <>
      <span className={styles['soft']} role="status">
        {words.fetching(doneBytes, totalBytes)}
      </span>
      <progress aria-label={words.install} max={Math.max(1, totalBytes)} value={doneBytes} />
      <Button onClick={() => run(() => client.call('engine.cancelInstall', {}))}>{strings.engine.cancel}</Button>
    </>
  )
}

function Installed({ install: { version, backend, sizeBytes } }: { install: EngineInstall }) {
  const client = useClient()
  const { busy, run } = useAction()
  return (
    <>
      <p className={styles['soft']}>{words.installed(version, words.backend[backend ?? 'cpu'], sizeBytes ?? 0)}</p>
      <Button disabled={busy} onClick={() => run(() => client.call('engine.remove', {}), words.removed)}>
        {words.remove}
      </Button>
    </>
  )
}
