import { z } from 'zod'
import { defineCall, NoInputSchema } from '../define.js'

/** The programs in whose folders models are found; `folder` is one the person named. */
const DiskAppSchema = z.enum(['ollama', 'lm-studio', 'hugging-face', 'llama.cpp', 'folder'])

/** How those are called on screen. */
export const DISK_APP_NAMES: Readonly<Record<z.output<typeof DiskAppSchema>, string>> = {
  ollama: 'Ollama',
  'lm-studio': 'LM Studio',
  'hugging-face': 'Hugging Face',
  'llama.cpp': 'llama.cpp',
  folder: 'Folder',
}

/** A model whose file lies on this machine; null for what its header does not tell. */
export const DiskModelSchema = z.object({
  /** Stays the same as long as the file stays where it is. */
  id: z.string(),
  /** What requests would call it. */
  name: z.string(),
  /** Every place it lies in; the first is the one that is read. Never leaves this machine. */
  places: z.array(z.object({ app: DiskAppSchema, path: z.string() })),
  architecture: z.string(),
  /** `8.0B`, `361M` */
  parameters: z.string().nullable(),
  /** Tokens it was trained on. */
  contextLength: z.number().nullable(),
  quantisation: z.string().nullable(),
  /** All its files together. */
  sizeBytes: z.number(),
  files: z.number().int(),
  hasChatTemplate: z.boolean(),
  /** Makes vectors of texts. */
  embedding: z.boolean(),
  /** A file that lets it see pictures lies beside it. */
  projector: z.boolean(),
  /** Why it can't be used, in words for a person; null when it can. */
  problem: z.string().nullable(),
})
/** A model whose file lies on this machine; size in bytes, context in tokens. */
export type DiskModel = z.output<typeof DiskModelSchema>

/** What is known of the models on this machine's disks. Nothing is searched before a person asks for it. */
export const DiskScanSchema = z.object({
  scanning: z.boolean(),
  /** Entries of folders that this scan has seen, and models it has read. */
  seen: z.number().int(),
  read: z.number().int(),
  /** When the last whole scan ended, Unix milliseconds; null before the first. */
  finishedAtMs: z.number().nullable(),
  models: z.array(DiskModelSchema),
  /** Why the last scan ended early; null where it did not. */
  problem: z.string().nullable(),
})
/** Models on the disks of this machine, and how far a scan is. */
export type DiskScan = z.output<typeof DiskScanSchema>

/** Calls that look for models on the disks of this machine. */
export const diskModelsCalls = {
  'disk.get': defineCall('What the last scan of the disks found; searches nothing.', {
    input: NoInputSchema,
    output: DiskScanSchema,
  }),
  'disk.scan': defineCall(
    'Starts to look for model files in the folders of known programs; reads, never writes there.',
    {
      input: NoInputSchema,
      output: DiskScanSchema,
    },
  ),
  'disk.cancel': defineCall('Ends a scan of the disks; what was found before stays.', {
    input: NoInputSchema,
    output: DiskScanSchema,
  }),
}
