/** A number as it is written in German: `12.345`. */
export const number = (n: number): string => n.toLocaleString('de')

const AND = new Intl.ListFormat('de')
/** Names as they stand in a sentence: `Ollama, vLLM und LM Studio`. */
export const list = (names: readonly string[]): string => AND.format(names)

/** `1 Modell`, `3 Modelle`: a number with its noun. */
export const count = (n: number, one: string, many: string): string => `${number(n)} ${n === 1 ? one : many}`

/** A number of them. */
export const models = (n: number): string => count(n, 'Modell', 'Modelle')
/** A number of them. */
export const requests = (n: number): string => count(n, 'Anfrage', 'Anfragen')
/** A number of them. */
export const peers = (n: number): string => count(n, 'Peer', 'Peers')
/** A number of them. */
export const tokens = (n: number): string => count(n, 'Token', 'Tokens')
