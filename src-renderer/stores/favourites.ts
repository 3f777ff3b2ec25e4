import { create } from 'zustand'

const KEY = 'ocf-favourite-models'
/** Far more than anyone marks; a list in storage that has grown beyond is cut. */
const MAX = 200

function readIds(): readonly string[] {
  try {
    const saved: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(saved) ? saved.filter((id) => typeof id === 'string').slice(0, MAX) : []
  } catch {
    return [] // What is odd in storage is no favourite.
  }
}

/** The models that a person marked, by id; kept in this browser. */
export const useFavourites = create<{ ids: readonly string[]; toggle: (id: string) => void }>((set, get) => ({
  ids: readIds(),
  toggle(id) {
    const before = get().ids
    const ids = before.includes(id) ? before.filter((one) => one !== id) : [id, ...before].slice(0, MAX)
    localStorage.setItem(KEY, JSON.stringify(ids))
    set({ ids })
  },
}))
