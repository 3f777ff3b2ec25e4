import {
  useEffect,
  useRef,
  useState,
  type ClipboardEvent,
  type DragEvent,
  type KeyboardEvent,
  type SubmitEvent,
} from 'react'
import type { ChatImage } from '../../stores/chats/conversation.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/controls/button.js'
import { IconButton } from '../../ui/controls/icon-button.js'
import { toast } from '../../ui/feedback/toasts.js'
import styles from './composer.module.css'
import { IMAGE_TYPES, MAX_IMAGES, readImage } from './read-image.js'

const { chat: words } = strings

/** Where a message is written; pictures come by button, drop or paste. */
export function Composer({
  isNew,
  isRunning,
  onSend,
  onStop,
  canSend,
  takesImages,
}: {
  /** Nothing was said yet: who begins wants to write. */
  isNew: boolean
  /** An answer is under way. */
  isRunning: boolean
  onSend: (text: string, images: readonly ChatImage[]) => void
  onStop: () => void
  /** Whether it is known where to send to; until then what was typed stays. */
  canSend: boolean
  /** False for a model that is known not to see. */
  takesImages: boolean
}) {
  const [text, setText] = useState('')
  const { images, add, remove, clear } = useImages()
  const field = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    if (isNew) field.current?.focus()
  }, [isNew])
  const [isOver, setOver] = useState(false)
  const isEmpty = text.trim() === '' && images.length === 0
  const send = (): void => {
    if (isEmpty || isRunning || !canSend) return
    onSend(text.trim(), images)
    setText('')
    clear()
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    send()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }
  const onPaste = (event: ClipboardEvent): void => {
    if (event.clipboardData.files.length === 0 || !takesImages) return
    event.preventDefault()
    add(event.clipboardData.files)
  }
  const onDrag = (event: DragEvent): void => {
    event.preventDefault()
    setOver(event.type === 'dragover')
    if (event.type !== 'drop') return
    if (takesImages) add(event.dataTransfer.files)
    else toast('bad', words.cannotSee)
  }
  return (
    <form
      className={isOver ? styles['over'] : styles['composer']}
      onSubmit={submit}
      onDragOver={onDrag}
      onDragLeave={onDrag}
      onDrop={onDrag}
    >
      {images.length > 0 && <Thumbnails images={images} onRemove={remove} />}
      <div className={styles['line']}>
        {takesImages && <ImageButton onFiles={add} />}
        <textarea
          ref={field}
          aria-label={words.label}
          placeholder={isOver ? words.dropped : words.placeholder}
          rows={1}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        {isRunning ? (
          <Button icon="stop" onClick={onStop}>
            {words.stop}
          </Button>
        ) : (
          <Button submit primary icon="send" disabled={isEmpty || !canSend}>
            {words.send}
          </Button>
        )}
      </div>
    </form>
  )
}

/** The pictures of the message that is being written. */
function useImages() {
  const [images, setImages] = useState<readonly ChatImage[]>([])
  const add = (files: Iterable<File>): void => {
    for (const file of files) {
      readImage(file).then(
        (image) =>
          setImages((before) => {
            if (before.length < MAX_IMAGES) return [...before, image]
            toast('bad', words.imageTooMany(MAX_IMAGES))
            return before
          }),
        () => toast('bad', words.imageWrong(file.name)),
      )
    }
  }
  const remove = (image: ChatImage): void => setImages((before) => before.filter((one) => one !== image))
  return { images, add, remove, clear: () => setImages([]) }
}

function Thumbnails({ images, onRemove }: { images: readonly ChatImage[]; onRemove: (image: ChatImage) => void }) {
  return (
    <div className={styles['images']}>
      <ul aria-label={words.attachments}>
        {images.map((image, index) => (
          <li key={index}>
            <img src={image.url} alt={image.name} />
            <IconButton icon="close" label={words.detach(image.name)} onClick={() => onRemove(image)} />
          </li>
        ))}
      </ul>
      <p>{words.imagesHint}</p>
    </div>
  )
}

function ImageButton({ onFiles }: { onFiles: (files: Iterable<File>) => void }) {
  const field = useRef<HTMLInputElement>(null)
  return (
    <>
      <IconButton icon="image" label={words.attach} onClick={() => field.current?.click()} />
      <input
        ref={field}
        type="file"
        hidden
        multiple
        accept={IMAGE_TYPES.join(',')}
        aria-label={words.attachments}
        onChange={({ target }) => {
          onFiles([...(target.files ?? [])])
          target.value = ''
        }}
      />
    </>
  )
}
