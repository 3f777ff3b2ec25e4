import { useState, type SubmitEvent } from 'react'
import { INVITE_ITEM, linkTo } from '../../stores/route.js'
import { strings } from '../../strings.js'
import { Button } from '../controls/button.js'
import { Field } from '../inputs/field.js'
import { Card } from '../layout/card.js'
import { NearbyList } from '../pairing/nearby-list.js'
import { InviteOffer } from './invite-offer.js'
import styles from './join.module.css'
import { PlaceOffer } from './place-offer.js'
import { useReadInvite } from './use-read-invite.js'

const { join: words } = strings.people

/** One field for whatever somebody was sent, whose meaning is shown before anything is done; and who is nearby. */
export function JoinCard({ inviteLink = false }: { inviteLink?: boolean }) {
  return (
    <Card title={words.title} aside={inviteLink && <a href={linkTo('network', INVITE_ITEM)}>{words.inviteInstead}</a>}>
      <div className={styles['ways']}>
        <JoinForm />
        <NearbyList />
      </div>
    </Card>
  )
}

/** The field, and what is made of the text in it. */
export function JoinForm() {
  const [text, setText] = useState('')
  const [wasSent, setWasSent] = useState(false)
  const [shown, setShown] = useState<string>()
  const answer = useReadInvite(text)
  const isOther = answer !== undefined && 'read' in answer && answer.read.problem === 'no-invite'
  const edit = (next: string): void => {
    setText(next)
    setWasSent(false)
    setShown(undefined)
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    setWasSent(true)
    setShown(text)
  }
  const error = (): string | undefined => {
    if (!wasSent) return undefined
    if (text.trim() === '') return words.missing
    if (answer === undefined) return undefined
    if ('failed' in answer) return answer.failed
    return answer.read.invite === null && !isOther ? (answer.read.sentence ?? undefined) : undefined
  }
  const offer = answer !== undefined && 'read' in answer && answer.read.invite !== null ? answer.read : undefined
  return (
    <div className={styles['form']}>
      <form className={styles['line']} onSubmit={submit}>
        <Field
          label={words.label}
          help={words.help}
          error={error()}
          value={text}
          onChange={edit}
          placeholder={words.placeholder}
        />
        <Button submit>{words.next}</Button>
      </form>
      {shown === text && offer !== undefined && (
        <InviteOffer key={text} text={text} read={offer} isAsked onClose={() => edit('')} />
      )}
      {shown === text && isOther && <PlaceOffer key={text} text={text} onClose={() => edit('')} />}
    </div>
  )
}
