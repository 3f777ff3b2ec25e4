/** The programs in whose folders models are found. */
type DiskApp = 'ollama' | 'lm-studio' | 'hugging-face' | 'llama.cpp' | 'folder'

/** A model file that one of the places holds. */
export interface FoundFile {
  app: DiskApp
  path: string
  /** What the program calls it; undefined where only the file's name tells. */
  name: string | undefined
  /** SHA-256 in hex, where the place tells it for nothing. */
  digest: string | undefined
  /** A file that belongs to it, as the place says. */
  projector?: string
}

/** Where programs keep their models on this machine. */
export interface PlacesOptions {
  home: string
  platform: NodeJS.Platform
  env: Readonly<Record<string, string | undefined>>
  /** Folders the person named. */
  folders: readonly string[]
}

/** How far a search goes, so that no folder keeps it for ever. */
export interface SearchBounds {
  signal: AbortSignal
  /** Told of each entry of a folder that was seen. Throws when there were too many. */
  seen(): void
}

/** One kind of place. Yields what is there; a folder that is missing or closed holds nothing. */
export type Place = (options: PlacesOptions, bounds: SearchBounds) => AsyncIterable<FoundFile>
