import type { ChatImage } from '../../stores/chats/conversation.js'

/** Kinds of pictures that models take. */
export const IMAGE_TYPES: readonly string[] = ['image/png', 'image/jpeg', 'image/webp', 'image/gif']
/** Pictures in one message. */
export const MAX_IMAGES = 4
/** Larger ones are made smaller: models look at them at about this size, in pixels. */
const MAX_SIDE = 1568
const MAX_BYTES = 1_500_000
const QUALITY = 0.85

/** Reads a picture, smaller where it is larger than models use. Rejects where it is none. */
export async function readImage(file: File): Promise<ChatImage> {
  if (!IMAGE_TYPES.includes(file.type)) throw new TypeError(`${file.type} is no picture`)
  const bitmap = await createImageBitmap(file)
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height))
  if (scale === 1 && file.size <= MAX_BYTES) return { name: file.name, url: await dataUrlOf(file) }
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(bitmap.width * scale)
  canvas.height = Math.round(bitmap.height * scale)
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  bitmap.close()
  return { name: file.name, url: canvas.toDataURL('image/jpeg', QUALITY) }
}

function dataUrlOf(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.addEventListener('load', () => resolve(reader.result as string))
    reader.addEventListener('error', () => reject(reader.error ?? new TypeError('the picture can not be read')))
    reader.readAsDataURL(file)
  })
}
