import { z } from 'zod'
import type { Ask, SeenList } from '../ask.js'
import { type Identity, isOwnedBy, NAMELESS, type ServerProfile, type ToldModel } from './profile.js'

const PropsSchema = z.object({
  default_generation_settings: z.object({ n_ctx: z.number().positive().optional() }).optional(),
  total_slots: z.number(),
  build_info: z.string().max(200).optional(),
  is_sleeping: z.boolean().optional(),
  /** Of what the model was loaded with, its projector included. */
  modalities: z.object({ vision: z.boolean() }).optional().catch(undefined),
  /** What its template has a place for. */
  chat_template_caps: z.object({ supports_tools: z.boolean() }).optional().catch(undefined),
})

/** What an answer to `/props` tells of the only model of a llama.cpp; undefined where it is none. */
export function readProps(value: unknown): ToldModel | undefined {
  const props = PropsSchema.safeParse(value).data
  if (props === undefined) return undefined
  const { modalities, chat_template_caps: template, default_generation_settings: defaults } = props
  // Who has no projector can't see; that tools are not to be had is believed where it is said.
  const capabilities = [
    ...(template?.supports_tools === false ? [] : ['tools']),
    ...(modalities?.vision === true ? ['vision'] : []),
  ]
  return { contextLength: defaults?.n_ctx, facts: modalities === undefined ? {} : { capabilities } }
}
const SlotsSchema = z.array(z.object({ is_processing: z.boolean() }))

const saysSo = (list: SeenList): boolean => list.headers.server === 'llama.cpp'

/** With `--api-key` the list and `/health` stay open (b10434); all else wants it. */
async function unknown(ask: Ask): Promise<Identity> {
  const answer = await ask.get('/props')
  const isLocked = answer.kind === 'answer' && (answer.status === 401 || answer.status === 403)
  return isLocked ? { ...NAMELESS, isLocked } : NAMELESS
}

/** llama.cpp. `/props` does not wake a sleeping server. `/slots` counts as use: it is asked only while a person watches. */
export const llamaCpp: ServerProfile = {
  kind: 'llama.cpp',
  healthPath: '/health',
  suspects: (list) => saysSo(list) || isOwnedBy(list, 'llamacpp'),
  async identify(ask, list) {
    const props = await ask.json('/props', PropsSchema)
    if (props === undefined) return saysSo(list) ? await unknown(ask) : undefined
    const contextLength = props.default_generation_settings?.n_ctx ?? null
    const [only, ...others] = list.models
    const details = only === undefined || others.length > 0 ? [] : [[only.id, { contextLength }] as const]
    return { version: props.build_info, details: new Map(contextLength === null ? [] : details) }
  },
  async status(ask, list, watched) {
    const props = await ask.json('/props', PropsSchema)
    const ids = new Set(list.models.map(({ id }) => id))
    if (props?.is_sleeping === true) return { state: 'asleep', loaded: new Set() }
    const loaded = ids.size === 1 ? ids : undefined
    const slots = watched ? await ask.json('/slots', SlotsSchema) : undefined
    if (slots === undefined) return { loaded }
    const running = slots.filter((slot) => slot.is_processing).length
    const isFull = slots.length > 0 && running === slots.length
    return { loaded, load: { running, waiting: 0 }, ...(isFull ? { state: 'busy' as const } : {}) }
  },
}
