import { strings } from '../../strings.js'
import { Dialog } from '../controls/dialog.js'
import { Notice } from '../feedback/notice.js'
import { InviteOffer } from './invite-offer.js'
import { useReadInvite } from './use-read-invite.js'

/** The one question after a link with an invite was opened: any page can hold such a link, so it alone does nothing. */
export function JoinDialog({ text, onClose }: { text: string; onClose: () => void }) {
  const answer = useReadInvite(text)
  return (
    <Dialog title={strings.people.join.linkTitle} onClose={onClose}>
      {answer === undefined && <p role="status">{strings.state.loading}</p>}
      {answer !== undefined && 'failed' in answer && <Notice tone="bad">{answer.failed}</Notice>}
      {answer !== undefined && 'read' in answer && <InviteOffer text={text} read={answer.read} onClose={onClose} />}
    </Dialog>
  )
}
