import { useState } from 'react'
import type { DetectedServer, ServerState } from '#shared/contract/sharing/detection.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import { useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings.js'
import { Button } from '../../../ui/controls/button.js'
import { Notice } from '../../../ui/feedback/notice.js'
import { toast } from '../../../ui/feedback/toasts.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Card } from '../../../ui/layout/card.js'
import { Badge, type Tone } from '../../../ui/text/badge.js'
import { KeyForm } from './key-form.js'
import { aliasesOf, firstNames, nameProblem, namesDiffer, type Names } from './names.js'
import styles from './server-card.module.css'
import { ServerModels } from './server-models.js'
import { firstTicks, tickedIds, ticksDiffer, type Ticks } from './ticks.js'

const { share: words } = strings

const TONES: Record<ServerState, Tone> = {
  ready: 'good',
  starting: 'warn',
  asleep: 'neutral',
  busy: 'warn',
  'needs-key': 'warn',
  'no-models': 'warn',
  unusable: 'bad',
  'not-found': 'bad',
}

/** A model server of this machine: its models with ticks, and the button that shares them. */
export function ServerCard({ server, share }: { server: DetectedServer; share: ShareView | undefined }) {
  const [changed, setChanged] = useState<Ticks>()
  const [typed, setTyped] = useState<Names>()
  const names = typed ?? firstNames(share)
  const ticks = changed ?? firstTicks(server.models, share)
  return (
    <Card title={titleOf(server)} aside={<Badges server={server} share={share} />} flush={server.models.length > 0}>
      {server.problem !== null && (
        <div className={styles['problem']}>
          <Notice tone="warn">{server.problem}</Notice>
        </div>
      )}
      {server.state === 'needs-key' && <KeyForm server={server} />}
      {server.models.length > 0 && (
        <>
          <ServerModels models={server.models} ticks={ticks} onChange={setChanged} names={names} onNames={setTyped} />
          <Actions
            server={server}
            share={share}
            ticks={ticks}
            names={names}
            onDone={() => {
              setChanged(undefined)
              setTyped(undefined)
            }}
          />
        </>
      )}
      {server.typed && share === undefined && server.models.length === 0 && <Forget address={server.address} />}
    </Card>
  )
}

function titleOf({ name, version, address }: DetectedServer): string {
  return [version === null ? name : `${name} ${version}`, address].join(' · ')
}

function Badges({ server, share }: { server: DetectedServer; share: ShareView | undefined }) {
  const { load } = server
  return (
    <span className={styles['badges']}>
      {load !== null && load.running + load.waiting > 0 && <Badge>{words.load(load.running, load.waiting)}</Badge>}
      <Badge tone={TONES[server.state]}>{words.serverState[server.state]}</Badge>
      {share !== undefined && (
        <Badge tone={share.status === 'connected' ? 'accent' : 'warn'} title={share.problem ?? undefined}>
          {share.status === 'connected' ? words.sharedBadge : words.waitsBadge}
        </Badge>
      )}
    </span>
  )
}

function Actions({
  server,
  share,
  ticks,
  names,
  onDone,
}: {
  server: DetectedServer
  share: ShareView | undefined
  ticks: Ticks
  names: Names
  onDone: () => void
}) {
  const client = useClient()
  const { busy, run } = useAction()
  const { host, port } = server
  const ids = tickedIds(server.models, ticks)
  const aliases = aliasesOf(names, ids)
  const problems = ids.map((id) => nameProblem(names, ids, id)).filter((problem) => problem !== undefined)
  const differs = share === undefined || ticksDiffer(share, ticks) || namesDiffer(share, aliases)

  const add = async (): Promise<void> => {
    const models = ticks === 'all' ? ticks : ids
    const done = await client.call('shares.add', { host, port, models, visibility: 'everyone', aliases })
    onDone()
    toast('good', words.shared(done.published.length === 0 ? ids.length : done.published.length))
  }
  const remove = async (id: string): Promise<void> => {
    const { untilRestart, problem } = await client.call('shares.remove', { id })
    onDone()
    if (problem !== null) toast('bad', `${words.stopped} ${problem}`)
    else toast('good', untilRestart ? words.stoppedUntilRestart : words.stopped)
  }
  return (
    <footer className={styles['actions']}>
      <p className={styles['sees']}>
        {problems[0] !== undefined
          ? words.names.problem[problems[0]]
          : share !== undefined && share.published.length > 0
            ? `${words.networkSees}: ${share.published.join(', ')}`
            : words.ticked(ids.length, server.models.length)}
      </p>
      {share !== undefined && (
        <Button icon="stop" disabled={busy} onClick={() => run(() => remove(share.id))}>
          {words.stop}
        </Button>
      )}
      {differs && (
        <Button
          primary
          icon="share"
          disabled={busy || ids.length === 0 || problems.length > 0}
          onClick={() => run(add)}
        >
          {share === undefined ? words.shareMyModel : words.shareAgain}
        </Button>
      )}
    </footer>
  )
}

function Forget({ address }: { address: string }) {
  const client = useClient()
  const { busy, run } = useAction()
  return (
    <Button disabled={busy} onClick={() => run(() => client.call('detection.forget', { address }))}>
      {words.typeIn.forget}
    </Button>
  )
}
