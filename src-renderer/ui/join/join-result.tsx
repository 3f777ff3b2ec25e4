import { linkTo } from '../../stores/route.js'
import { strings } from '../../strings.js'
import { Button } from '../controls/button.js'
import { Notice } from '../feedback/notice.js'

const { join: words } = strings.people

/** What came of joining, with what can be done next. */
export function JoinResult({
  sentence,
  isGood,
  isJoined,
  onAgain,
  onClose,
}: {
  sentence: string
  isGood: boolean
  /** There may be something to use now. */
  isJoined: boolean
  onAgain: () => void
  onClose: () => void
}) {
  return (
    <div role="status">
      <Notice
        tone={isGood ? 'good' : 'warn'}
        actions={
          <>
            {!isGood && <Button onClick={onAgain}>{words.again}</Button>}
            <Button onClick={onClose}>{words.close}</Button>
          </>
        }
      >
        {sentence} {isJoined && <a href={linkTo('models')}>{words.models}</a>}
      </Notice>
    </div>
  )
}
