import { useState } from 'react'
import type { CallInput } from '#shared/contract/index.js'
import type { DetectedServer, ServerState } from '#shared/contract/sharing/detection.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import { useClient } from '../../../stores/hooks.js'
import { strings } from '../../../strings/all.js'
import { Button } from '../../../ui/controls/button.js'
import { Notice } from '../../../ui/feedback/notice.js'
import { toast } from '../../../ui/feedback/toasts.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import { Card } from '../../../ui/layout/card.js'
import { Badge, type Tone } from '../../../ui/text/badge.js'
import { KeyForm } from './key-form.js'
import { aliasesOf, firstNames, nameProblem, namesDiffer, type Names } from './names.js'
import {
  countByVisibility,
  keptSelection,
  NO_EDITS,
  requestOf,
  selectionsDiffer,
  tickedIds,
  withEdits,
  type Selection,
} from './selection.js'
import styles from './server-card.module.css'
import { ServerModels } from './server-models.js'

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

/** A model server of this machine: its models, who may use each, and the button that does so. */
export function ServerCard({
  server,
  share,
  isPaused,
}: {
  server: DetectedServer
  share: ShareView | undefined
  /** Sharing is paused, whatever was chosen. */
  isPaused: boolean
}) {
  const [edits, setEdits] = useState(NO_EDITS)
  const [typed, setTyped] = useState<Names>()
  const names = typed ?? firstNames(share?.aliases ?? server.remembered?.aliases)
  const kept = keptSelection(server, share)
  const selection = withEdits(kept, edits)
  return (
    <Card
      title={titleOf(server)}
      aside={<Badges server={server} share={share} isPaused={isPaused} />}
      flush={server.models.length > 0}
    >
      {server.problem !== null && (
        <div className={styles['problem']}>
          <Notice tone="warn">{server.problem}</Notice>
        </div>
      )}
      {server.state === 'needs-key' && <KeyForm server={server} />}
      {server.models.length > 0 && (
        <>
          <ServerModels
            models={server.models}
            selection={selection}
            edits={edits}
            onEdit={setEdits}
            names={names}
            onNames={setTyped}
          />
          <Actions
            server={server}
            share={share}
            kept={kept}
            selection={selection}
            names={names}
            onDone={() => {
              setEdits(NO_EDITS)
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

function Badges({
  server,
  share,
  isPaused,
}: {
  server: DetectedServer
  share: ShareView | undefined
  isPaused: boolean
}) {
  const { load } = server
  return (
    <span className={styles['badges']}>
      {load !== null && load.running + load.waiting > 0 && <Badge>{words.load(load.running, load.waiting)}</Badge>}
      <Badge tone={TONES[server.state]}>{words.serverState[server.state]}</Badge>
      {share !== undefined && <ShareBadge share={share} isPaused={isPaused} />}
    </span>
  )
}

/** Who may use something of it, as far as any of its models goes. */
function ShareBadge({
  share: { status, problem, models, visibility, choices },
  isPaused,
}: {
  share: ShareView
  isPaused: boolean
}) {
  if (status !== 'connected') {
    return (
      <Badge tone="warn" title={problem ?? undefined}>
        {words.waitsBadge}
      </Badge>
    )
  }
  if (isPaused) return <Badge tone="warn">{words.pausedBadge}</Badge>
  const later = models === 'all' ? [{ visibility }] : []
  const counts = countByVisibility([...choices.filter(({ ticked }) => ticked), ...later])
  const widest = counts.everyone > 0 ? 'everyone' : counts.trusted > 0 ? 'trusted' : 'me'
  return <Badge tone={widest === 'me' ? 'neutral' : 'accent'}>{words.sharedBadge[widest]}</Badge>
}

function Actions({
  server,
  share,
  kept,
  selection,
  names,
  onDone,
}: {
  server: DetectedServer
  share: ShareView | undefined
  kept: Selection
  selection: Selection
  names: Names
  onDone: () => void
}) {
  const client = useClient()
  const { busy, run } = useAction()
  const { host, port } = server
  const ids = tickedIds(selection)
  const counts = countByVisibility(selection.models.filter(({ ticked }) => ticked))
  const aliases = aliasesOf(names, ids)
  const problems = ids.map((id) => nameProblem(names, ids, id)).filter((problem) => problem !== undefined)
  const differs = share === undefined || selectionsDiffer(kept, selection) || namesDiffer(share, aliases)
  const isEmpty = ids.length === 0 && selection.later === null

  const add = async (): Promise<void> => {
    await client.call('shares.add', { host, port, ...requestOf(selection, kept), aliases })
    onDone()
    toast('good', words.saved(counts))
  }
  return (
    <footer className={styles['actions']}>
      <p className={styles['sees']} title={share?.names.map(({ name }) => name).join(', ')}>
        {problems[0] !== undefined
          ? words.names.problem[problems[0]]
          : differs
            ? isEmpty && words.chooseOne
            : words.usableBy(countByVisibility(share.names))}
      </p>
      {share !== undefined && <StopSharing share={share} onDone={onDone} />}
      {differs && (
        <Button
          primary
          icon={counts.everyone + counts.trusted > 0 ? 'share' : 'check'}
          disabled={busy || isEmpty || problems.length > 0}
          onClick={() => run(add)}
        >
          {words.action(counts)}
        </Button>
      )}
    </footer>
  )
}

function StopSharing({ share, onDone }: { share: ShareView; onDone: () => void }) {
  const client = useClient()
  const { busy, run } = useAction()
  const again = () => client.call('shares.add', requestFor(share))
  const remove = async (): Promise<void> => {
    const { untilRestart, problem } = await client.call('shares.remove', { id: share.id })
    onDone()
    if (problem !== null) toast('bad', `${words.stopped} ${problem}`)
    else {
      const said = untilRestart ? words.stoppedUntilRestart : words.stopped
      // A key that was kept for the server is forgotten: it has to be typed in again.
      toast('good', said, share.hasKey ? undefined : () => run(again, words.sharedAgain))
    }
  }
  return (
    <Button icon="stop" disabled={busy} onClick={() => run(remove)}>
      {words.stop}
    </Button>
  )
}

/** What shares a server once more as it was. */
function requestFor({ host, port, models, visibility, choices, aliases }: ShareView): CallInput<'shares.add'> {
  return {
    ...{ host, port, models, visibility, aliases },
    except: models === 'all' ? choices.filter(({ ticked }) => !ticked).map(({ model }) => model) : [],
    visibilities: choices.map((choice) => ({ model: choice.model, visibility: choice.visibility })),
  }
}

/** A shared server that is no longer found on this machine. */
export function AwayCard({ share }: { share: ShareView }) {
  return (
    <Card
      title={`${share.name} · ${share.address}`}
      aside={<ShareBadge share={{ ...share, status: 'down' }} isPaused={false} />}
    >
      <Notice tone="warn" actions={<StopSharing share={share} onDone={() => undefined} />}>
        {words.away(share.name)}
      </Notice>
    </Card>
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
